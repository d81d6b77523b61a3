// Where what is restored comes to lie on this machine.
import { posix, win32 } from "node:path";
import type { RestoreOrder } from "../../shared/job_kinds/restore.ts";
import { shownName, textOf } from "../../shared/snapshot_path.ts";
import { type Item, jsonPath, readItems } from "./items.ts";

const isWindows = Deno.build.os === "windows";
export const { join: joinHere, dirname: folderOf } = isWindows ? win32 : posix;

/** A path of the tree as this machine writes it: on Windows /C/Users is C:\Users. undefined for what has no place here. */
export function localPath(names: readonly Uint8Array[]): string | undefined {
  const texts = names.map(textOf);
  if (!texts.every((text) => text !== undefined)) return undefined;
  if (!isWindows) return `/${texts.join("/")}`;
  const [drive, ...rest] = texts;
  return drive !== undefined && /^[A-Za-z]$/.test(drive)
    ? `${drive}:\\${rest.join("\\")}`
    : undefined;
}

/** Where an entry, by its path in restic's JSON, is afterwards; undefined where its name is no text. */
export type PlaceOf = (path: string) => string | undefined;

/** Where below the folder an entry lies, by its path in restic's JSON: with the whole path, or from the chosen item on. */
export function pathBelow(items: Item[], keepPaths: boolean): (path: string) => string {
  if (keepPaths) return (path) => path;
  const parents = new Map(items.map(({ names }) => {
    const path = jsonPath(names);
    return [path, path.slice(0, path.lastIndexOf("/"))];
  }));
  return (path) => {
    for (let at = path; at !== ""; at = at.slice(0, at.lastIndexOf("/"))) {
      const parent = parents.get(at);
      if (parent !== undefined) return path.slice(parent.length);
    }
    return path;
  };
}

export function placesBelow(target: string, items: Item[], keepPaths: boolean): PlaceOf {
  const below = pathBelow(items, keepPaths);
  return (path) => isUncertain(path) ? undefined : joinHere(target, ...below(path).split("/"));
}

/** Where they were. */
export const placesOfOrigin: PlaceOf = (path) =>
  isUncertain(path)
    ? undefined
    : localPath(path.split("/").filter(Boolean).map((name) => new TextEncoder().encode(name)));

function isUncertain(path: string): boolean {
  return path.includes("\ufffd");
}

/** Everything that would be written, for the brake; what cannot be told is the root, which no brake allows. */
export function pathsWritten({ target, items }: RestoreOrder): string[] {
  if (target.kind === "folder") return [target.path];
  return readItems(items).map(({ names }) => localPath(names) ?? (isWindows ? "C:\\" : "/"));
}

/** Two items that would be one in a folder without their paths. */
export function sameName(items: Item[]): [Item, Item] | undefined {
  const seen = new Map<string, Item>();
  for (const item of items) {
    const name = item.names.at(-1)?.join(".") ?? "";
    const other = seen.get(name);
    if (other) return [other, item];
    seen.set(name, item);
  }
  return undefined;
}

/** An item for people. */
export function nameOf({ names }: Pick<Item, "names">): string {
  return `/${names.map(shownName).join("/")}`;
}

/** Whether the path is the folder or lies in it. */
export function isIn(path: string, folder: string): boolean {
  const fold = (text: string) => isWindows ? text.toUpperCase() : text;
  const [inner, outer] = [fold(path), fold(folder)];
  const slash = isWindows ? "\\" : "/";
  return inner === outer || inner.startsWith(outer.endsWith(slash) ? outer : outer + slash);
}
