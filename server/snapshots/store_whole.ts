// The list of all snapshots in a repository, of whatever host: handed in by a maintenance job, for the snapshots that no
// group governs and for the truth about what is there. It never changes the list of another host.
import type { SnapshotsReport } from "../../shared/protocol.ts";
import type { Transaction } from "kysely";
import type { Tables } from "../database/tables.ts";
import { AppError } from "../errors.ts";
import { auditCut } from "../quotas/day.ts";
import { noteWholeListed } from "../retention/claims.ts";
import type { Server } from "../server.ts";
import { dropUnfinished, noteNew, type OpenList, textsOf } from "./limits.ts";
import { KINDS } from "../../shared/job_kinds/all.ts";

/** Throws forbidden unless a maintenance job of this host in that repository is running. */
export async function storeWholeList(
  server: Server,
  hostId: string,
  message: SnapshotsReport,
): Promise<void> {
  const { repository_id, report_id } = message;
  let list: OpenList | undefined;
  const isInForce = await server.db.transaction().execute(async (tx) => {
    if (!await isOwnMaintenance(tx, hostId, message)) return false;
    const most = await mostOf(server, tx, repository_id);
    const ids = message.snapshots.map(({ id }) => id);
    const before = await tx.selectFrom("repositories").select("listing_report_id")
      .where("id", "=", repository_id).executeTakeFirstOrThrow();
    const keep = [report_id, before.listing_report_id ?? report_id];
    await dropUnfinished(tx, { table: "repository_snapshots", ownerId: repository_id, keep });
    list = server.openLists.get(repository_id, report_id) ??
      { reportId: report_id, count: await countOf(tx, message), cut: 0 };
    // A part that is left out makes the whole list useless, also when there is room again for the next.
    list.count += server.disk.isShort ? Infinity : ids.length;
    // One that is not whole says nothing of what is gone: the one before stays in force.
    if (list.count > most) {
      await auditTooLong(server, tx, hostId, most);
      return false;
    }
    await noteNew(server, tx, { repositoryId: repository_id, hostId, ids, most });
    await insertPart(tx, message);
    if (message.part < message.parts) return false;
    await tx.deleteFrom("repository_snapshots").where("repository_id", "=", repository_id)
      .where("report_id", "!=", report_id).execute();
    await tx.updateTable("repositories")
      .set({ listing_report_id: report_id, listing_at: server.now() })
      .where("id", "=", repository_id).execute();
    await noteWholeListed(tx, repository_id, report_id);
    return true;
  });
  if (list) server.openLists.set(repository_id, list);
  if (isInForce) server.events.publish({ type: "host", hostId });
}

/** As many as its hosts may list, and as many again of machines that are not ours. */
async function mostOf(
  { settings: { quotas } }: Server,
  tx: Transaction<Tables>,
  repositoryId: string,
): Promise<number> {
  const { hosts } = await tx.selectFrom("hosts")
    .select((expression) => expression.fn.countAll<number>().as("hosts"))
    .where("repository_id", "=", repositoryId).executeTakeFirstOrThrow();
  return quotas.snapshots * (hosts + 1);
}

async function countOf(
  tx: Transaction<Tables>,
  { repository_id, report_id }: SnapshotsReport,
): Promise<number> {
  const { count } = await tx.selectFrom("repository_snapshots")
    .select((expression) => expression.fn.countAll<number>().as("count"))
    .where("repository_id", "=", repository_id).where("report_id", "=", report_id)
    .executeTakeFirstOrThrow();
  return count;
}

async function auditTooLong(
  server: Server,
  tx: Transaction<Tables>,
  hostId: string,
  most: number,
): Promise<void> {
  await auditCut(server, tx, {
    hostId,
    kind: "snapshots_of_repository",
    what: server.disk.isShort
      ? "The server's disk was nearly full: a list of all snapshots of the repository was left out."
      : `A list of all snapshots of the repository had more than ${most}: it was left out.`,
  });
}

/** One that has ended meanwhile (its report was repeated after a reconnect) changes nothing any more. */
async function isOwnMaintenance(
  tx: Transaction<Tables>,
  hostId: string,
  { job_id, repository_id }: SnapshotsReport,
): Promise<boolean> {
  const job = await tx.selectFrom("jobs").select(["kind", "status"])
    .where("id", "=", job_id ?? "").where("host_id", "=", hostId)
    .where("repository_id", "=", repository_id).executeTakeFirst();
  if (!job || !KINDS[job.kind].listsWhole) {
    throw new AppError("forbidden", "Only a maintenance job may list a whole repository.");
  }
  return job.status === "running";
}

async function insertPart(
  tx: Transaction<Tables>,
  { snapshots, repository_id, report_id }: SnapshotsReport,
): Promise<void> {
  if (snapshots.length === 0) return;
  await tx.insertInto("repository_snapshots").values(
    snapshots.map(({ id, time, tags, paths, hostname, files, bytes }) => ({
      repository_id,
      report_id,
      id,
      time,
      ...textsOf({ tags, paths: paths.slice(0, 20) }),
      hostname,
      files,
      bytes,
    })),
  ).onConflict((conflict) => conflict.doNothing()).execute();
}
