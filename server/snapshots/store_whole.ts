// The list of all snapshots in a repository, of whatever host: handed in by a maintenance job, for the snapshots that no
// group governs and for the truth about what is there. It never changes the list of another host.
import { isMaintenance } from "../../shared/job.ts";
import type { SnapshotsReport } from "../../shared/protocol.ts";
import type { Transaction } from "kysely";
import type { Tables } from "../database/tables.ts";
import { AppError } from "../errors.ts";
import { noteKnown, noteWholeListed } from "../retention/claims.ts";
import type { Server } from "../server.ts";

/** Throws forbidden unless a maintenance job of this host in that repository is running. */
export async function storeWholeList(
  server: Server,
  hostId: string,
  message: SnapshotsReport,
): Promise<void> {
  const { repository_id, report_id } = message;
  const isInForce = await server.db.transaction().execute(async (tx) => {
    if (!await isOwnMaintenance(tx, hostId, message)) return false;
    const ids = message.snapshots.map(({ id }) => id);
    await noteKnown(tx, { repositoryId: repository_id, hostId, at: server.now(), ids });
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
  if (isInForce) server.events.publish({ type: "host", hostId });
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
  if (!job || !(isMaintenance(job.kind) || job.kind === "stats")) {
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
      tags: JSON.stringify(tags),
      paths: JSON.stringify(paths.slice(0, 20)),
      hostname,
      files,
      bytes,
    })),
  ).onConflict((conflict) => conflict.doNothing()).execute();
}
