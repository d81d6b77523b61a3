// A search for files over snapshots.
import { z } from "zod";
import { TREE_ENTRY_TYPES } from "../tree.ts";
import { Time } from "./time.ts";

/** The data of an event `match`. */
export const FoundFile = z.object({
  path: z.string().describe("As text: what is not UTF-8 in it is U+FFFD"),
  exact: z.boolean().describe("False where the path may hold bytes that are not UTF-8"),
  type: z.enum(TREE_ENTRY_TYPES),
  size: z.number().nullable().describe("Bytes of a file"),
  modified_at: Time.nullable(),
  snapshot_id: z.string(),
  snapshot_at: Time,
  host: z.string().describe("The host name that the snapshot carries"),
  host_id: z.string().nullable(),
  repository_id: z.string(),
}).meta({ id: "FoundFile" });
export type FoundFile = z.infer<typeof FoundFile>;

/** Snapshots that were not searched, or not to their end. */
export const NotSearched = z.object({
  repository_id: z.string(),
  repository: z.string(),
  snapshots: z.number(),
  why: z.string(),
});
export type NotSearched = z.infer<typeof NotSearched>;

/** The data of the events `progress` and `end`. */
export const FindState = z.object({
  snapshots: z.number().describe("How many are to be searched"),
  searched: z.number(),
  matches: z.number(),
  cut: z.boolean().describe("There are more matches than were kept"),
  not_searched: z.array(NotSearched),
}).meta({ id: "FindState" });
export type FindState = z.infer<typeof FindState>;
