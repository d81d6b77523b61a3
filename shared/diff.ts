// What the stream of the kind "diff" carries: lines of JSON, an array for each path that differs between two snapshots, and at the end one object.
import { z } from "zod";
import { SNAPSHOT_PATH_LIMIT } from "./snapshot_path.ts";

export const DIFF_CHANGES_LIMIT = 200_000;
/** Bytes of all lines but the last. */
export const DIFF_BYTES_LIMIT = 25_165_824;
/** Bytes of one line: a letter is three bytes at most, or six where JSON escapes it. */
export const DIFF_LINE_LIMIT = 6 * SNAPSHOT_PATH_LIMIT + 100;

/**
 * As restic writes them: added, removed, other content, another type, other attributes alone, and other content although size and times are
 * the same.
 */
export const DIFF_MODIFIERS = ["+", "-", "M", "T", "U", "?"] as const;
export type DiffModifier = typeof DIFF_MODIFIERS[number];

/** A path as restic's JSON has it: what is no UTF-8 in it is U+FFFD. One of a folder ends in a slash. */
const shownPath = z.string().min(2).max(SNAPSHOT_PATH_LIMIT).startsWith("/")
  .refine((path) => path.isWellFormed() && !path.includes("\0"));

const number = z.int().min(0);
const side = z.object({ files: number, folders: number, others: number, bytes: number });

/** restic's own count, of files and of the data that only one of the two has. */
export const DiffStatistics = z.object({ changed_files: number, added: side, removed: side });
export type DiffStatistics = z.infer<typeof DiffStatistics>;

export const DiffLine = z.union([
  z.tuple([z.enum(DIFF_MODIFIERS), shownPath]),
  z.object({
    /** Of what this is the comparison: the snapshot, and the one before it. */
    snapshot: z.string(),
    base: z.string(),
    /** There are more changes than these. */
    cut: z.boolean(),
    /** How many paths could not be sent. */
    left_out: number,
    statistics: DiffStatistics.nullable(),
  }),
]);
export type DiffLine = z.infer<typeof DiffLine>;
export type DiffEnd = Exclude<DiffLine, unknown[]>;
