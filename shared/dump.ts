// What the stream of the kind "dump" carries: one line of JSON, when it is certain that something follows, then the bytes as they go to
// whoever downloads them.
import { z } from "zod";

export const DUMP_FORMATS = ["raw", "zip", "tar"] as const;
export type DumpFormat = typeof DUMP_FORMATS[number];

/** How many items one archive is made of, and how many characters all their paths have: it must fit into one message. */
export const DUMP_ITEMS_LIMIT = 1000;
export const DUMP_PATHS_LIMIT = 262_144;
/** Bytes of the first line at most. */
export const DUMP_HEADER_LIMIT = 1024;

export const DumpHeader = z.object({
  /** How many bytes follow; null for an archive, of which nobody knows that before. */
  size: z.int().min(0).nullable(),
});
export type DumpHeader = z.infer<typeof DumpHeader>;

/** Which of the requested items an error is about, at the beginning of its sentence: counted from 0. */
export function itemProblem(item: number, sentence: string): string {
  return `item ${item}: ${sentence}`;
}

/** undefined when the sentence is about none. */
export function itemOf(sentence: string): number | undefined {
  const [, item] = /^item (\d{1,4}): /.exec(sentence) ?? [];
  return item === undefined ? undefined : Number(item);
}
