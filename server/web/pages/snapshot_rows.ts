// Rows of snapshots as pages show them: with the names and time zones of their hosts.
import type { SnapshotRowView } from "../../../templates/snapshots/rows.tsx";
import { TIMELINE_DAYS } from "../../../templates/snapshots/timeline.tsx";
import type { ListedSnapshot } from "../../../shared/shapes/snapshot.ts";
import { hostNamesAndZones } from "../../snapshots/hosts_of.ts";
import { listFacts } from "../../snapshots/find.ts";
import {
  daysWithSnapshots,
  listAllSnapshots,
  listUnlistedPins,
  type SnapshotFilter,
} from "../../snapshots/list.ts";
import type { Server } from "../../server.ts";
import { lossesOf } from "./host_props.ts";

/** Of one page; each may carry long names. */
export const ROWS = 30;
export const DAY_MS = 86_400_000;

export async function rowViews(
  server: Server,
  items: ListedSnapshot[],
): Promise<SnapshotRowView[]> {
  const hosts = await hostNamesAndZones(server, items.flatMap(({ host_id }) => host_id ?? []));
  return items.map((item) => {
    const host = hosts.get(item.host_id ?? "");
    return { ...item, host_name: host?.name ?? null, time_zone: host?.time_zone ?? null };
  });
}

/** Of the band that ends on this day. */
export async function bandDays(
  server: Server,
  filter: SnapshotFilter,
  lastDay: number,
): Promise<number[]> {
  const to = (lastDay + 1) * DAY_MS - 1;
  return await daysWithSnapshots(server, { ...filter, from: to + 1 - TIMELINE_DAYS * DAY_MS, to });
}

/** What the tab of a host shows: the page that begins after the cursor. */
export async function hostSnapshots(
  server: Server,
  host: { id: string; repository_id: string; snapshot_host: string },
  cursor: string | null,
) {
  const own = { host: host.id };
  const page = await listAllSnapshots(server, own, { limit: ROWS, cursor });
  const facts = await listFacts(server, host.id);
  const { repository_id: repository, snapshot_host } = host;
  return {
    items: await rowViews(server, page.items),
    next_cursor: page.next_cursor,
    refreshed_at: facts.refreshed_at,
    losses: lossesOf(facts, server.now()),
    days: await bandDays(server, own, Math.floor(server.now() / DAY_MS)),
    unlisted: await listUnlistedPins(server, { repository, host: snapshot_host }),
  };
}
