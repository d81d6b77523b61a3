// What is asked for of a snapshot, looked at before the first byte is sent: that each item is there, and what it is.
import type { RequestOf } from "../../shared/stream.ts";
import { itemProblem } from "../../shared/dump.ts";
import { shownName } from "../../shared/snapshot_path.ts";
import type { RunContext } from "../restic/context.ts";
import { argumentBytes, lookCommand } from "../restic/dump.ts";
import { LineSplitter } from "../restic/lines.ts";
import { runRestic } from "../restic/run.ts";
import { readTreeLine, type TreeNode } from "../restic/tree.ts";
import { namesOf, noSnapshot, refuseFailure } from "./reading.ts";
import { StreamProblem } from "./running.ts";

export interface DumpItem {
  /** Its place in the request. */
  index: number;
  names: Uint8Array[];
}

/** The node is undefined for the root, which has none. */
export interface FoundItem extends DumpItem {
  node: TreeNode | undefined;
}

const isWindows = Deno.build.os === "windows";
/** Of the arguments of one restic: Linux has 2 MB in all, Windows 32,767 characters. */
const ARGUMENTS_BYTES = isWindows ? 24_000 : 400_000;
const LINE_LIMIT = 4_194_304;

/** In the order of restic's trees, each once, and none that lies in another one of them. Throws StreamProblem. */
export function itemsOf({ paths }: RequestOf<"dump">): DumpItem[] {
  const all = paths.map((path, index): DumpItem => ({ index, names: namesOf(path) }))
    .sort((a, b) => compare(a.names, b.names));
  const items: DumpItem[] = [];
  for (const item of all) {
    const last = items.at(-1);
    // What lies in a folder stands right behind it in this order, as does the same once more.
    if (last && isBelow(item.names, last.names)) continue;
    items.push(item);
  }
  return items;
}

function compare(a: Uint8Array[], b: Uint8Array[]): number {
  for (let n = 0; n < Math.min(a.length, b.length); n++) {
    const order = compareBytes(a[n]!, b[n]!);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  for (let n = 0; n < Math.min(a.length, b.length); n++) {
    if (a[n] !== b[n]) return a[n]! - b[n]!;
  }
  return a.length - b.length;
}

function isBelow(names: Uint8Array[], folder: Uint8Array[]): boolean {
  return folder.every((name, n) => names[n] !== undefined && compareBytes(name, names[n]!) === 0);
}

/** Throws StreamProblem: one is not there, or is none that can be sent. */
export async function findItems(
  context: RunContext,
  { snapshot, format }: RequestOf<"dump">,
  items: DumpItem[],
): Promise<FoundItem[]> {
  const found: FoundItem[] = [];
  for (const batch of batches(items.filter(({ names }) => names.length > 0))) {
    found.push(...await look(context, snapshot, batch));
    if (context.control.stopped) return [];
  }
  found.push(
    ...items.filter(({ names }) => names.length === 0).map((item) => ({
      ...item,
      node: undefined,
    })),
  );
  for (const { index, node } of found) {
    const type = node?.type ?? "folder";
    if (type !== "file" && (format === "raw" || type !== "folder")) {
      throw new StreamProblem("not_a_file", itemProblem(index, `it is no file, but a ${type}`));
    }
  }
  return found;
}

function* batches(items: DumpItem[]): Generator<DumpItem[]> {
  let batch: DumpItem[] = [];
  let bytes = 0;
  for (const item of items) {
    const more = argumentBytes(item.names);
    if (batch.length > 0 && bytes + more > ARGUMENTS_BYTES) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(item);
    bytes += more;
  }
  if (batch.length > 0) yield batch;
}

async function look(
  context: RunContext,
  snapshot: string,
  items: DumpItem[],
): Promise<FoundItem[]> {
  const nodes = new Nodes(snapshot, items);
  const run = await runRestic(context, {
    ...lookCommand(snapshot, items.map(({ names }) => names)),
    wholeMs: context.timeouts.lookMs,
    pull: async (out) => {
      const lines = new LineSplitter((line) => nodes.take(line), LINE_LIMIT);
      for await (const chunk of out) {
        lines.push(chunk);
        // What else is in the folders nobody needs.
        if (nodes.isWhole) return;
      }
      lines.end();
    },
  });
  if (context.control.stopped) return [];
  if (!nodes.isWhole) refuseFailure(run);
  return nodes.found();
}

/**
 * The nodes by the path that restic's JSON has for them. Paths with names that are no UTF-8 may look the same there: they stand in the order of
 * the items, and where more look so than were asked for, nobody can say which is which.
 */
class Nodes {
  readonly #items = new Map<string, DumpItem[]>();
  readonly #nodes = new Map<string, TreeNode[]>();
  #missing: number;
  #hasSnapshot = false;

  constructor(private readonly snapshot: string, items: DumpItem[]) {
    this.#missing = items.length;
    for (const item of items) {
      const path = shownPath(item.names);
      this.#items.set(path, [...this.#items.get(path) ?? [], item]);
    }
  }

  /** One that may be followed by another that looks the same is not sure before the end. */
  get isWhole(): boolean {
    return this.#missing === 0 && ![...this.#items.keys()].some((path) => path.includes("\ufffd"));
  }

  take(line: string): void {
    const read = readTreeLine(line);
    if (!read) return;
    if ("snapshot" in read) {
      if (read.snapshot !== this.snapshot) throw noSnapshot();
      this.#hasSnapshot = true;
      return;
    }
    const { path } = read.node;
    if (!this.#items.has(path)) return;
    const nodes = this.#nodes.get(path) ?? [];
    this.#nodes.set(path, nodes);
    // More than that are only counted.
    if (nodes.length <= this.#items.get(path)!.length) nodes.push(read.node);
    this.#missing--;
  }

  found(): FoundItem[] {
    if (!this.#hasSnapshot) throw noSnapshot();
    const found: FoundItem[] = [];
    for (const [path, items] of this.#items) {
      const nodes = this.#nodes.get(path) ?? [];
      for (const [n, item] of items.entries()) {
        const node = nodes[n];
        if (!node) {
          throw new StreamProblem(
            "not_found",
            itemProblem(item.index, "it is not in the snapshot"),
          );
        }
        if (nodes.length > items.length) {
          const why =
            "its name is no UTF-8 and cannot be told from another one's: ask for its folder";
          throw new StreamProblem("failed", itemProblem(item.index, why));
        }
        found.push({ ...item, node });
      }
    }
    return found.sort((a, b) => compare(a.names, b.names));
  }
}

function shownPath(names: Uint8Array[]): string {
  return names.map((name) => `/${shownName(name)}`).join("");
}
