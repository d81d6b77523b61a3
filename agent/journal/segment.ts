// A file of the journal, named after the first number that it may hold.
import { basename, join } from "node:path";
import type { JobFinished, JobStarted } from "../../shared/protocol.ts";
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
  return namesIn(directory).filter((name) => /^\d{16}\.log$/.test(name)).sort()
    .map((name) => join(directory, name));
}

/**
 * A number above all that the files of this name told of, those that were put aside too; 1 where there are none. Above every
 * name stands what a file of it can hold at the most.
 */
export function numberAbove(directory: string): number {
  const firsts = namesIn(directory).flatMap((name) => {
    const first = Number(/^(\d{16})\.log/.exec(name)?.[1]);
    return isUsable(first) ? [first] : [];
  });
  return firsts.length > 0 ? Math.max(...firsts) + RESTART_GAP : 1;
}

/** Numbers far beyond what can be counted to were never given. */
export function isUsable(number: number): boolean {
  return number <= Number.MAX_SAFE_INTEGER / 2;
}

/** A power cut may take unsynced reports that the server has seen; their numbers must not come again. */
export const RESTART_GAP = 1_000_000;

function namesIn(directory: string): string[] {
  return [...Deno.readDirSync(directory)].map(({ name }) => name);
}

export interface SegmentCheck {
  path: string;
  first: number;
  last: number;
  wholeBytes: number;
  tornBytes: number;
  /** The starts and ends of jobs in it, in order. */
  marks: (JobStarted | JobFinished)[];
}

/** What must be known of a segment of an earlier run. Throws CorruptFile. */
export function checkSegment(path: string): SegmentCheck {
  const { entries, wholeBytes, tornBytes } = readSegment(path);
  const marks = entries.filter(({ type }) => type === "job.started" || type === "job.finished")
    .map((entry) => reportOf(entry) as JobStarted | JobFinished);
  const last = entries.at(-1)?.seq ?? 0;
  return { path, first: parseInt(basename(path), 10), last, wholeBytes, tornBytes, marks };
}

/** What begins like this was on its way to the disk when the agent or the machine died; anything else was changed afterwards. */
const UNFINISHED = /^[0-9a-f]{1,8}$|^[0-9a-f]{8} ($|\{)/;

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
  const tail = new TextDecoder().decode(bytes.subarray(start, start + 10));
  if (tail !== "" && !UNFINISHED.test(tail)) {
    throw new CorruptFile(path, `is damaged at byte ${start}`);
  }
  return { entries, wholeBytes: start, tornBytes: bytes.length - start };
}

/** What can be made out in a damaged segment: every whole report that is in its order. Throws when it cannot be read. */
export function salvage(path: string): Entry[] {
  const bytes = Deno.readFileSync(path);
  const entries: Entry[] = [];
  for (let start = 0; start < bytes.length;) {
    const end = bytes.indexOf(10, start);
    if (end < 0) break;
    const entry = decodeEntry(bytes.subarray(start, end));
    if (entry && entry.seq > (entries.at(-1)?.seq ?? 0) && isUsable(entry.seq)) entries.push(entry);
    start = end + 1;
  }
  return entries;
}
