import type { SnapshotsReport } from "../../shared/protocol.ts";
import type { Transaction } from "kysely";
import type { Tables } from "../database/tables.ts";
import { held, windowFrom } from "../hosts/contact.ts";
import { noteKnown, noteListed } from "../retention/claims.ts";
import type { Server } from "../server.ts";

/** More than an agent sends without an acknowledgement. */
const LISTS_REMEMBERED = 2000;

/** Keeps a part of a host's list; with the last part the list takes effect as a whole and the one before goes. */
export async function storeSnapshots(
  server: Server,
  hostId: string,
  message: SnapshotsReport,
  told: { at: number; skew: number },
): Promise<void> {
  const takenAt = held(told.at, told.skew, await windowFrom(server, hostId), server.now());
  const done = await server.db.transaction().execute(async (tx) => {
    const host = await tx.selectFrom("hosts").select("repository_id")
      .where("id", "=", hostId).executeTakeFirstOrThrow();
    // The host has another repository now, or the list is repeated after a newer one.
    if (host.repository_id !== message.repository_id) return false;
    if (await isTaken(tx, hostId, message.report_id)) return false;
    await noteKnown(tx, {
      repositoryId: message.repository_id,
      hostId,
      at: server.now(),
      ids: message.snapshots.map(({ id }) => id),
    });
    await insertPart(tx, hostId, message);
    if (message.part < message.parts) return false;
    await noteLosses(tx, server.now(), hostId, message);
    await tx.deleteFrom("snapshots").where("host_id", "=", hostId)
      .where("report_id", "!=", message.report_id).execute();
    await tx.updateTable("hosts").set({
      snapshots_report_id: message.report_id,
      snapshots_refreshed_at: takenAt,
      snapshots_count: await countOf(tx, hostId),
    }).where("id", "=", hostId).execute();
    await noteTaken(tx, hostId, message.report_id);
    await noteListed(tx, hostId, message.repository_id);
    return true;
  });
  if (done) server.events.publish({ type: "host", hostId });
}

/** Lists come in the order in which they were taken; the agent's clock says nothing about it. */
async function isTaken(
  tx: Transaction<Tables>,
  hostId: string,
  reportId: string,
): Promise<boolean> {
  return await tx.selectFrom("taken_lists").select("number").where("host_id", "=", hostId)
    .where("report_id", "=", reportId).executeTakeFirst() !== undefined;
}

async function noteTaken(tx: Transaction<Tables>, hostId: string, reportId: string) {
  await tx.insertInto("taken_lists").values({ host_id: hostId, report_id: reportId }).execute();
  await tx.deleteFrom("taken_lists").where("host_id", "=", hostId)
    .where(
      "number",
      "<=",
      (expression) =>
        expression.selectFrom("taken_lists").select("number").where("host_id", "=", hostId)
          .orderBy("number", "desc").limit(1).offset(LISTS_REMEMBERED),
    ).execute();
}

async function insertPart(
  tx: Transaction<Tables>,
  hostId: string,
  { snapshots, report_id }: SnapshotsReport,
): Promise<void> {
  if (snapshots.length === 0) return;
  await tx.insertInto("snapshots").values(snapshots.map((snapshot) => ({
    ...snapshot,
    host_id: hostId,
    report_id,
    tags: JSON.stringify(snapshot.tags),
    paths: JSON.stringify(snapshot.paths),
  }))).onConflict((conflict) => conflict.doNothing()).execute();
}

export async function countOf(tx: Transaction<Tables>, hostId: string): Promise<number> {
  const { count } = await tx.selectFrom("snapshots")
    .select((expression) => expression.fn.countAll<number>().as("count"))
    .where("host_id", "=", hostId).executeTakeFirstOrThrow();
  return count;
}

/**
 * Snapshots that were in the list before and are gone, although no forget of ours ran since: somebody else's restic
 * removed them.
 */
async function noteLosses(
  tx: Transaction<Tables>,
  now: number,
  hostId: string,
  message: SnapshotsReport,
): Promise<void> {
  const host = await tx.selectFrom("hosts")
    .select(["snapshots_report_id", "snapshots_refreshed_at", "repository_id"])
    .where("id", "=", hostId).executeTakeFirstOrThrow();
  const { snapshots_report_id: before, snapshots_refreshed_at: since } = host;
  if (before === null || since === null || before === message.report_id) return;
  const ours = await tx.selectFrom("jobs").select("id")
    .where("repository_id", "=", host.repository_id).where("kind", "=", "forget")
    .where("started_at", "is not", null).where((where) =>
      where.or([where("finished_at", "is", null), where("finished_at", ">=", since)])
    ).executeTakeFirst();
  if (ours) return;
  const gone = await tx.selectFrom("snapshots as old")
    .select((expression) => [
      expression.fn.countAll<number>().as("count"),
      expression.fn.max("old.time").as("newest_time"),
    ])
    .where("old.host_id", "=", hostId).where("old.report_id", "=", before)
    .where(({ not, exists, selectFrom }) =>
      not(exists(
        selectFrom("snapshots as new").select("new.id").where("new.host_id", "=", hostId)
          .where("new.report_id", "=", message.report_id).whereRef("new.id", "=", "old.id"),
      ))
    ).executeTakeFirstOrThrow();
  if (gone.count === 0) return;
  await tx.insertInto("snapshot_losses").values({
    host_id: hostId,
    noticed_at: now,
    count: gone.count,
    newest_time: gone.newest_time ?? 0,
  }).onConflict((conflict) => conflict.doNothing()).execute();
}
