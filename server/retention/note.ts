// What became of a forget.
import { sql, type Transaction } from "kysely";
import type { JobFinished } from "../../shared/protocol.ts";
import type { Tables } from "../database/tables.ts";
import type { JobRow } from "../jobs/find.ts";
import { isDryRun } from "../jobs/request.ts";
import type { Server } from "../server.ts";
import { AppError } from "../errors.ts";
import { removedBy, withoutPinned } from "./pins.ts";
import type { ForgetOrder } from "../../shared/job_kinds/forget.ts";

/**
 * Before the order is sent, the one place through which every id goes that a forget removes: what is pinned by now is taken out, and the rest is
 * noted in the same transaction, so that a pin either keeps the snapshot or is refused. What it removes is our own doing and no loss.
 * Throws conflict when all that a person named is pinned.
 */
export async function noteOrdered(
  { db }: Server,
  job: JobRow,
  orders: ForgetOrder[],
): Promise<ForgetOrder[]> {
  return await db.transaction().execute(async (tx) => {
    const left = await withoutPinned(tx, job.repository_id, orders);
    const ids = removedBy(left);
    if (ids.length === 0 && orders.every(({ retention }) => !retention) && removedBy(orders)[0]) {
      throw new AppError("conflict", "All that it was to remove is pinned.");
    }
    if (isDryRun(job)) return left;
    await noteRemovals(tx, job, removedBy(left.filter(({ held }) => held === undefined)));
    await sql`update snapshot_claims set forget_job_id = ${job.id}
      where repository_id = ${job.repository_id}
        and snapshot_id in (select value from json_each(${JSON.stringify(ids)}))`.execute(tx);
    return left;
  });
}

/** In place of what it was ordered before, if it is sent again, and of what is over. */
async function noteRemovals(tx: Transaction<Tables>, job: JobRow, ids: string[]): Promise<void> {
  await sql`delete from forget_removals where job_id = ${job.id} or job_id in (
    select id from jobs where status not in ('queued', 'running'))`.execute(tx);
  await sql`insert or ignore into forget_removals (job_id, snapshot_id, repository_id)
    select ${job.id}, value, ${job.repository_id} from json_each(${JSON.stringify(ids)})`
    .execute(tx);
}

/**
 * After a forget: what was removed leaves the lists at once. What the groups whose order was carried out still have is what
 * it kept, and what the next one is measured by.
 */
export async function noteForgotten(
  tx: Transaction<Tables>,
  now: number,
  job: JobRow,
  ended: Pick<JobFinished, "forgotten">,
): Promise<void> {
  if (isDryRun(job)) return;
  await dropRemoved(tx, job);
  for (const { source_group_id, done } of ended.forgotten ?? []) {
    if (!done || !source_group_id) continue;
    const { numUpdatedRows } = await tx.updateTable("source_groups").set({ forgotten_at: now })
      .where("id", "=", source_group_id)
      .where(
        "host_id",
        "in",
        (expression) =>
          expression.selectFrom("hosts").select("id").where(
            "repository_id",
            "=",
            job.repository_id,
          ),
      )
      .executeTakeFirst();
    if (!numUpdatedRows) continue;
    // One that was saved since the order was sent was not carried out.
    await tx.updateTable("source_groups")
      .set(({ ref }) => ({ forgotten_retention: ref("retention") }))
      .where("id", "=", source_group_id)
      .where("updated_at", "<=", job.dispatched_at ?? now).execute();
    await tx.updateTable("snapshot_claims").set({ kept: 1 })
      .where("source_group_id", "=", source_group_id)
      .where("repository_id", "=", job.repository_id).where("listed", "=", 1)
      .where("confirmed", "=", 1).where("withheld", "=", 0)
      // What was made after the order was sent was not looked at yet.
      .where("time", "<=", job.dispatched_at ?? now).execute();
  }
}

async function dropRemoved(tx: Transaction<Tables>, job: JobRow): Promise<void> {
  const claimed = await tx.deleteFrom("snapshot_claims").where("forget_job_id", "=", job.id)
    .where("listed", "=", 0).returning(["host_id", "snapshot_id"]).execute();
  const removed = [...claimed, ...await goneFromLists(tx, job)];
  for (const hostId of new Set(removed.map(({ host_id }) => host_id))) {
    const ids = removed.filter(({ host_id }) => host_id === hostId).map((row) => row.snapshot_id);
    await sql`delete from snapshots where host_id = ${hostId}
      and id in (select value from json_each(${JSON.stringify(ids)}))`.execute(tx);
    await sql`update hosts set snapshots_count =
      (select count(*) from snapshots where host_id = ${hostId}) where id = ${hostId}`.execute(tx);
  }
}

/** What it was ordered to remove, in whoever's list: that no job claims does not make it stay there. By the whole list of this job alone. */
async function goneFromLists(
  tx: Transaction<Tables>,
  job: JobRow,
): Promise<{ host_id: string; snapshot_id: string }[]> {
  const { rows } = await sql<{ host_id: string; snapshot_id: string }>`
    select snapshots.host_id, snapshots.id as snapshot_id from forget_removals as removal
      join snapshots on snapshots.id = removal.snapshot_id
      join hosts on hosts.id = snapshots.host_id and hosts.repository_id = removal.repository_id
      join repositories on repositories.id = removal.repository_id
    where removal.job_id = ${job.id} and repositories.listing_at >= ${
    job.dispatched_at ?? Number.MAX_SAFE_INTEGER
  }
      and not exists (select 1 from repository_snapshots as whole
        where whole.repository_id = repositories.id
          and whole.report_id = repositories.listing_report_id and whole.id = removal.snapshot_id)`
    .execute(tx);
  return rows;
}
