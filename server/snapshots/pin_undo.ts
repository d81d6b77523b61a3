// What was there before a restore in place is kept until a person unpins it.
import type { Transaction } from "kysely";
import type { Tables } from "../database/tables.ts";
import { recordAudit } from "../audit/record.ts";
import { type Server, SYSTEM } from "../server.ts";

export interface UndoSnapshot {
  id: string;
  repositoryId: string;
  job: { id: string; host_id: string; actor_name: string };
  hostName: string;
  paths: string[];
}

/** The agent says which it is; one that lies can only keep more. */
export async function pinUndo(
  { now }: Pick<Server, "now">,
  tx: Transaction<Tables>,
  { id, repositoryId, job, hostName, paths }: UndoSnapshot,
): Promise<void> {
  const reason = `What was there before the restore ${job.id}`;
  const { numInsertedOrUpdatedRows } = await tx.insertInto("snapshot_pins").values({
    repository_id: repositoryId,
    snapshot_id: id,
    pinned_by: job.actor_name,
    pinned_at: now(),
    reason,
    host_id: job.host_id,
    time: now(),
    hostname: hostName,
    username: null,
    tags: JSON.stringify(["before-restore"]),
    paths: JSON.stringify(paths),
    files: null,
    bytes: null,
    bytes_added: null,
  }).onConflict((conflict) => conflict.doNothing()).executeTakeFirst();
  if (!numInsertedOrUpdatedRows) return;
  await recordAudit(tx, now(), SYSTEM, {
    action: "snapshot.pinned",
    target: { kind: "repository", id: repositoryId, name: null },
    detail: { snapshot: id, reason },
  });
}
