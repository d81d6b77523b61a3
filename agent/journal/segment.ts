// A file of the journal, named after the first number that it may hold.
import { basename, join } from "node:path";
import type { JobFinished } from "../../shared/protocol.ts";
import { CorruptFile } from "../files.ts";
import { decodeEntry, type Entry, reportOf } from "./entry.ts";

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

export interface SegmentCheck {
  path: string;
  first: number;
  last: number;
  wholeBytes: number;
  tornBytes: number;
  /** The ends of jobs in it. */
  ends: { job_id: string; seq: number }[];
}

/** What must be known of a segment of an earlier run. Throws CorruptFile. */
export function checkSegment(path: string): SegmentCheck {
  const { entries, wholeBytes, tornBytes } = readSegment(path);
  const ends = entries.filter(({ type }) => type === "job.finished")
    .map((entry) => reportOf(entry) as JobFinished);
  const last = entries.at(-1)?.seq ?? 0;
  return { path, first: parseInt(basename(path), 10), last, wholeBytes, tornBytes, ends };
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
