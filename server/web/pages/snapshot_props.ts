// What the pages of a snapshot and of a file in it are made of.
import type { TreeEntry } from "../../../shared/shapes/tree.ts";
import { readSnapshotPath, shownName, writeSnapshotPath } from "../../../shared/snapshot_path.ts";
import type { AppError } from "../../errors.ts";

/** Bytes of all rows of a page, about. */
const ROWS_BYTES = 38_000;
const ROW_BYTES = 420;
/** Of an admin's, with a box and two links, each of which has the whole path. */
const ROW_BYTES_WITH_LINKS = 480;
export const MOST_ROWS = 80;
const LEAST_ROWS = 10;

/** How many of the entries fit into a page. */
export function fitting(entries: TreeEntry[], hasLinks: boolean): number {
  let left = ROWS_BYTES;
  const end = entries.findIndex(({ path, type }) => {
    const bytes = encodeURIComponent(path).length;
    const links = hasLinks ? ROW_BYTES_WITH_LINKS + bytes * (type === "file" ? 2 : 1) : 0;
    left -= ROW_BYTES + bytes + links;
    return left < 0;
  });
  return end < 0 ? MOST_ROWS : Math.max(LEAST_ROWS, end);
}

export const TREE_TITLES: Partial<Record<AppError["code"], string>> = {
  agent_offline: "No machine that can read it is online",
  agent_timeout: "The repository did not answer in time",
  not_found: "It is not there",
  forbidden: "You may not see this folder",
  too_many: "Too much is being read just now",
};

export function crumbsOf(path: string): { name: string; path: string }[] {
  let names: Uint8Array[];
  try {
    names = readSnapshotPath(path);
  } catch (error) {
    // The tree says what is wrong with it.
    if (error instanceof RangeError) return [];
    throw error;
  }
  return names.map((name, n) => ({
    name: shownName(name),
    path: writeSnapshotPath(names.slice(0, n + 1)),
  }));
}
