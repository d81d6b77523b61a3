// What differs between two snapshots as their reader listed it: in the order of paths, so that what lies below a folder is one span of it.
import { type DiffEnd, type DiffModifier, type DiffStatistics } from "../../shared/diff.ts";
import type { DiffChange, DiffCounts, DiffItem } from "../../shared/shapes/diff.ts";

export interface DiffPageInput {
  /** A folder, of which the children are shown: / or /srv. */
  path: string;
  /** Part of a name, in letters of either case: then all that has it below the folder, without folding. Empty for none. */
  q: string;
  /** Whether a path may be shown. */
  maySee: (path: string) => boolean;
  offset: number;
  limit: number;
}

export interface DiffPage {
  items: DiffItem[];
  /** Of all below the folder that may be seen. */
  counts: DiffCounts;
  matching: number;
}

interface Change {
  /** Without a slash at the end. */
  path: string;
  /** In which / comes first, so that a folder and all below it are one span. */
  key: string;
  modifier: DiffModifier;
  isFolder: boolean;
}

const CHANGES: Record<DiffModifier, DiffChange> = {
  "+": "added",
  "-": "removed",
  M: "changed",
  T: "changed",
  "?": "changed",
  U: "metadata",
};

export class DiffListing {
  cut = false;
  leftOut = 0;
  statistics: DiffStatistics | null = null;
  readonly #changes: Change[] = [];
  #bytesOfPaths = 0;

  get count(): number {
    return this.#changes.length;
  }

  /** What it takes of the memory, roughly: two strings and an object each. */
  get bytes(): number {
    return 1000 + this.#bytesOfPaths;
  }

  add(modifier: DiffModifier, text: string): void {
    const isFolder = text.endsWith("/");
    const path = text.replace(/\/+$/, "");
    this.#changes.push({ path, key: keyOf(path), modifier, isFolder });
    this.#bytesOfPaths += 150 + path.length * 4;
  }

  finish({ cut, left_out, statistics }: DiffEnd): void {
    this.cut = cut;
    this.leftOut = left_out;
    this.statistics = statistics;
    this.#changes.sort((a, b) => a.key < b.key ? -1 : a.key > b.key ? 1 : 0);
  }

  page({ path, q, maySee, offset, limit }: DiffPageInput): DiffPage {
    const below = this.#below(path).filter((change) => maySee(change.path));
    const items = q ? named(below, q) : folded(below, path);
    return {
      items: items.slice(offset, offset + limit),
      counts: countsOf(below),
      matching: items.length,
    };
  }

  #below(path: string): Change[] {
    if (path === "/") return this.#changes;
    const start = keyOf(`${path}/`);
    const from = this.#changes.findIndex(({ key }) => key.startsWith(start));
    if (from < 0) return [];
    const rest = this.#changes.slice(from);
    const end = rest.findIndex(({ key }) => !key.startsWith(start));
    return end < 0 ? rest : rest.slice(0, end);
  }
}

/** No name has NUL. */
function keyOf(path: string): string {
  return path.replaceAll("/", "\0");
}

function named(changes: Change[], q: string): DiffItem[] {
  const wanted = q.toLowerCase();
  return changes.filter(({ path }) => nameOf(path).toLowerCase().includes(wanted))
    .map((change) => itemOf(change.path, [change]));
}

/** The children of the folder, folders first, each with all that is below it. */
function folded(changes: Change[], path: string): DiffItem[] {
  const depth = path === "/" ? 0 : path.length;
  const groups = new Map<string, Change[]>();
  for (const change of changes) {
    const end = change.path.indexOf("/", depth + 1);
    const child = end < 0 ? change.path : change.path.slice(0, end);
    const group = groups.get(child);
    if (group) group.push(change);
    else groups.set(child, [change]);
  }
  const items = [...groups].map(([child, group]) => itemOf(child, group));
  return [
    ...items.filter(({ type }) => type === "folder"),
    ...items.filter(({ type }) => type === "file"),
  ];
}

function itemOf(path: string, group: Change[]): DiffItem {
  const own = group.find((change) => change.path === path);
  const below = group.filter((change) => change.path !== path);
  return {
    name: nameOf(path),
    path,
    type: below.length > 0 || own?.isFolder ? "folder" : "file",
    change: own ? CHANGES[own.modifier] : null,
    type_changed: own?.modifier === "T",
    suspect: own?.modifier === "?",
    exact: !path.includes("\ufffd"),
    below: countsOf(below),
  };
}

function countsOf(changes: Change[]): DiffCounts {
  const counts = { added: 0, removed: 0, changed: 0, metadata: 0 };
  for (const { modifier } of changes) counts[CHANGES[modifier]]++;
  return counts;
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
