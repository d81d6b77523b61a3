// Starts a restore: of a snapshot that a list in force holds, to a host that is connected.
import { RESTORE_CHARACTERS_LIMIT } from "../../shared/job_kinds/restore.ts";
import { absolutePath, firstProblem } from "../../shared/fields.ts";
import { messageOf } from "../../shared/log.ts";
import type { OwnLimits } from "../../shared/bandwidth.ts";
import { readSnapshotPath, writeSnapshotPath } from "../../shared/snapshot_path.ts";
import { AppError } from "../errors.ts";
import { insertJob } from "../jobs/insert.ts";
import { startOnHost } from "../jobs/start.ts";
import type { Actor, Server } from "../server.ts";
import type { FoundSnapshot } from "../snapshots/get.ts";
import { FIRST_ITEMS, type RestoreRequest, type RestoreWish } from "./request.ts";
import { checkRights, checkTarget, proposedTarget, type TargetHost } from "./rights.ts";

/** Throws not_found. */
export async function getTargetHost({ db }: Server, hostId: string): Promise<TargetHost> {
  const host = await db.selectFrom("hosts").select([
    "id",
    "name",
    "os",
    "approved_roots",
    "repository_id",
  ])
    .where("id", "=", hostId).executeTakeFirst();
  if (!host) throw new AppError("not_found", "There is no such host.");
  return { ...host, approved_roots: JSON.parse(host.approved_roots) };
}

/** Returns the job's id. Throws invalid, forbidden, not_found, conflict, agent_offline. */
export async function startRestore(
  server: Server,
  actor: Actor,
  hostId: string,
  { snapshot, asked, limits = {} }: {
    snapshot: FoundSnapshot;
    asked: RestoreWish;
    limits?: OwnLimits;
  },
): Promise<string> {
  const items = exactItems(asked.items);
  const host = await getTargetHost(server, hostId);
  const request = checkedRequest(server, actor, { snapshot, host, asked: { ...asked, items } });
  const [jobId] = await startOnHost(server, hostId, async (tx, { name }) => {
    const id = await insertJob(server, tx, actor, {
      hostId,
      host: { name, repository_id: snapshot.repository_id },
      kind: "restore",
      limits,
      request,
      detail: auditDetail(snapshot, request),
    });
    const { number } = await tx.selectFrom("jobs").select("number").where("id", "=", id)
      .executeTakeFirstOrThrow();
    await tx.insertInto("restore_items")
      .values({ job_number: number, items: JSON.stringify(items) }).execute();
    return [id];
  });
  return jobId!;
}

/** Exactly, as it was asked. Throws where there is none. */
export async function itemsOfJob(
  { db }: Server,
  { number }: { number: number },
): Promise<string[]> {
  const { items } = await db.selectFrom("restore_items").select("items")
    .where("job_number", "=", number).executeTakeFirstOrThrow();
  return JSON.parse(items);
}

/** In one spelling, each once. Throws invalid. */
export function exactItems(items: string[]): string[] {
  const all = [...new Set(items.map(exactly))];
  if (all.reduce((sum, path) => sum + path.length, 0) > RESTORE_CHARACTERS_LIMIT) {
    throw new AppError(
      "invalid",
      `items must have at most ${RESTORE_CHARACTERS_LIMIT} characters together: choose the folders that they are in.`,
      "items",
    );
  }
  return all;
}

function exactly(path: string): string {
  try {
    return writeSnapshotPath(readSnapshotPath(path));
  } catch (error) {
    throw new AppError("invalid", `items: a path ${messageOf(error)}.`, "items");
  }
}

/** Throws as startRestore() does, without starting anything. */
export function checkedRequest(
  server: Server,
  actor: Actor,
  { snapshot, host, asked }: { snapshot: FoundSnapshot; host: TargetHost; asked: RestoreWish },
): RestoreRequest {
  const needsAdmin = checkRights(actor, { snapshot, host, asked });
  const { target } = asked;
  const isInPlace = target.kind === "original";
  if (isInPlace && target.confirm_hostname !== host.name) {
    throw new AppError(
      "name_mismatch",
      `target.confirm_hostname must be ${host.name}: what is there now is written over.`,
      "target.confirm_hostname",
    );
  }
  if (!isInPlace && asked.overwrite !== undefined && asked.overwrite !== "always") {
    throw new AppError(
      "invalid",
      'overwrite is for a restore to {"kind": "original"}: a folder is new or empty.',
      "overwrite",
    );
  }
  if (isInPlace && asked.undo !== false && host.repository_id !== snapshot.repository_id) {
    throw new AppError(
      "invalid",
      `undo must be false: what is on ${host.name} now would be saved in a repository that is not its own. Run its backup first.`,
      "undo",
    );
  }
  const folder = isInPlace
    ? null
    : target.path ?? proposedTarget(actor, { host, snapshot, now: server.now() });
  if (folder !== null) {
    refuseNoFolder(folder);
    checkTarget(actor, folder, host);
  }
  return {
    snapshot: snapshot.id,
    items_count: asked.items.length,
    first_items: asked.items.slice(0, FIRST_ITEMS).map((path) => path.slice(0, 1000)),
    target: folder === null ? { kind: "original" } : {
      kind: "folder",
      path: folder,
      keep_paths: target.kind === "folder" ? target.keep_paths ?? true : true,
    },
    within: actor.role === "admin" ? null : host.approved_roots,
    overwrite: asked.overwrite ?? "always",
    dry_run: asked.dry_run ?? false,
    verify: asked.verify ?? false,
    undo: isInPlace && (asked.undo ?? true),
    needs_admin: needsAdmin,
  };
}

function refuseNoFolder(path: string): void {
  const { error } = absolutePath.safeParse(path);
  const why = error
    ? firstProblem(error).message
    : path.split(/[\\/]/).includes("..")
    ? "must be written without .."
    : undefined;
  if (why) throw new AppError("invalid", `target.path ${why}.`, "target.path");
}

function auditDetail(snapshot: FoundSnapshot, request: RestoreRequest): Record<string, unknown> {
  const { items_count, first_items, target, overwrite, dry_run } = request;
  return {
    snapshot: snapshot.id,
    of: snapshot.source?.name ?? snapshot.hostname,
    items: items_count,
    first_items,
    to: target.kind === "folder" ? target.path : "where they were",
    ...(target.kind === "original" ? { overwrite } : {}),
    ...(dry_run ? { dry_run } : {}),
  };
}
