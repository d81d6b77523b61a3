// What of a snapshot's tree a person may see: an operator what lies below the folders that an admin approved for the host whose snapshot
// it is, and the folders on the way there, in which he sees nothing else. Otherwise a snapshot would show the names that the host's own
// folders do not. By text alone: a link in a snapshot is not followed.
import { textOf } from "../../shared/snapshot_path.ts";
import { plainPath } from "../../shared/roots.ts";
import { AppError } from "../errors.ts";
import { isRestricted } from "../rights.ts";
import type { Actor } from "../server.ts";
import type { FoundSnapshot } from "./get.ts";

const ROOTS_NAMED = 10;

/** Which names the person may see in this folder; undefined for all. Throws forbidden. */
export function namesShown(
  actor: Actor,
  { source }: FoundSnapshot,
  path: readonly Uint8Array[],
): ((name: string) => boolean) | undefined {
  if (!isRestricted(actor)) return undefined;
  if (!source) {
    throw refused("Only an admin opens a snapshot that no host here lists as its own.");
  }
  const isWindows = source.os === "windows";
  const asked = path.map((name) => fold(textOf(name), isWindows));
  const roots = source.approved_roots.map((root) => namesIn(root, source.os));
  if (roots.some((root) => root && root.every((name, n) => name === asked[n]))) return undefined;
  const onTheWay = roots.filter((root) =>
    root && root.length > asked.length && asked.every((name, n) => name === root[n])
  );
  const next = new Set(onTheWay.map((root) => root![asked.length]));
  if (next.size > 0) return (name) => next.has(fold(name, isWindows));
  const named = source.approved_roots.slice(0, ROOTS_NAMED).join(", ");
  throw refused(
    source.approved_roots.length === 0
      ? `path must be below a folder that an admin approved for ${source.name}, and none is: an admin does that in the host's settings.`
      : `path must be below a folder that an admin approved for ${source.name}: ${named}${
        source.approved_roots.length > ROOTS_NAMED ? ", …" : ""
      }.`,
  );
}

/**
 * Whether the person may see a file or folder of this path as JSON of restic has it, in which what is no UTF-8 is U+FFFD: a name with that
 * letter may be another one, so that it leads below no folder. What leads to an approved folder may be seen.
 */
export function seesPath(
  actor: Actor,
  snapshot: Pick<FoundSnapshot, "source">,
): (path: string) => boolean {
  if (!isRestricted(actor)) return () => true;
  const { source } = snapshot;
  if (!source) return () => false;
  const isWindows = source.os === "windows";
  const roots = source.approved_roots.map((root) => namesIn(root, source.os))
    .filter((root) => root?.every((name) => name !== undefined && !name.includes("\ufffd")))
    .map((root) => root!.map((name) => fold(name, isWindows)!));
  return (path) => {
    const names = path.split("/").filter(Boolean).map((name) => fold(name, isWindows)!);
    return roots.some((root) => root.every((name, n) => n >= names.length || name === names[n]));
  };
}

/** Throws forbidden for a person who may see nothing of it, not even the way to an approved folder. */
export function refuseUnseen(actor: Actor, { source }: FoundSnapshot, field?: string): void {
  if (mayDecide(isRestricted(actor), source)) return;
  throw new AppError(
    "forbidden",
    source
      ? `No folder of ${source.name} is approved for operators, so an admin decides about its snapshots.`
      : "Only an admin decides about a snapshot that no host here lists as its own.",
    field,
  );
}

/** Whether who is restricted may decide about a snapshot of this host. */
export function mayDecide(isRestricted: boolean, source: FoundSnapshot["source"]): boolean {
  return !isRestricted || (source !== null && source.approved_roots.length > 0);
}

/** As restic has it in its trees: C:\Users is /C/Users. undefined for what it has no place for (a share). */
function namesIn(root: string, os: string): (string | undefined)[] | undefined {
  const plain = plainPath(root, os);
  if (os !== "windows") return plain.split("/").filter(Boolean);
  const [, drive, rest] = /^([a-z]):\\?(.*)$/s.exec(plain) ?? [];
  return drive === undefined ? undefined : [drive, ...rest!.split("\\").filter(Boolean)];
}

/** As plainPath() folds: on Windows ASCII's letters alone. */
function fold(name: string | undefined, isWindows: boolean): string | undefined {
  return isWindows ? name?.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase()) : name;
}

function refused(sentence: string): AppError {
  return new AppError("forbidden", sentence, "path");
}
