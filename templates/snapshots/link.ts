// Links from one view of a snapshot's tree to another.
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

const PLAIN: Record<string, string> = { path: "/", sort: "name", order: "asc" };
