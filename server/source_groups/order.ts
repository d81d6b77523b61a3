// A source group as an agent receives it, in its plan and in an order.
import type { Selectable } from "kysely";
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
    includes: JSON.parse(group.includes),
    excludes: JSON.parse(group.excludes),
    iexcludes: JSON.parse(group.iexcludes),
    exclude_if_present: JSON.parse(group.exclude_if_present),
    ...(group.exclude_larger_than ? { exclude_larger_than: group.exclude_larger_than } : {}),
    ...(group.exclude_caches ? { exclude_caches: true } : {}),
    ...(group.one_file_system ? { one_file_system: true } : {}),
    ...(group.use_fs_snapshot ? { use_fs_snapshot: true } : {}),
    accepted: JSON.parse(group.accepted_sources),
    ...(hooks ? { hooks } : {}),
  };
}
