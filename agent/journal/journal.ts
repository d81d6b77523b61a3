// What the server must still hear: on disk in numbered order until it is acknowledged, bounded, results before lines.
import { join } from "node:path";
import type { NewReport, Report } from "../../shared/protocol.ts";
import { CorruptFile, makePrivateDirectory, syncDirectory, writeAll } from "../files.ts";
import { type Log, messageOf } from "../log.ts";
import { Archive } from "./archive.ts";
import { encodeEntry, type Entry, makeEntry } from "./entry.ts";
import {
  checkSegment,
  listSegments,
  type Segment,
  type SegmentCheck,
  segmentPath,
} from "./segment.ts";
import { withoutLines } from "./thin.ts";

export interface JournalOptions {
  log: Log;
  /** Above this the oldest lines are dropped. */
  limitBytes?: number;
  segmentBytes?: number;
  /** How much is kept in memory while the disk takes nothing. */
  memoryBytes?: number;
}

// A power cut may take unsynced reports that the server has seen; their numbers must not come again.
const RESTART_GAP = 1_000_000;
const RETRY_MS = 2000;

export class Journal {
  /** Called after every append. */
  onAppend: () => void = () => {};
  readonly #directory: string;
  readonly #log: Log;
  readonly #limitBytes: number;
  readonly #segmentBytes: number;
  readonly #memoryBytes: number;
  readonly #archive: Archive;
  /** The segment that grows. */
  #active!: Segment;
  #file!: Deno.FsFile;
  #written: Entry[] = [];
  #unwritten: Entry[] = [];
  #unwrittenBytes = 0;
  #next = 1;
  #acknowledged = 0;
  #tailIsTorn = false;
  #retry: number | undefined;
  /** job id → number of its job.finished that is not acknowledged. */
  readonly #ends = new Map<string, number>();

  /** Opens the journal of a state directory. Throws CorruptFile, touching nothing. */
  static open(stateDir: string, options: JournalOptions): Journal {
    const journal = new Journal(join(stateDir, "journal"), options);
    journal.#load();
    return journal;
  }

  private constructor(directory: string, options: JournalOptions) {
    this.#directory = directory;
    this.#log = options.log;
    this.#limitBytes = options.limitBytes ?? 256 * 1024 * 1024;
    this.#segmentBytes = options.segmentBytes ?? 1024 * 1024;
    this.#archive = new Archive(this.#log, this.#segmentBytes);
    this.#memoryBytes = options.memoryBytes ?? 4 * 1024 * 1024;
  }

  /** Bytes on disk. */
  get bytes(): number {
    return this.#archive.bytes + this.#active.bytes;
  }

  /** The highest number given so far. */
  get lastSeq(): number {
    return this.#next - 1;
  }

