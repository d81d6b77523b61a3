// A file of the journal, named after the first number that it may hold.
import { basename, join } from "node:path";
import { CorruptFile } from "../files.ts";
import { decodeEntry, type Entry } from "./entry.ts";

export interface Segment {
  path: string;
  first: number;
  /** The highest number in it; below `first` when it is empty. */
  last: number;
  bytes: number;
  /** Its lines were dropped already. */
  thinned: boolean;
}

export function segmentPath(directory: string, first: number): string {
  return join(directory, `${String(first).padStart(16, "0")}.log`);
}

/** The segment files of a directory, oldest first. */
export function listSegments(directory: string): string[] {
  return [...Deno.readDirSync(directory)].map((entry) => entry.name)
    .filter((name) => /^\d{16}\.log$/.test(name)).sort().map((name) => join(directory, name));
}

export function firstOf(path: string): number {
  return parseInt(basename(path), 10);
}

export interface SegmentContent {
  entries: Entry[];
  /** Bytes up to the end of the last whole line. */
  wholeBytes: number;
  /** Bytes of a last line that was never finished. */
  tornBytes: number;
}

/** Reads and checks a segment. Throws CorruptFile for anything but an unfinished last line. */
export function readSegment(path: string): SegmentContent {
  const bytes = Deno.readFileSync(path);
  const entries: Entry[] = [];
  let start = 0;
  for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, start)) {
    const entry = decodeEntry(bytes.subarray(start, end));
    if (!entry || entry.seq <= (entries.at(-1)?.seq ?? 0)) {
      throw new CorruptFile(path, `is damaged at byte ${start}`);
    }
    entries.push(entry);
    start = end + 1;
  }
  return { entries, wholeBytes: start, tornBytes: bytes.length - start };
}
