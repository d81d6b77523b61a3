import type { Retention } from "../../shared/retention.ts";
import { AppError } from "../errors.ts";
import type { Server } from "../server.ts";
import { decide } from "./decide.ts";
import { readPolicy } from "./orders.ts";
import { ownSnapshots } from "./own.ts";
import type { RetentionPreview } from "../../shared/shapes/source_group.ts";

/** What a policy would do to the snapshots of a group as they are listed now, also while the host is offline. */
export async function previewRetention(
  { db }: Pick<Server, "db">,
  groupId: string,
  retention: Retention,
): Promise<RetentionPreview> {
  const host = await db.selectFrom("source_groups").innerJoin("hosts", "hosts.id", "host_id")
    .select(["repository_id", "time_zone", "snapshots_refreshed_at"])
    .select(["forgotten_retention"])
    .where("source_groups.id", "=", groupId).executeTakeFirst();
  if (!host) throw new AppError("not_found", "There is no such source group.");
  const own = await ownSnapshots(db, groupId, host.repository_id);
  const last = readPolicy(host.forgotten_retention);
  const { keep, remove, held } = decide(own, { retention, timeZone: host.time_zone, last });
  const { withheld } = await db.selectFrom("snapshot_claims")
    .select((expression) => expression.fn.countAll<number>().as("withheld"))
    .where("source_group_id", "=", groupId).where("withheld", "=", 1).where("listed", "=", 1)
    .executeTakeFirstOrThrow();
  return {
    keep: keep.map(({ snapshot: { id, time }, reasons }) => ({ id, time, reasons })),
    remove: remove.map(({ id, time }) => ({ id, time, reasons: [] })),
    held,
    refreshed_at: host.snapshots_refreshed_at,
    withheld,
  };
}
