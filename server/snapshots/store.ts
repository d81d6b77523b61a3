import type { SnapshotsReport } from "../../shared/protocol.ts";
import type { Transaction } from "kysely";
import type { Tables } from "../database/tables.ts";
import { held, windowFrom } from "../hosts/contact.ts";
import { auditCut } from "../quotas/day.ts";
import { noteListed } from "../retention/claims.ts";
import type { Server } from "../server.ts";
import { dropUnfinished, noteNew, type OpenList, textsOf } from "./limits.ts";

/** More than an agent sends without an acknowledgement. */
const LISTS_REMEMBERED = 2000;
const LOSSES_REMEMBERED = 100;

/** Keeps a part of a host's list; with the last part the list takes effect as a whole and the one before goes. */
export async function storeSnapshots(
  server: Server,
  hostId: string,
  message: SnapshotsReport,
  reported: { at: number; skew: number },
): Promise<void> {
  if (server.disk.isShort) return await leaveOut(server, hostId, message);
  const takenAt = held(reported.at, reported.skew, await windowFrom(server, hostId), server.now());
  let list: OpenList | undefined;
  const done = await server.db.transaction().execute(async (tx) => {
    const host = await tx.selectFrom("hosts").select(["repository_id", "snapshots_report_id"])
      .where("id", "=", hostId).executeTakeFirstOrThrow();
    // The host has another repository now, or the list is repeated after a newer one.
    if (host.repository_id !== message.repository_id) return false;
    if (await isTaken(tx, hostId, message.report_id)) return false;
    await noteNew(server, tx, {
      repositoryId: message.repository_id,
      hostId,
      ids: message.snapshots.map(({ id }) => id),
      most: server.settings.quotas.snapshots,
    });
    await dropUnfinished(tx, {
      table: "snapshots",
      ownerId: hostId,
      keep: [message.report_id, host.snapshots_report_id ?? message.report_id],
    });
    list = await insertPart(server, tx, hostId, message);
    if (message.part < message.parts) return false;
    if (list.cut > 0) await auditCutList(server, tx, hostId);
    // What a list that was cut does not show may be there still.
    else await noteLosses(tx, server.now(), hostId, message);
    await tx.deleteFrom("snapshots").where("host_id", "=", hostId)
      .where("report_id", "!=", message.report_id).execute();
    await tx.updateTable("hosts").set({
      snapshots_report_id: message.report_id,
      snapshots_refreshed_at: takenAt,
      snapshots_count: await countOf(tx, hostId),
      snapshots_cut: list.cut,
    }).where("id", "=", hostId).execute();
    await noteTaken(tx, hostId, message.report_id);
    await noteListed(tx, { hostId, repositoryId: message.repository_id, isWhole: list.cut === 0 });
    return true;
  });
  if (list) server.openLists.set(hostId, list);
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
  server: Server,
  tx: Transaction<Tables>,
  hostId: string,
  { snapshots, report_id }: SnapshotsReport,
): Promise<OpenList> {
  const list = server.openLists.get(hostId, report_id) ??
    { reportId: report_id, count: await countOf(tx, hostId, report_id), cut: 0 };
  if (snapshots.length === 0) return list;
  const { numInsertedOrUpdatedRows = 0n } = await tx.insertInto("snapshots").values(
    snapshots.map((snapshot) => ({
      ...snapshot,
      host_id: hostId,
      report_id,
      ...textsOf(snapshot),
    })),
  ).onConflict((conflict) => conflict.doNothing()).executeTakeFirst();
  list.count += Number(numInsertedOrUpdatedRows);
  return await dropOldest(tx, hostId, list, server.settings.quotas.snapshots);
}

/** Of more than are kept the newest stay. */
async function dropOldest(
  tx: Transaction<Tables>,
  hostId: string,
  list: OpenList,
  most: number,
): Promise<OpenList> {
  const tooMany = list.count - most;
  if (tooMany <= 0) return list;
  await tx.deleteFrom("snapshots").where("host_id", "=", hostId)
    .where("report_id", "=", list.reportId)
    .where(
      "id",
      "in",
      (expression) =>
        expression.selectFrom("snapshots").select("id").where("host_id", "=", hostId)
          .where("report_id", "=", list.reportId).orderBy("time").orderBy("id").limit(tooMany),
    )
    .execute();
  return { ...list, count: most, cut: list.cut + tooMany };
}

async function auditCutList(server: Server, tx: Transaction<Tables>, hostId: string) {
  const { snapshots } = server.settings.quotas;
  await auditCut(server, tx, {
    hostId,
    kind: "snapshots_per_host",
    what:
      `This host lists more than ${snapshots} snapshots (RM_SNAPSHOTS_PER_HOST): the newest are kept of the list.`,
  });
}

/** The next list says the same. */
async function leaveOut(
  server: Server,
  hostId: string,
  { report_id, snapshots }: SnapshotsReport,
): Promise<void> {
  const list = server.openLists.get(hostId, report_id) ??
    { reportId: report_id, count: 0, cut: 0 };
  // Were there room again for its last part, the list would not be whole.
  server.openLists.set(hostId, { ...list, cut: list.cut + Math.max(1, snapshots.length) });
  await server.db.transaction().execute((tx) =>
    auditCut(server, tx, {
      hostId,
      kind: "snapshots_disk",
      what: "The server's disk was nearly full: a list of this host's snapshots was left out.",
    })
  );
}

export async function countOf(
  tx: Transaction<Tables>,
  hostId: string,
  reportId?: string,
): Promise<number> {
  let query = tx.selectFrom("snapshots")
    .select((expression) => expression.fn.countAll<number>().as("count"))
    .where("host_id", "=", hostId);
  if (reportId !== undefined) query = query.where("report_id", "=", reportId);
  return (await query.executeTakeFirstOrThrow()).count;
}

/**
 * Snapshots that were in the list before and are gone, although no forget of ours ran since: someone else's restic
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
  await tx.deleteFrom("snapshot_losses").where("host_id", "=", hostId)
    .where(
      "noticed_at",
      "<=",
      (expression) =>
        expression.selectFrom("snapshot_losses").select("noticed_at").where("host_id", "=", hostId)
          .orderBy("noticed_at", "desc").limit(1).offset(LOSSES_REMEMBERED),
    )
    .execute();
}
