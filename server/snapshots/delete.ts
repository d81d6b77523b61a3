import { z } from "zod";
import { recordAudit } from "../audit/record.ts";
import { AppError } from "../errors.ts";
import { findPin } from "../retention/pins.ts";
import { forgetNamed } from "../retention/start_named.ts";
import type { Actor, Server } from "../server.ts";
import { auditedSnapshot } from "./audited.ts";
import type { FoundSnapshot } from "./get.ts";

export const DeleteSnapshotInput = z.strictObject({
  confirm_id: z.string("must be the first 8 digits of the snapshot's id").max(
    64,
    "must be the first 8 digits of the snapshot's id",
  ),
});

/**
 * Starts a forget of this one alone, on a connected host that may hold the admin credential; the repository is listed again afterwards, as
 * after every forget. Returns the job's id. Throws name_mismatch, conflict while it is pinned or another forget is open, agent_offline.
 */
export async function deleteSnapshot(
  server: Server,
  actor: Actor,
  snapshot: FoundSnapshot,
  { confirm_id }: z.infer<typeof DeleteSnapshotInput>,
): Promise<string> {
  const { id, hostname, tags, repository_id } = snapshot;
  if (confirm_id !== id.slice(0, 8)) {
    throw new AppError(
      "name_mismatch",
      "confirm_id must be the first 8 digits of the snapshot's id, exactly.",
      "confirm_id",
    );
  }
  if (!snapshot.listed || id.length !== 64) {
    throw new AppError(
      "conflict",
      "No list in force holds this snapshot: there is nothing to delete.",
    );
  }
  const named = {
    hostname,
    tags,
    places: [{ host: hostname, tags, remove: [id] }],
    also_governed: true,
  };
  return await forgetNamed(server, actor, repository_id, named, async (tx, jobId) => {
    const pin = await findPin(tx, snapshot);
    if (pin) {
      throw new AppError(
        "conflict",
        `${pin.by} has pinned this snapshot (${pin.reason}): unpin it first.`,
      );
    }
    await recordAudit(
      tx,
      server.now(),
      actor,
      auditedSnapshot("snapshot.delete_ordered", snapshot, {
        job_id: jobId,
        files: snapshot.files,
        bytes: snapshot.bytes,
      }),
    );
  });
}
