// Links from one view of a snapshot's tree to another.
import { writePathInBytes } from "../../shared/snapshot_path.ts";
import type { TreeOrder, TreeSort } from "../../shared/shapes/tree.ts";

/** What of the folder is asked for. */
export interface TreeChoice {
  path: string;
  sort: TreeSort;
  order: TreeOrder;
  q: string;
}

/** A query of this page: the address itself stays, and an id of 64 digits need not be in each row. */
export function treeLink(
  { repository_id }: { repository_id: string },
  choice: Partial<TreeChoice> & { cursor?: string },
): string {
  const all = new URLSearchParams({ repository: repository_id });
  for (const [name, value] of Object.entries(choice)) {
    if (value && value !== PLAIN[name]) all.set(name, value);
  }
  return `?${all}`;
}

/**
 * A path as the value of a field in a form: browsers send each line feed and carriage return there as both (WHATWG HTML, form submission), so
 * a path that has one is written byte by byte.
 */
export function formPath(path: string): string {
  return /[\r\n]/.test(path) ? writePathInBytes(path) : path;
}

/** Of the id: enough for it to be no other one, and little in a row of which there are eighty. */
const DIGITS = 16;

/** The address of a view of one file or folder, beside the page of the snapshot. */
export function fileLink(
  view: "preview" | "preview/image" | "download",
  { id, repository_id }: { id: string; repository_id: string },
  more: { path: string; format?: string },
): string {
  return `/snapshots/${id.slice(0, DIGITS)}/${view}?${new URLSearchParams({
    repository: repository_id,
    ...more,
  })}`;
}

const PLAIN: Record<string, string> = { path: "/", sort: "name", order: "asc" };
