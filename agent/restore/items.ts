// The chosen files and folders of a snapshot, and the arguments by which restic takes exactly these, whatever is in their names.
import {
  readSnapshotPath,
  shownName,
  textOf,
  writeSnapshotPath,
} from "../../shared/snapshot_path.ts";
import { joinBytes } from "../archive/bytes.ts";
import { exactArguments, pathBytes } from "../restic/exact_arguments.ts";
import type { RunOptions } from "../restic/run.ts";

export interface Item {
  /** From the root of the snapshot; none is the root itself. */
  names: Uint8Array[];
  /** As it is written exactly. */
  path: string;
}

/** Without those that lie in another one, in the order of their paths. Throws a RangeError. */
export function readItems(paths: readonly string[]): Item[] {
  const all = new Map(paths.map((text) => {
    const names = readSnapshotPath(text);
    const path = writeSnapshotPath(names);
    return [path, { names, path }];
  }));
  const chosen = new Set([...all.values()].map(({ names }) => keyOf(names)));
  const isInside = ({ names }: Item) => names.some((_, n) => chosen.has(keyOf(names.slice(0, n))));
  return [...all.values()].filter((item) => !isInside(item))
    .sort((a, b) => a.path < b.path ? -1 : 1);
}

function keyOf(names: readonly Uint8Array[]): string {
  return names.map((name) => name.join(".")).join("/");
}

/** As restic's JSON has it. */
export function jsonPath(names: readonly Uint8Array[]): string {
  return `/${names.map(shownName).join("/")}`;
}

export function isText({ names }: Pick<Item, "names">): boolean {
  return names.every((name) => textOf(name) !== undefined);
}

/** Items that one run of restic takes: those below a folder that is opened as the root. */
export interface Part {
  /** The folder that is opened; none is the root of the snapshot. */
  base: Uint8Array[];
  /** Where what lies in the folder goes to, on this machine. */
  target: string;
  items: Item[];
}

const isWindows = Deno.build.os === "windows";
/** Of all arguments together: Windows takes 32,767 characters, Linux 128 KiB for one and 2 MiB for all. */
const ARGUMENT_BYTES = isWindows ? 24_000 : 100_000;
/** A byte that goes through the shell is written with five characters. */
const WRITTEN = 5;

/** As many runs as their arguments need. A part with its base alone has no pattern: all of it is meant. */
export function inRuns(part: Part): Part[] {
  const runs: Part[] = [];
  let size = Infinity;
  for (const item of part.items) {
    const bytes = argumentOf(part, item).length + 4;
    const cost = isText(item) ? bytes : bytes * WRITTEN;
    if (size + cost > ARGUMENT_BYTES) {
      runs.push({ ...part, items: [] });
      size = 0;
    }
    size += cost;
    runs.at(-1)!.items.push(item);
  }
  return runs;
}

/** One run of `restic restore`. 63 digits of the id: with all of them 0.16 asks for a snapshot that is gone for a minute. */
export function restoreArguments(
  snapshot: string,
  { base, target, items }: Part,
  options: string[],
): Pick<RunOptions, "args" | "bytes"> {
  const id = snapshot.slice(0, 63);
  const isWhole = items.some(({ names }) => names.length === base.length);
  return exactArguments(["restore", ...options, `--target=${target}`], [
    base.length === 0 ? [id] : [`${id}:`, pathBytes(base)],
    ...(isWhole ? [] : items.map((item) => ["--include=", argumentOf({ base }, item)])),
  ]);
}

/** Paths as `restic ls` takes them, literally. */
export function listArguments(
  snapshot: string,
  items: Item[],
): Pick<RunOptions, "args" | "bytes"> {
  const id = snapshot.slice(0, 63);
  const isWhole = items.some(({ names }) => names.length === 0);
  return exactArguments(["ls", "--json", "--no-lock", "--recursive"], [
    [id],
    ...(isWhole ? [] : items.map(({ names }) => [pathBytes(names)])),
  ]);
}

function argumentOf({ base }: Pick<Part, "base">, { names }: Item): Uint8Array {
  return joinBytes(
    names.slice(base.length).flatMap((name) => [Uint8Array.of(0x2f), literally(name)]),
  );
}

/** A path as a pattern that fits nothing else. */
export function literalPattern(text: string): string {
  return new TextDecoder().decode(literally(new TextEncoder().encode(text)));
}

/**
 * A name as a pattern that fits nothing else: restic's patterns are Go's filepath.Match, in which a class of one letter is that letter.
 * A backslash escapes on Linux and separates on Windows, where no name has one.
 */
function literally(name: Uint8Array): Uint8Array {
  return Uint8Array.from([...name].flatMap((byte) => {
    const letter = String.fromCharCode(byte);
    if (letter === "\\" && !isWindows) return [byte, byte];
    return "*?[".includes(letter) ? [0x5b, byte, 0x5d] : [byte];
  }));
}
