// Pinning a snapshot, and unpinning it: a word of a person that every forget of ours heeds. restic is not told.
import { z } from "zod";
import { sql } from "kysely";
import { line } from "../../shared/fields.ts";
import type { SnapshotPin } from "../../shared/shapes/snapshot.ts";
import { change } from "../change.ts";
import { AppError } from "../errors.ts";
import { findPin, forgetUnderWay, samePlaces } from "../retention/pins.ts";
import type { Actor, Server } from "../server.ts";
import type { FoundSnapshot } from "./get.ts";
import { auditedSnapshot } from "./audited.ts";
import { refuseUnseen } from "./tree_rights.ts";

export const PinInput = z.strictObject({ reason: line(500) });

/**
 * No forget of ours removes it from now on. Pinned again it has the new reason. Throws forbidden for whose host the person may not look into,
 * conflict when a forget that was ordered before it removes it just now.
 */
export async function pinSnapshot(
  server: Server,
  actor: Actor,
  snapshot: FoundSnapshot,
  { reason }: z.infer<typeof PinInput>,
): Promise<SnapshotPin> {
  refuseUnseen(actor, snapshot);
  if (snapshot.id.length !== 64) {
    throw new AppError(
      "conflict",
      "Its agent reports no whole id: what is not known exactly cannot be pinned.",
    );
  }
  const { source, repository_name: _, listed: __, id, ...facts } = snapshot;
  return await change(server, actor, async ({ tx, now, audit }) => {
    const jobId = await forgetUnderWay(tx, snapshot);
    if (jobId) throw new AppError("conflict", TOO_LATE(jobId));
    const before = await findPin(tx, snapshot);
    const pin = { pinned_by: actor.name, pinned_at: now, reason };
    await tx.insertInto("snapshot_pins").values({
      ...facts,
      ...pin,
      snapshot_id: id,
      host_id: source?.id ?? null,
      tags: JSON.stringify(facts.tags),
      paths: JSON.stringify(facts.paths),
    }).onConflict((conflict) => conflict.columns(["snapshot_id", "repository_id"]).doUpdateSet(pin))
      .execute();
    await audit({
      ...auditedSnapshot("snapshot.pinned", snapshot, {
        reason,
        ...(before ? { reason_before: before.reason, pinned_before_by: before.by } : {}),
      }),
    });
    return { by: actor.name, at: now, reason };
  });
}

const TOO_LATE = (jobId: string) =>
  `The forget ${jobId} was ordered to remove it before it could be pinned, and has not ended. Cancel that job or wait for its end, then see whether the snapshot is still there.`;

/** Retention counts it like any other from now on. Throws forbidden, not_found when nobody has pinned it. */
export async function unpinSnapshot(
  server: Server,
  actor: Actor,
  snapshot: FoundSnapshot,
): Promise<void> {
  refuseUnseen(actor, snapshot);
  await change(server, actor, async ({ tx, audit }) => {
    const pin = await findPin(tx, snapshot);
    if (!pin) throw new AppError("not_found", "This snapshot is not pinned.");
    await tx.deleteFrom("snapshot_pins").where("snapshot_id", "=", snapshot.id)
      .where(sql<boolean>`repository_id in ${samePlaces(snapshot.repository_id)}`).execute();
    const was = {
      reason: pin.reason,
      pinned_by: pin.by,
      pinned_at: new Date(pin.at).toISOString(),
    };
    await audit(auditedSnapshot("snapshot.unpinned", snapshot, was));
  });
}
