// One folder of a snapshot as restic lists it: the arguments, and what its lines say. Its JSON has no target of a link, no count of links.
import { TREE_TIMES, type TreeEntryType } from "../../shared/tree.ts";
import { parseObject } from "./errors.ts";
import { joinBytes } from "../archive/bytes.ts";
import { exactArguments, pathBytes } from "./exact_arguments.ts";
import type { RunOptions } from "./run.ts";
import { isAtLeast } from "./version.ts";

export interface FolderOfSnapshot {
  /** All 64 digits. */
  snapshot: string;
  names: Uint8Array[];
}

export interface TreeCommand extends Pick<RunOptions, "args" | "bytes"> {
  /** The first node is the folder itself, as before 0.16, where a folder that is missing is no error. */
  beginsWithFolder: boolean;
  /** How each path of the plain listing begins. */
  before: Uint8Array;
}

const encoder = new TextEncoder();

/**
 * Lists the direct children, without a lock, so that a check or prune holds up nobody and nothing is left behind. From 0.16 on a folder is
 * opened as the root of its own listing, and what lies beside the way to it is not read. 63 digits of the id: with all of them 0.16 asks
 * for a snapshot that is gone for a minute.
 */
export function treeCommand(
  version: string,
  { snapshot, names }: FolderOfSnapshot,
  output: "--json" | "--quiet",
): TreeCommand {
  const id = snapshot.slice(0, 63);
  const isRoot = names.length === 0;
  const opens = isAtLeast(version, "0.16.0");
  const path = pathBytes(names);
  const first = opens ? [`${id}:`, path] : [id];
  const last = opens ? ["/"] : [path];
  return {
    ...exactArguments(["ls", "--no-lock", output], isRoot ? [[id], ["/"]] : [first, last]),
    beginsWithFolder: !opens && !isRoot,
    before: opens || isRoot ? encoder.encode("/") : joinBytes([path, encoder.encode("/")]),
  };
}

export interface TreeNode {
  type: TreeEntryType;
  name: string;
  /** From the root of the listing; what is no UTF-8 in it is U+FFFD. */
  path: string;
  size: number | null;
  time: number | null;
  /** The same time with all its digits, as restic writes it. */
  mtime: string;
  mode: number;
  uid: number;
  gid: number;
}

export type TreeOutput = { snapshot: string } | { node: TreeNode } | undefined;

/** What a line of JSON says; undefined for one that says nothing that is known. */
export function readTreeLine(line: string): TreeOutput {
  const value = parseObject(line);
  if (value?.struct_type === "snapshot") {
    return typeof value.id === "string" ? { snapshot: value.id } : undefined;
  }
  if (value?.struct_type !== "node" || typeof value.name !== "string") return undefined;
  const type = typeOf(value.type);
  return {
    node: {
      type,
      name: value.name,
      path: typeof value.path === "string" ? value.path : "",
      size: type === "file" ? whole(value.size, Number.MAX_SAFE_INTEGER) : null,
      time: timeOf(value.mtime),
      mtime: typeof value.mtime === "string" ? value.mtime : "",
      mode: permissions(whole(value.mode, 0xffff_ffff)),
      uid: whole(value.uid, 0xffff_ffff),
      gid: whole(value.gid, 0xffff_ffff),
    },
  };
}

/** restic's word for it as ours. */
export function typeOf(word: unknown): TreeEntryType {
  return TYPES[String(word)] ?? "other";
}

const TYPES: Record<string, TreeEntryType> = {
  dir: "folder",
  file: "file",
  symlink: "link",
  fifo: "fifo",
  dev: "device",
  chardev: "device",
  socket: "socket",
};

/** restic leaves out what is 0. */
export function whole(value: unknown, most: number): number {
  return typeof value === "number" && value >= 0 ? Math.min(most, Math.trunc(value)) : 0;
}

/** Go has set-user-id, set-group-id and sticky in bits of its own (io/fs, FileMode). */
function permissions(mode: number): number {
  const special = ((mode >>> 23) & 1) * 0o4000 + ((mode >>> 22) & 1) * 0o2000 +
    ((mode >>> 20) & 1) * 0o1000;
  return (mode & 0o777) + special;
}

/** Milliseconds since 1970; null for what is no time or not in the years that are shown. */
export function timeOf(value: unknown): number | null {
  const at = typeof value === "string" ? Date.parse(value) : NaN;
  return at >= TREE_TIMES.min && at <= TREE_TIMES.max ? at : null;
}
