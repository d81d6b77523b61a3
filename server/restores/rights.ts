// Who may restore what to where. An operator: of a host to the same host, what lies below the folders that an admin approved for it, into a
// folder below these. The rest is for admins, since it reads or writes what an operator may not.
import { readSnapshotPath } from "../../shared/snapshot_path.ts";
import { isBelow } from "../../shared/roots.ts";
import { AppError } from "../errors.ts";
import { isRestricted, needAdmin } from "../rights.ts";
import type { Actor } from "../server.ts";
import type { FoundSnapshot } from "../snapshots/get.ts";
import { namesShown } from "../snapshots/tree_rights.ts";
import type { RestoreWish } from "./request.ts";

export interface TargetHost {
  id: string;
  name: string;
  os: string;
  approved_roots: string[];
  repository_id: string;
}

/** Whether only an admin may; an admin is let through. Throws forbidden with the field where the person may not. */
export function checkRights(
  actor: Actor,
  { snapshot, host, asked }: { snapshot: FoundSnapshot; host: TargetHost; asked: RestoreWish },
): boolean {
  const isOther = snapshot.source?.id !== host.id;
  const isInPlace = asked.target.kind === "original";
  if (isInPlace) {
    needAdmin(
      actor,
      "target",
      "Only an admin restores over what is there now. Restore into a folder.",
    );
  }
  if (isOther) {
    needAdmin(
      actor,
      "snapshot_id",
      "Only an admin restores a snapshot of another host: what is in it may be nothing for the users of this one.",
    );
  }
  if (!isRestricted(actor)) return isOther || isInPlace;
  for (const path of asked.items) {
    if (seesAllOf(actor, snapshot, path)) continue;
    throw new AppError(
      "forbidden",
      `items: ${path} holds more than the folders that an admin approved for ${host.name}. Choose what lies below them.`,
      "items",
    );
  }
  return false;
}

function seesAllOf(actor: Actor, snapshot: FoundSnapshot, path: string): boolean {
  try {
    return namesShown(actor, snapshot, readSnapshotPath(path)) === undefined;
  } catch (error) {
    if (error instanceof AppError && error.code === "forbidden") return false;
    throw error;
  }
}

/** Throws forbidden: with the folder, and those that it may lie in. */
export function checkTarget(actor: Actor, path: string, host: TargetHost): void {
  if (!isRestricted(actor) || isBelow(path, host.approved_roots, host.os)) return;
  throw new AppError(
    "forbidden",
    host.approved_roots.length === 0
      ? `target.path must lie below a folder that an admin approved for ${host.name}, and none is: an admin does that in the host's settings.`
      : `target.path must lie below a folder that an admin approved for ${host.name}: ${
        host.approved_roots.slice(0, 10).join(", ")
      }.`,
    "target.path",
  );
}

/** A folder that is new: where an admin approved folders and an operator asks, in the first of these. */
export function proposedTarget(
  actor: Actor,
  { host, snapshot, now }: { host: TargetHost; snapshot: Pick<FoundSnapshot, "id">; now: number },
): string {
  const isWindows = host.os === "windows";
  const [root] = isRestricted(actor) ? host.approved_roots : [];
  const above = root ?? (isWindows ? "C:\\restored" : "/srv/restore");
  const slash = isWindows ? "\\" : "/";
  const stamp = new Date(now).toISOString().slice(0, 16).replaceAll(/[-:]/g, "").replace("T", "-");
  const name = `${root ? "restored-" : ""}${snapshot.id.slice(0, 8)}-${stamp}`;
  return `${above.replace(/[\\/]+$/, "")}${slash}${name}`;
}
