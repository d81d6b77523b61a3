// What differs between two snapshots.
import { z } from "zod";
import { DiffStatistics } from "../diff.ts";
import { listOf } from "./list.ts";
import { TreeReader } from "./tree.ts";

export const DIFF_CHANGES = ["added", "removed", "changed", "metadata"] as const;
export type DiffChange = typeof DIFF_CHANGES[number];

/** How many paths differ; `metadata`: in nothing but owner, mode, times or other attributes. */
export const DiffCounts = z.object({
  added: z.number(),
  removed: z.number(),
  changed: z.number(),
  metadata: z.number(),
});
export type DiffCounts = z.infer<typeof DiffCounts>;

export const DiffItem = z.object({
  name: z.string(),
  path: z.string().describe("As text: what is not UTF-8 in it is U+FFFD"),
  type: z.enum(["file", "folder"]).describe("file is whatever is no folder"),
  change: z.enum(DIFF_CHANGES).nullable().describe(
    "Of the entry itself; null for a folder that only has changes below it",
  ),
  type_changed: z.boolean().describe(
    "It is a file in one of them and a folder or link in the other: what lies in it is not compared",
  ),
  suspect: z.boolean().describe(
    "Its content is another one although its size and times are the same: the file may be damaged where it is",
  ),
  exact: z.boolean().describe("False where a name on the way may hold bytes that are not UTF-8"),
  below: DiffCounts.describe("What differs below a folder; all 0 for a file"),
}).meta({ id: "DiffItem" });
export type DiffItem = z.infer<typeof DiffItem>;

export const SnapshotDiff = listOf(DiffItem, {
  snapshot_id: z.string(),
  with: z.string().describe("The snapshot that it is compared with: added is what this one lacks"),
  repository_id: z.string(),
  path: z.string(),
  q: z.string(),
  reader: TreeReader,
  ...DiffCounts.shape,
  matching: z.number().describe("Items on all pages"),
  cut: z.boolean().describe("There is more that differs than was read"),
  left_out: z.number().describe("How many paths could not be read"),
  statistics: DiffStatistics.nullable().describe(
    "restic's count of the whole snapshots, for admins: files and folders, and the bytes of data that only one of them has",
  ),
});
export type SnapshotDiff = z.infer<typeof SnapshotDiff>;
