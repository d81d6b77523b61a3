// What the stream of the kind "folder" carries: lines of JSON, an array for each entry and at the end one object.
import { z } from "zod";

export const FOLDER_ENTRIES_LIMIT = 10_000;
/** Bytes of all lines but the last. */
export const FOLDER_BYTES_LIMIT = 2_097_152;

export const FOLDER_ENTRY_TYPES = ["folder", "file", "link", "other"] as const;
export type FolderEntryType = typeof FOLDER_ENTRY_TYPES[number];

/** A name is one part of a path. */
const entryName = z.string().min(1).max(1024)
  .refine((name) => name !== "." && name !== ".." && !/[/\0]/.test(name), "must be a name");

export const FolderLine = z.union([
  z.tuple([z.enum(FOLDER_ENTRY_TYPES), entryName]),
  z.object({
    /** There are more entries than these. */
    cut: z.boolean(),
    /** How many names are not UTF-8; nothing that is JSON can name them. */
    not_text: z.int().min(0),
  }),
]);
export type FolderLine = z.infer<typeof FolderLine>;
