// A folder of a snapshot.
import { z } from "zod";
import { TREE_ENTRY_TYPES } from "../tree.ts";
import { listOf } from "./list.ts";
import { Time } from "./time.ts";

export const TreeEntry = z.object({
  name: z.string().describe("As text: what is not UTF-8 in it is U+FFFD"),
  name_bytes: z.string().optional().describe("In base64, where the name is not UTF-8"),
  path: z.string().describe("Exactly, for ?path=; with a name that is not UTF-8 as bytes:/caf%E9"),
  type: z.enum(TREE_ENTRY_TYPES),
  size: z.number().nullable().describe("Bytes of a file"),
  mtime: Time.nullable(),
  mode: z.string().describe("Octal, such as 0755"),
  uid: z.number(),
  gid: z.number(),
}).meta({ id: "TreeEntry" });
export type TreeEntry = z.infer<typeof TreeEntry>;

/** Whose agent read it, and what it says is all that is known. */
export const TreeReader = z.object({
  id: z.string(),
  name: z.string(),
  /** It is the host whose snapshot it is. */
  is_source: z.boolean(),
});
export type TreeReader = z.infer<typeof TreeReader>;

export const SnapshotTree = listOf(TreeEntry, {
  snapshot_id: z.string(),
  repository_id: z.string(),
  path: z.string(),
  reader: TreeReader,
  reader_host_id: z.string(),
  /** Entries of the folder, and those of them that the filter fits. */
  total: z.number(),
  matching: z.number(),
  /** There is more in it than was read. */
  cut: z.boolean(),
  /** How many entries have a name that cannot be shown exactly. */
  left_out: z.number(),
});
export type SnapshotTree = z.infer<typeof SnapshotTree>;

export const TREE_SORTS = ["name", "size", "time"] as const;
export type TreeSort = typeof TREE_SORTS[number];
export const TREE_ORDERS = ["asc", "desc"] as const;
export type TreeOrder = typeof TREE_ORDERS[number];
