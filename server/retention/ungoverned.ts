// Snapshots that are in a repository and that no source group governs: of a group or host that was removed, from before us,
// made by someone else, or of a job whose report was lost. They stay until a person decides.
import { type RawBuilder, sql } from "kysely";
import type { Server } from "../server.ts";
import { samePlaces } from "./pins.ts";
import type { ForgetOrder } from "../../shared/job_kinds/forget.ts";
import type { UngovernedList } from "../../shared/shapes/snapshot.ts";

export interface Named {
  hostname: string;
  tags: string[];
}

export interface UngovernedSnapshot {
  id: string;
  time: number;
  hostname: string;
  /** JSON. */
  tags: string;
}

/** What one order may carry. */
const MOST = 4000;

/** By host name and tags, the newest first, at most 500 of them; `listed_at` null: no maintenance has listed all hosts' yet. */
export async function listUngoverned(
  { db }: Server,
  repositoryId: string,
): Promise<UngovernedList> {
  const repository = await db.selectFrom("repositories").select("listing_at")
    .where("id", "=", repositoryId).executeTakeFirst();
  const { rows } = await sql<
    {
      hostname: string;
      tags: string;
      count: number;
      pinned: number;
      oldest: number;
      newest: number;
      by: string;
    }
  >`select each.hostname, each.tags, count(*) as count,
      sum(each.id in (${pinnedIds(repositoryId)})) as pinned, min(each.time) as oldest,
      max(each.time) as newest, kept.kept_by as "by"
    from (${ungoverned(repositoryId)}) as each
    left join ungoverned_kept as kept on kept.repository_id = ${repositoryId}
      and kept.hostname = each.hostname and kept.tags = each.tags
    group by each.hostname, each.tags order by newest desc limit 500`.execute(db);
  return {
    listed_at: repository?.listing_at ?? null,
    items: rows.map((row) => ({
      hostname: row.hostname,
      tags: JSON.parse(row.tags),
      count: row.count,
      pinned: row.pinned,
      oldest_at: row.oldest,
      newest_at: row.newest,
      kept_by: row.by,
    })),
  };
}

/** Those with this host name and these tags, the oldest first. */
export async function ungovernedSnapshots(
  { db }: Pick<Server, "db">,
  repositoryId: string,
  named: Named,
): Promise<UngovernedSnapshot[]> {
  const { rows } = await sql<UngovernedSnapshot>`select id, time, hostname, tags
    from (${ungoverned(repositoryId)}) where hostname = ${named.hostname}
      and tags = ${JSON.stringify(named.tags)} and length(id) = 64
    order by time limit ${MOST}`.execute(db);
  return rows;
}

function pinnedIds(repositoryId: string): RawBuilder<unknown> {
  return sql`select snapshot_id from snapshot_pins
    where repository_id in ${samePlaces(repositoryId)}`;
}

/** By host name and tags, as an order names them. */
export function asPlaces(snapshots: UngovernedSnapshot[]): ForgetOrder["snapshots"] {
  const places = new Map<string, ForgetOrder["snapshots"][number]>();
  for (const { id, hostname, tags } of snapshots) {
    const key = `${tags} ${hostname}`;
    const place: ForgetOrder["snapshots"][number] = places.get(key) ??
      { host: hostname, tags: JSON.parse(tags), keep: [], remove: [] };
    place.remove.push(id);
    places.set(key, place);
  }
  return [...places.values()];
}

/** What the maintenance listed, what its hosts list, and what jobs made whose group is gone, but for what a group governs. */
function ungoverned(repositoryId: string): RawBuilder<unknown> {
  return sql`select id, time, hostname, tags from (
      select id, time, hostname, tags from repository_snapshots where repository_id = ${repositoryId}
        and report_id = (select listing_report_id from repositories where id = ${repositoryId})
      union select snapshots.id, snapshots.time, snapshots.hostname, snapshots.tags from snapshots
        join hosts on hosts.id = snapshots.host_id and hosts.snapshots_report_id = snapshots.report_id
        where hosts.repository_id = ${repositoryId} and snapshots.hostname = hosts.snapshot_host
      union select snapshot_id, time, hostname, tags from snapshot_claims
        where repository_id = ${repositoryId} and confirmed = 1 and listed = 1
          and source_group_id is null
          and not exists (select 1 from snapshots where snapshots.id = snapshot_claims.snapshot_id)
          and not exists (select 1 from repository_snapshots as whole
            where whole.id = snapshot_claims.snapshot_id and whole.repository_id = ${repositoryId})
    ) as snapshot where not exists (${governing(repositoryId)})
      and not exists (${mayBeReported(repositoryId)})`;
}

/** A group's host that has not been heard of since may have made it while it was away, and tells of it when it is back. */
function mayBeReported(repositoryId: string): RawBuilder<unknown> {
  return sql`select 1 from known_snapshots as known
    join hosts on hosts.repository_id = known.repository_id and hosts.id <> known.host_id
      and hosts.snapshot_host = snapshot.hostname and hosts.last_seen_at < known.seen_at
    join source_groups on source_groups.host_id = hosts.id
      and json_array(source_groups.snapshot_tag) = snapshot.tags
    where known.repository_id = ${repositoryId} and known.snapshot_id = snapshot.id`;
}

/** The claim of a group of a host that uses the repository, unless another job claims the same snapshot. */
function governing(repositoryId: string): RawBuilder<unknown> {
  return sql`select 1 from snapshot_claims as claim
    join source_groups on source_groups.id = claim.source_group_id
    join hosts on hosts.id = source_groups.host_id and hosts.repository_id = ${repositoryId}
    where claim.repository_id = ${repositoryId} and claim.snapshot_id = snapshot.id
      and not exists (select 1 from snapshot_claims as other
        where other.repository_id = claim.repository_id and other.snapshot_id = claim.snapshot_id
          and other.number <> claim.number and other.confirmed = 1 and claim.confirmed = 1)`;
}