  /** Jobs whose end the server has not acknowledged. */
  get unacknowledgedEnds(): string[] {
    return [...this.#ends.keys()];
  }

  /** Numbers and keeps a report. Never throws: what the disk does not take stays in memory and is tried again. */
  append(report: NewReport): number {
    const entry = makeEntry(this.#next++, report);
    if (report.type === "job.finished") this.#ends.set(report.job_id, entry.seq);
    this.#unwritten.push(entry);
    this.#unwrittenBytes += entry.text.length;
    if (this.#retry === undefined || isResult(entry)) this.#flush();
    if (this.#unwrittenBytes > this.#memoryBytes) this.#shortenWaiting();
    this.onAppend();
    return entry.seq;
  }

  /** The first report after this number, or undefined when there is none yet. */
  after(number: number): Entry | undefined {
    const seq = Math.max(number, this.#acknowledged);
    return firstAfter(this.#archive.entriesAfter(seq), seq) ?? firstAfter(this.#written, seq) ??
      firstAfter(this.#unwritten, seq);
  }

  /** Forgets everything up to and including this number. */
  acknowledge(upTo: number): void {
    this.#acknowledged = Math.max(this.#acknowledged, upTo);
    this.#archive.forget(upTo);
    this.#written = dropUpTo(this.#written, upTo);
    this.#unwritten = dropUpTo(this.#unwritten, upTo);
    for (const [job, seq] of this.#ends) if (seq <= upTo) this.#ends.delete(job);
    const isIdle = this.#archive.isEmpty && this.#written.length + this.#unwritten.length === 0;
    if (isIdle && this.#active.bytes > this.#segmentBytes / 16) this.#roll();
  }

  close(): void {
    clearTimeout(this.#retry);
    if (this.#unwritten.length > 0) this.#flush();
    clearTimeout(this.#retry);
    try {
      this.#file.syncDataSync();
    } catch (error) {
      this.#log.error(`The journal could not be written out: ${messageOf(error)}`);
    }
    this.#file.close();
  }

  #load(): void {
    makePrivateDirectory(this.#directory);
    const paths = listSegments(this.#directory);
    // Only what is needed of each: together they may be larger than the memory.
    const checks = paths.map(checkSegment);
    const torn = checks.slice(0, -1).find(({ tornBytes }) => tornBytes > 0);
    if (torn) throw new CorruptFile(torn.path, `is damaged at byte ${torn.wholeBytes}`);
    for (const check of checks) this.#adopt(check);
    this.#startSegment();
  }

  /** Takes over a segment of an earlier run. */
  #adopt({ path, first, last, ends, wholeBytes: bytes, tornBytes }: SegmentCheck): void {
    this.#next = Math.max(this.#next, first + 1, last + RESTART_GAP);
    if (tornBytes > 0) {
      this.#log.warn(`${path}: dropped ${tornBytes} bytes of a report that was never finished`);
      Deno.truncateSync(path, bytes);
    }
    for (const { job_id, seq } of ends) this.#ends.set(job_id, seq);
    this.#archive.add({ path, first, last, bytes, thinned: false });
  }

  #startSegment(): void {
    const path = segmentPath(this.#directory, this.#next);
    this.#file = Deno.openSync(path, { createNew: true, append: true, mode: 0o600 });
    this.#active = { path, first: this.#next, last: 0, bytes: 0, thinned: false };
    syncDirectory(this.#directory);
    // The new one carries the numbering on, so empty ones may go.
    this.#archive.forget(0);
  }

  /** Closes the growing segment and begins another. */
  #roll(): void {
    const old = { file: this.#file, segment: this.#active };
    try {
      this.#startSegment();
    } catch (error) {
      this.#log.warn(`No new journal file could be made: ${messageOf(error)}`);
      return;
    }
    this.#tailIsTorn = false;
    try {
      old.file.syncDataSync();
    } catch (error) {
      this.#log.error(`${old.segment.path} could not be written out: ${messageOf(error)}`);
    }
    old.file.close();
    if (this.#written.length === 0) this.#archive.remove(old.segment.path);
    else this.#archive.add(old.segment);
    this.#written = [];
  }

  #flush(): void {
    clearTimeout(this.#retry);
    this.#retry = undefined;
    const mustSync = this.#unwritten.some(isResult);
    try {
      this.#write();
      if (mustSync) this.#file.syncDataSync();
    } catch (error) {
      this.#outOfRoom(error);
      return;
    }
    if (this.#active.bytes >= this.#segmentBytes) {
      this.#roll();
      this.#archive.shortenTo(this.#limitBytes - this.#segmentBytes);
    }
  }

  #write(): void {
    if (this.#tailIsTorn) {
      this.#file.truncateSync(this.#active.bytes);
      this.#tailIsTorn = false;
    }
    while (this.#unwritten.length > 0) {
      const entry = this.#unwritten[0]!;
      const line = encodeEntry(entry);
      this.#tailIsTorn = true;
      writeAll(this.#file, line);
      this.#tailIsTorn = false;
      this.#active.bytes += line.length;
      this.#active.last = entry.seq;
      this.#written.push(entry);
      this.#unwritten.shift();
      this.#unwrittenBytes -= entry.text.length;
    }
    this.#unwrittenBytes = 0;
  }

  #outOfRoom(error: unknown): void {
    this.#log.error(`The journal cannot be written, reports wait in memory: ${messageOf(error)}`);
    this.#retry = setTimeout(() => this.#flush(), RETRY_MS);
  }

  #shortenWaiting(): void {
    this.#unwritten = withoutLines(this.#unwritten);
    this.#unwrittenBytes = this.#unwritten.reduce((sum, { text }) => sum + text.length, 0);
  }
}

const RESULTS: Report["type"][] = ["job.started", "job.finished", "snapshots.report"];

function isResult(entry: Entry): boolean {
  return RESULTS.includes(entry.type);
}

function firstAfter(entries: Entry[], seq: number): Entry | undefined {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (entries[middle]!.seq > seq) high = middle;
    else low = middle + 1;
  }
  return entries[low];
}

function dropUpTo(entries: Entry[], seq: number): Entry[] {
  const next = firstAfter(entries, seq);
  return next ? entries.slice(entries.indexOf(next)) : [];
}
