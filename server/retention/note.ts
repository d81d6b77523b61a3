// What became of a forget.
import { sql, type Transaction } from "kysely";
import type { JobFinished } from "../../shared/protocol.ts";
import type { Tables } from "../database/tables.ts";
import type { JobRow } from "../jobs/find.ts";
import { isDryRun } from "../jobs/request.ts";
import type { Server } from "../server.ts";
import type { ForgetOrder } from "../../shared/job_kinds/forget.ts";

/** Before the order is sent: what it removes is our own doing and no loss. */
export async function noteOrdered(
  { db }: Server,
  job: JobRow,
  orders: ForgetOrder[],
): Promise<void> {
  const ids = orders.flatMap((order) => order.snapshots.flatMap(({ remove }) => remove));
  await sql`update snapshot_claims set forget_job_id = ${job.id}
    where repository_id = ${job.repository_id}
      and snapshot_id in (select value from json_each(${JSON.stringify(ids)}))`.execute(db);
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
  const removed = await tx.deleteFrom("snapshot_claims").where("forget_job_id", "=", job.id)
    .where("listed", "=", 0).returning(["host_id", "snapshot_id"]).execute();
  for (const hostId of new Set(removed.map(({ host_id }) => host_id))) {
    const ids = removed.filter(({ host_id }) => host_id === hostId).map((row) => row.snapshot_id);
    await sql`delete from snapshots where host_id = ${hostId}
      and id in (select value from json_each(${JSON.stringify(ids)}))`.execute(tx);
    await sql`update hosts set snapshots_count =
      (select count(*) from snapshots where host_id = ${hostId}) where id = ${hostId}`.execute(tx);
  }
}
