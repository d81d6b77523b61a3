import type { ForgetOrder } from "../../shared/protocol.ts";
import { keepsEverything, type Retention } from "../../shared/retention.ts";
import type { Server } from "../server.ts";

/** Which hosts' groups are to be thinned out how. A group without a policy keeps everything and is not asked for. */
export async function forgetOrders(
  { db }: Server,
  repositoryId: string,
  preview?: { source_group_id: string; retention: Retention },
): Promise<ForgetOrder[]> {
  const rows = await db.selectFrom("source_groups").innerJoin(
    "hosts",
    "hosts.id",
    "source_groups.host_id",
  )
    .select(["source_groups.id", "source_groups.name", "retention", "snapshot_host"])
    .where("repository_id", "=", repositoryId).orderBy("snapshot_host").orderBy(
      "source_groups.name",
    ).execute();
  return rows.filter((row) => !preview || row.id === preview.source_group_id)
    .map((row) => ({
      tag: row.name,
      host: row.snapshot_host,
      retention: preview ? preview.retention : JSON.parse(row.retention) as Retention,
    })).filter((order) => !keepsEverything(order.retention));
}
