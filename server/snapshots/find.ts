import { type Selectable, sql } from "kysely";
import type { SnapshotsTable } from "../database/tables.ts";
import type { PageInput } from "../paging.ts";
import { pageOf } from "../paging.ts";
import { AppError } from "../errors.ts";
import type { Server } from "../server.ts";
import type { SnapshotList } from "../../shared/shapes/snapshot.ts";

/** The list that the host handed in last, newest first. */
export async function listSnapshots(
  { db }: Server,
  hostId: string,
  input: PageInput,
): Promise<SnapshotList> {
  const host = await db.selectFrom("hosts").select([
    "snapshots_report_id",
    "repository_id",
  ])
    .where("id", "=", hostId).executeTakeFirst();
  if (!host) throw new AppError("not_found", "There is no such host.");
  let query = db.selectFrom("snapshots")
    .leftJoin(
      "jobs",
      (join) =>
        join.onRef("jobs.snapshot_id", "=", "snapshots.id").onRef(
          "jobs.host_id",
          "=",
          "snapshots.host_id",
        ),
    )
    .selectAll("snapshots").select([
      "jobs.id as job_id",
      claimState(host.repository_id).as("claim"),
    ])
    .where("snapshots.host_id", "=", hostId)
    .where("report_id", "=", host.snapshots_report_id ?? "")
    .orderBy("snapshots.time", "desc").orderBy("snapshots.id", "desc").limit(input.limit + 1);
  const cursor = readCursor(input.cursor);
  if (cursor) {
    const { time, id } = cursor;
    query = query.where(sql<boolean>`(snapshots.time, snapshots.id) < (${time}, ${id})`);
  }
  const page = pageOf(await query.execute(), input, (row) => `${row.time}.${row.id}`, toSnapshot);
  return { ...page, ...await listFacts({ db }, hostId) };
}

function toSnapshot(
  row: Selectable<SnapshotsTable> & { job_id: string | null; claim: string | null },
): SnapshotList["items"][number] {
  const { id, time, hostname, username, parent, files, bytes, bytes_added, job_id } = row;
  return {
    id,
    time,
    tags: JSON.parse(row.tags) as string[],
    paths: JSON.parse(row.paths) as string[],
    hostname,
    username,
    parent,
    files,
    bytes,
    bytes_added,
    job_id,
    ours: row.claim === "ours",
    withheld: row.claim === "withheld",
  };
}

/** When the host's list was handed in, and what vanished from it. Throws not_found. */
export async function listFacts(
  { db }: Pick<Server, "db">,
  hostId: string,
): Promise<Pick<SnapshotList, "refreshed_at" | "losses">> {
  const host = await db.selectFrom("hosts").select("snapshots_refreshed_at")
    .where("id", "=", hostId).executeTakeFirst();
  if (!host) throw new AppError("not_found", "There is no such host.");
  const losses = await db.selectFrom("snapshot_losses")
    .select(["noticed_at", "count", "newest_time"]).where("host_id", "=", hostId)
    .orderBy("noticed_at", "desc").limit(5).execute();
  return { refreshed_at: host.snapshots_refreshed_at, losses };
}

/** "ours", "withheld", or null: claimed by no job or by more than one. */
function claimState(repositoryId: string) {
  return sql<string | null>`(select case when count(*) <> 1 then null
      when max(withheld) = 1 then 'withheld' else 'ours' end
    from snapshot_claims as claim where claim.repository_id = ${repositoryId}
      and claim.snapshot_id = snapshots.id and claim.confirmed = 1
      and claim.source_group_id is not null)`;
}

function readCursor(cursor: string | null): { time: number; id: string } | null {
  if (cursor === null) return null;
  const match = /^(\d{1,16})\.([0-9a-f]{8,64})$/.exec(cursor);
  if (!match) {
    throw new AppError("invalid", "cursor must be the next_cursor of the page before.", "cursor");
  }
  return { time: Number(match[1]), id: match[2]! };
}
