// What lies in a folder of a host.
import { z } from "zod";
import { FOLDER_ENTRY_TYPES } from "../folder.ts";
import { listOf } from "./list.ts";

export const FolderEntry = z.object({ name: z.string(), type: z.enum(FOLDER_ENTRY_TYPES) });
export type FolderEntry = z.infer<typeof FolderEntry>;

/** Folders first, then by name. */
export const Folder = listOf(FolderEntry, {
  path: z.string(),
  /** There is more in it than is listed. */
  cut: z.boolean(),
  /** How many names are not UTF-8; they are not listed. */
  not_text: z.number(),
});
export type Folder = z.infer<typeof Folder>;
