import { limitsOf } from "../../shared/bandwidth.ts";
import type { JobFinished } from "../../shared/protocol.ts";
import { readSnapshotPath, writeSnapshotPath } from "../../shared/snapshot_path.ts";
import { AppError } from "../errors.ts";
import type { JobRow } from "../jobs/find.ts";
import { LONGEST_WAIT_OF_A_PERSON, type ServerKind } from "../jobs/kind.ts";
import { requestOf } from "../jobs/request.ts";
import type { JobInput } from "../jobs/start.ts";
import { getRepositoryRow } from "../repositories/find.ts";
import { accessFor } from "../repositories/seal.ts";
import { RestoreRequest } from "../restores/request.ts";
import { checkRights, checkTarget } from "../restores/rights.ts";
import { getTargetHost, itemsOfJob, startRestore } from "../restores/start.ts";
import type { Server } from "../server.ts";
import { getSnapshot } from "../snapshots/get.ts";
import { pinUndo } from "../snapshots/pin_undo.ts";
import { atMost } from "../snapshots/limits.ts";

export const restore: ServerKind<"restore"> = {
  async start(server, actor, hostId, input) {
    const { snapshot_id, repository_id, target, ...asked } = input;
    if (snapshot_id === undefined) throw missing("snapshot_id", "the snapshot to restore of");
    if (target === undefined) {
      throw missing("target", 'where to: {"kind": "folder"} or {"kind": "original", …}');
    }
    const items = itemsOf(input);
    const snapshot = await getSnapshot(server, snapshot_id, repository_id).catch(atField);
    const limits = limitsOf(input);
    return [
      await startRestore(server, actor, hostId, {
        snapshot,
        asked: { ...asked, items, target },
        limits,
      }),
    ];
  },

  async order(server, job) {
    const asked = requestOf(job, RestoreRequest);
    const items = await itemsOfJob(server, job);
    const within = await stillAllowed(server, job, { asked, items });
    const { snapshot, target, overwrite, dry_run, verify, undo } = asked;
    const how = { snapshot, target, within, overwrite, dry_run, verify, undo };
    return { restore: { ...how, items }, ...await readerAccess(server, job) };
  },

  // That another host is in the way of a check is no reason to wait on the worst day.
  overtakes: true,
  longestWaitMs: LONGEST_WAIT_OF_A_PERSON,
  outcome,

  async finished(server, tx, job, { restored }) {
    const { undo, first_items } = requestOf(job, RestoreRequest);
    if (!undo || !restored?.undo_snapshot) return;
    const host = await tx.selectFrom("hosts").select("name").where("id", "=", job.host_id)
      .executeTakeFirst();
    await pinUndo(server, tx, {
      id: restored.undo_snapshot,
      repositoryId: job.repository_id,
      job,
      hostName: host?.name ?? "",
      paths: first_items,
    });
  },
};

/**
 * Asked again when it is sent: since it was queued the person may have become someone else, and a folder be approved no more. Returns the
 * folders that a target must lie in.
 */
async function stillAllowed(
  server: Server,
  job: JobRow,
  { asked, items }: { asked: RestoreRequest; items: string[] },
): Promise<string[] | null> {
  const user = await server.db.selectFrom("users").select(["id", "username", "role"])
    .where("id", "=", job.actor_id ?? "").where("disabled_at", "is", null).executeTakeFirst();
  if (!user || user.role === "viewer") {
    throw new Error("it was started by someone who may not restore any more.");
  }
  if (user.role === "admin") return asked.within && [...asked.within];
  if (asked.needs_admin) {
    throw new Error("it needs an admin, and was started by someone who is none.");
  }
  const actor = {
    kind: "user",
    id: user.id,
    name: user.username,
    address: null,
    role: user.role,
  } as const;
  const snapshot = await getSnapshot(server, asked.snapshot, job.repository_id);
  const host = await getTargetHost(server, job.host_id);
  checkRights(actor, { snapshot, host, asked: { items, target: { kind: "folder" } } });
  if (asked.target.kind === "folder") checkTarget(actor, asked.target.path, host);
  return host.approved_roots;
}

function itemsOf({ items }: JobInput): string[] {
  if (!items) throw missing("items", 'what to restore, such as [{"path": "/home/anna/letters"}]');
  return items.map((item) => {
    if ("path" in item) return item.path;
    try {
      return writeSnapshotPath(namesOf(Uint8Array.fromBase64(item.path_bytes)));
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new AppError("invalid", `items: path_bytes ${why}.`, "items");
    }
  });
}

/** Throws a RangeError. */
function namesOf(path: Uint8Array): Uint8Array[] {
  const hex = Array.from(
    path,
    (byte) => byte === 0x2f ? "/" : `%${byte.toString(16).padStart(2, "0")}`,
  ).join("");
  return readSnapshotPath(`bytes:${hex}`);
}

function missing(field: string, what: string): AppError {
  return new AppError("invalid", `${field} is missing: ${what}.`, field);
}

/** The route has a host's id in its path, and the field of the body another name. */
function atField(error: unknown): never {
  if (error instanceof AppError && error.field === "id") {
    const code = error.code === "not_found" ? "invalid" : error.code;
    throw new AppError(code, `snapshot_id: ${error.message}`, "snapshot_id");
  }
  if (error instanceof AppError && error.field === "repository") {
    throw new AppError(error.code, `repository_id: ${error.message}`, "repository_id");
  }
  throw error;
}

/** A host has the credential of its own repository; that of another one travels in this order, and only there. */
async function readerAccess(server: Server, job: JobRow) {
  const host = await server.db.selectFrom("hosts").select("repository_id")
    .where("id", "=", job.host_id).executeTakeFirst();
  if (host?.repository_id === job.repository_id) return {};
  const row = await getRepositoryRow(server, job.repository_id);
  return { reader_access: await accessFor(server, row) };
}

/** Of what an agent says of failed items, what is kept of one job. */
const FAILURES_BYTES = 32_768;

function outcome({ restored }: JobFinished) {
  return {
    result: restored
      ? JSON.stringify({ ...restored, failures: atMost(restored.failures, FAILURES_BYTES) })
      : null,
  };
}
