// A source group as an agent receives it, in its plan and in an order.
import type { Selectable } from "kysely";
import type { z } from "zod";
import { OrderedSettings } from "../../shared/shapes/source_group_settings.ts";
import { fromColumns } from "../database/columns.ts";
import type { SourceGroupsTable } from "../database/tables.ts";
import { hooksFor, type HostHooks } from "../hooks/resolve.ts";
import type { Server } from "../server.ts";
import type { SourceGroupOrder } from "../../shared/job_kinds/backup.ts";

export async function sourceGroupOrder(
  server: Server,
  host: HostHooks,
  group: Selectable<SourceGroupsTable>,
): Promise<SourceGroupOrder> {
  const hooks = await hooksFor(server, host, group, group.hook_timeout_seconds);
  return {
    id: group.id,
    name: group.name,
    snapshot_tag: group.snapshot_tag,
    ...(withoutNothing(fromColumns(OrderedSettings, group))),
    accepted: JSON.parse(group.accepted_sources),
    ...(hooks ? { hooks } : {}),
  };
}

/** What is off or not set is left out: a plan has hundreds of these. */
function withoutNothing(settings: z.output<typeof OrderedSettings>) {
  const entries = Object.entries(settings).filter(([, value]) => value !== null && value !== false);
  return Object.fromEntries(entries) as
    & Partial<typeof settings>
    & Pick<typeof settings, "includes" | "excludes">;
}
