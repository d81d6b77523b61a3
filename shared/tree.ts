// What the stream of the kind "tree" carries: lines of JSON, an array for each entry of one folder of a snapshot, and at the end one object.
import { z } from "zod";
import { isName, readName } from "./snapshot_path.ts";

export const TREE_ENTRIES_LIMIT = 200_000;
/** Bytes of all lines but the last. */
export const TREE_BYTES_LIMIT = 25_165_824;
/** Bytes of one line. */
export const TREE_LINE_LIMIT = 16_384;

export const TREE_ENTRY_TYPES = [
  "folder",
  "file",
  "link",
  "fifo",
  "device",
  "socket",
  "other",
] as const;
export type TreeEntryType = typeof TREE_ENTRY_TYPES[number];

const encoder = new TextEncoder();

function isExactName(text: string): boolean {
  try {
    readName(text);
    return true;
  } catch {
    return false;
  }
}

const name = z.union([
  z.string().max(1024).refine((text) => text.isWellFormed() && isName(encoder.encode(text))),
  // Written byte by byte, since it is no UTF-8.
  z.object({ bytes: z.string().max(3072).refine(isExactName) }),
]);

/** The years 1 to 9999, as ISO 8601 writes them; milliseconds since 1970. */
export const TREE_TIMES = { min: -62_135_596_800_000, max: 253_402_300_799_999 };
/** null: not in those years. */
const time = z.int().min(TREE_TIMES.min).max(TREE_TIMES.max).nullable();
const number32 = z.int().min(0).max(0xffff_ffff);

export const TreeLine = z.union([
  z.tuple([
    z.enum(TREE_ENTRY_TYPES),
    name,
    /** Bytes of a file; null of anything else. */
    z.int().min(0).nullable(),
    time,
    /** Permissions with set-user-id, set-group-id and sticky. */
    z.int().min(0).max(0o7777),
    /** Numbers of owner and group. */
    number32,
    number32,
  ]),
  z.object({
    /** Of what this is the listing. */
    snapshot: z.string(),
    path: z.string(),
    /** There are more entries than these. */
    cut: z.boolean(),
    /** How many entries have a name that no file can have, or that could not be read exactly. */
    left_out: z.int().min(0),
  }),
]);
export type TreeLine = z.infer<typeof TreeLine>;
export type TreeEntryLine = Extract<TreeLine, unknown[]>;
export type TreeEnd = Exclude<TreeLine, unknown[]>;
