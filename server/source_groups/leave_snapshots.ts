// What becomes of the snapshots of a source group that is removed.
import { z } from "zod";
import { sql, type Transaction } from "kysely";
import { id } from "../../shared/fields.ts";
import type { Tables } from "../database/tables.ts";
import { AppError } from "../errors.ts";
import type { Actor } from "../server.ts";

/** Left for later, kept for good, or taken over by another group of the same repository. */
export const SnapshotsChoice = z.strictObject({
  snapshots: z.enum(["ask", "keep", "adopt"], {
    error: "must be ask (decide later), keep (for good) or adopt (by another group)",
  }).default("ask"),
  adopt_by: id.optional(),
});
export type SnapshotsChoice = z.infer<typeof SnapshotsChoice>;

/** In the transaction that removes the group, before it is gone. */
export async function leaveSnapshots(
  tx: Transaction<Tables>,
  now: number,
  actor: Actor,
  { hostId, groupId, choice }: { hostId: string; groupId: string; choice: SnapshotsChoice },
): Promise<void> {
  if (choice.snapshots === "adopt") return await handOver(tx, { hostId, groupId, choice });
  if (choice.snapshots === "keep") {
    await sql`insert or ignore into ungoverned_kept (repository_id, hostname, tags, kept_by, kept_at)
      select distinct repository_id, hostname, tags, ${actor.name}, ${now} from snapshot_claims
      where source_group_id = ${groupId} and confirmed = 1`.execute(tx);
  }
  await tx.updateTable("snapshot_claims").set({ source_group_id: null })
    .where("source_group_id", "=", groupId).execute();
}

/** They keep their jobs and times. */
async function handOver(
  tx: Transaction<Tables>,
  { hostId, groupId, choice }: { hostId: string; groupId: string; choice: SnapshotsChoice },
): Promise<void> {
  const heir = await tx.selectFrom("source_groups").select("source_groups.id")
    .innerJoin("hosts", "hosts.id", "source_groups.host_id")
    .where("source_groups.id", "=", choice.adopt_by ?? "").where("source_groups.id", "!=", groupId)
    .where(
      "repository_id",
      "=",
      (expression) =>
        expression.selectFrom("hosts").select("repository_id").where("id", "=", hostId),
    )
    .executeTakeFirst();
  if (!heir) {
    throw new AppError(
      "invalid",
      "adopt_by must be another source group of a host that uses the same repository.",
      "adopt_by",
    );
  }
  // What a policy kept until now is asked for before most of it goes.
  await tx.updateTable("snapshot_claims").set({ source_group_id: heir.id, kept: 1 })
    .where("source_group_id", "=", groupId).execute();
}
