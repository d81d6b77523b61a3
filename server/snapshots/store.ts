import type { SnapshotsReport } from "../../shared/protocol.ts";
import type { Server } from "../server.ts";

/** Keeps a part of a host's list; with the last part the list takes effect as a whole and the one before goes. */
export async function storeSnapshots(
  server: Server,
  hostId: string,
  message: SnapshotsReport,
): Promise<void> {
  const done = await server.db.transaction().execute(async (tx) => {
    const host = await tx.selectFrom("hosts").select(["repository_id", "snapshots_refreshed_at"])
      .where("id", "=", hostId).executeTakeFirstOrThrow();
    // The host has another repository now, or this list is older than the one in force.
    if (host.repository_id !== message.repository_id) return false;
    if ((host.snapshots_refreshed_at ?? 0) > message.taken_at) return false;
    if (message.snapshots.length > 0) {
      await tx.insertInto("snapshots").values(message.snapshots.map((snapshot) => ({
        ...snapshot,
        host_id: hostId,
        report_id: message.report_id,
        tags: JSON.stringify(snapshot.tags),
        paths: JSON.stringify(snapshot.paths),
      }))).onConflict((conflict) => conflict.doNothing()).execute();
    }
    if (message.part < message.parts) return false;
    await tx.deleteFrom("snapshots").where("host_id", "=", hostId)
      .where("report_id", "!=", message.report_id).execute();
    const { count } = await tx.selectFrom("snapshots")
      .select((expression) => expression.fn.countAll<number>().as("count"))
      .where("host_id", "=", hostId).executeTakeFirstOrThrow();
    await tx.updateTable("hosts").set({
      snapshots_report_id: message.report_id,
      snapshots_refreshed_at: message.taken_at,
      snapshots_count: count,
    }).where("id", "=", hostId).execute();
    return true;
  });
  if (done) server.events.publish({ type: "host", hostId });
}
