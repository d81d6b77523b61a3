// A folder of a snapshot as its reader listed it: in columns, since it may have 200,000 entries, and sorted when someone asks.
import { readName, shownName, textOf, writeSnapshotPath } from "../../shared/snapshot_path.ts";
import type { TreeEntry, TreeOrder, TreeSort } from "../../shared/shapes/tree.ts";
import { TREE_ENTRY_TYPES, type TreeEnd, type TreeEntryLine } from "../../shared/tree.ts";

export interface TreePageInput {
  sort: TreeSort;
  order: TreeOrder;
  /** Part of a name, in letters of either case; empty for all. */
  q: string;
  /** Whether a name may be shown; undefined for all. */
  mayShow?: ((name: string) => boolean) | undefined;
  offset: number;
  limit: number;
}

export interface TreePage {
  items: TreeEntry[];
  /** Before the filter, and after it. */
  total: number;
  matching: number;
  hasMore: boolean;
}

/** Numbers of one kind of all entries. */
class Column {
  #values: Float64Array;
  #length = 0;

  constructor() {
    this.#values = new Float64Array(64);
  }

  push(value: number | null): void {
    if (this.#length === this.#values.length) {
      const more = new Float64Array(this.#length * 2);
      more.set(this.#values);
      this.#values = more;
    }
    this.#values[this.#length++] = value ?? NaN;
  }

  at(n: number): number | null {
    const value = this.#values[n]!;
    return Number.isNaN(value) ? null : value;
  }

  /** What has none comes first. */
  compare(a: number, b: number): number {
    const [x, y] = [this.#values[a]!, this.#values[b]!];
    return (Number.isNaN(x) ? -Infinity : x) === (Number.isNaN(y) ? -Infinity : y)
      ? 0
      : (Number.isNaN(x) || x < y ? -1 : 1);
  }

  get bytes(): number {
    return this.#values.byteLength;
  }
}

const FOLDER = TREE_ENTRY_TYPES.indexOf("folder");

export class TreeListing {
  cut = false;
  leftOut = 0;
  readonly #names: string[] = [];
  /** Of those that are no UTF-8. */
  readonly #exact = new Map<number, Uint8Array>();
  readonly #types = new Column();
  readonly #sizes = new Column();
  readonly #times = new Column();
  readonly #modes = new Column();
  readonly #uids = new Column();
  readonly #gids = new Column();
  #bytesOfNames = 0;
  /** Folders, then all else; each ascending. */
  readonly #sorted = new Map<TreeSort, Uint32Array[]>();

  constructor(private readonly path: readonly Uint8Array[]) {}

  get count(): number {
    return this.#names.length;
  }

  /** What it takes of the memory, roughly. */
  get bytes(): number {
    const columns = [this.#types, this.#sizes, this.#times, this.#modes, this.#uids, this.#gids];
    const numbers = columns.reduce((sum, { bytes }) => sum + bytes, 0);
    return 1000 + this.#bytesOfNames + numbers + this.count * 4 * (this.#sorted.size + 1);
  }

  add([type, name, size, time, mode, uid, gid]: TreeEntryLine): void {
    const exact = typeof name === "string" ? undefined : readName(name.bytes);
    const text = typeof name === "string" ? name : textOf(exact!) ?? shownName(exact!);
    if (exact && textOf(exact) === undefined) this.#exact.set(this.count, exact);
    this.#names.push(text);
    // A string has a head, and a place in the list.
    this.#bytesOfNames += 32 + text.length * 2 + (exact ? 200 : 0);
    this.#types.push(TREE_ENTRY_TYPES.indexOf(type));
    this.#sizes.push(size);
    this.#times.push(time);
    this.#modes.push(mode);
    this.#uids.push(uid);
    this.#gids.push(gid);
  }

  finish({ cut, left_out }: TreeEnd): void {
    this.cut = cut;
    this.leftOut = left_out;
  }

  page({ sort, order, q, mayShow, offset, limit }: TreePageInput): TreePage {
    const wanted = q.toLowerCase();
    const items: TreeEntry[] = [];
    let [total, matching] = [0, 0];
    for (const part of this.#parts(sort)) {
      for (let n = 0; n < part.length; n++) {
        const at = part[order === "asc" ? n : part.length - 1 - n]!;
        const name = this.#names[at]!;
        if (mayShow && !mayShow(name)) continue;
        total++;
        if (wanted && !name.toLowerCase().includes(wanted)) continue;
        if (matching >= offset && matching < offset + limit) items.push(this.#entry(at));
        matching++;
      }
    }
    return { items, total, matching, hasMore: matching > offset + limit };
  }

  #entry(at: number): TreeEntry {
    const name = this.#names[at]!;
    const bytes = this.#exact.get(at);
    const exact = bytes ?? new TextEncoder().encode(name);
    return {
      name,
      ...(bytes ? { name_bytes: bytes.toBase64() } : {}),
      path: writeSnapshotPath([...this.path, exact]),
      type: TREE_ENTRY_TYPES[this.#types.at(at)!]!,
      size: this.#sizes.at(at),
      mtime: this.#times.at(at),
      mode: this.#modes.at(at)!.toString(8).padStart(4, "0"),
      uid: this.#uids.at(at)!,
      gid: this.#gids.at(at)!,
    };
  }

  #parts(sort: TreeSort): Uint32Array[] {
    const known = this.#sorted.get(sort);
    if (known) return known;
    const all = Array.from(this.#names, (_, n) => n);
    const parts = [true, false].map((areFolders) =>
      Uint32Array.from(all.filter((n) => (this.#types.at(n) === FOLDER) === areFolders))
        .sort((a, b) => this.#compare(sort, a, b))
    );
    this.#sorted.set(sort, parts);
    return parts;
  }

  #compare(sort: TreeSort, a: number, b: number): number {
    const [x, y] = [this.#names[a]!, this.#names[b]!];
    const byNumber = sort === "size"
      ? this.#sizes.compare(a, b)
      : sort === "time"
      ? this.#times.compare(a, b)
      : 0;
    return byNumber || (x < y ? -1 : x > y ? 1 : a - b);
  }
}
