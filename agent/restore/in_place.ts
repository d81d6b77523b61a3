// Over what is there now, where the files were. restic opens the deepest folder of the way that is there and writes into it, so that the
// folders above what was chosen stay as they are; no link on the way is followed, since it may lead elsewhere than it did.
import { messageOf } from "../../shared/log.ts";
import type { JobContextOf } from "../jobs/context.ts";
import { failed, type Outcome } from "../restic/outcome.ts";
import { isAtLeast } from "../restic/version.ts";
import { type Item, jsonPath, type Part } from "./items.ts";
import { folderOf, isIn, joinHere, localPath, nameOf } from "./place.ts";
import { isRepository, lstat, ownFolders } from "./target.ts";

/** Older ones write through links that lie where a file goes. */
const FIRST_IN_PLACE = "0.17.0";

function refused(reason: string): Outcome {
  return failed("target_refused", `Nothing was written: ${reason}`, null);
}

/** The parts to restore, or why it must not be. Changes nothing. */
export async function placeInPlace(
  job: JobContextOf<"restore">,
  items: Item[],
): Promise<Part[] | Outcome> {
  const { version } = job.restic;
  if (!isAtLeast(version, FIRST_IN_PLACE)) {
    return failed(
      "restic_too_old",
      `Nothing was written: restic ${version} follows links in the place that it restores to, and could write anywhere. Update restic to ${FIRST_IN_PLACE} or newer, or restore into a new folder.`,
      null,
    );
  }
  const parts = new Map<string, Part>();
  for (const item of items) {
    const problem = await problemOf(job, item);
    if (problem) return refused(problem);
    const base = await baseOf(item);
    if (typeof base === "string") return refused(base);
    const part = parts.get(base.target) ?? { ...base, items: [] };
    part.items.push(item);
    parts.set(base.target, part);
  }
  return [...parts.values()];
}

async function problemOf(
  { machine, url }: JobContextOf<"restore">,
  item: Item,
): Promise<string | undefined> {
  if (item.names.length === 0 || item.names.length === 1 && Deno.build.os === "windows") {
    return "a whole file system is not restored over itself: choose folders in it, or restore into a new folder.";
  }
  const parent = localPath(item.names.slice(0, -1));
  if (parent === undefined) {
    return `${
      nameOf(item)
    } lies in a folder whose name is no text, or has no place on this machine: restore it into a new folder.`;
  }
  const place = localPath(item.names) ?? parent;
  const own = ownFolders(machine).find((folder) => isIn(place, folder) || isIn(folder, place));
  if (own) return `${nameOf(item)} is or holds ${own}, which is the agent's own.`;
  const repository = url.backend === "local" ? url.url : undefined;
  if (repository && (isIn(place, repository) || isIn(repository, place))) {
    return `${nameOf(item)} is or holds the repository that it is restored from.`;
  }
  for (let at = place; folderOf(at) !== at; at = folderOf(at)) {
    if (await isRepository(at)) return `${nameOf(item)} lies in ${at}, which is a repository.`;
  }
  return undefined;
}

/** The deepest folder on the way to the item that is there. */
async function baseOf({ names }: Item): Promise<Pick<Part, "base" | "target"> | string> {
  const isWindows = Deno.build.os === "windows";
  let depth = isWindows ? 1 : 0;
  for (; depth < names.length - 1; depth++) {
    const next = localPath(names.slice(0, depth + 1))!;
    const info = await lstat(next);
    if (!info) break;
    if (info.isSymlink) {
      return `${next} was a folder and is a link now: restore into a new folder, and move the files from there.`;
    }
    if (!info.isDirectory) {
      return `${next} was a folder and is a file now: move it away, or restore into a new folder.`;
    }
  }
  const base = names.slice(0, depth);
  return { base, target: localPath(base)! };
}

/** When the folders that are written into were changed, to be given back afterwards. */
export async function timesOf(parts: Part[]): Promise<() => Promise<string[]>> {
  const times = await Promise.all(parts.map(async ({ target }) => {
    const { atime, mtime } = await Deno.stat(target);
    return { target, atime: atime ?? new Date(), mtime: mtime ?? new Date() };
  }));
  return async () => {
    const problems: string[] = [];
    for (const { target, atime, mtime } of times) {
      await Deno.utime(target, atime, mtime).catch((error) =>
        problems.push(`${target}: ${messageOf(error)}`)
      );
    }
    return problems;
  };
}

/** Those of the items that are there now. One whose name is no text counts as there: its folder is. */
export async function present(items: Item[]): Promise<Item[]> {
  const found = await Promise.all(items.map(async (item) => {
    const place = localPath(item.names);
    return place === undefined || await lstat(place) ? [item] : [];
  }));
  return found.flat();
}

/** The item as a path of this machine, for restic backup. */
export function pathOf(item: Item): string {
  return localPath(item.names) ?? joinHere(jsonPath(item.names));
}
