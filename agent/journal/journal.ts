// What the server must still hear: on disk in numbered order until it is acknowledged, bounded, results before lines.
import { join } from "node:path";
import type { JobFinished, JobStarted, NewReport, Report } from "../../shared/protocol.ts";
import { makePrivateDirectory, replaceFile, syncDirectory, writeAll } from "../files.ts";
import { type Log, messageOf } from "../../shared/log.ts";
import { keptAs, putAside } from "../state/aside.ts";
import { Archive, joined } from "./archive.ts";
import { encodeEntry, type Entry, makeEntry, reportOf } from "./entry.ts";
import {
  checkSegment,
  isUsable,
  listSegments,
  numberAbove,
  RESTART_GAP,
  salvage,
  type Segment,
  type SegmentCheck,
  segmentPath,
} from "./segment.ts";
import { shortened } from "./thin.ts";

export interface JournalOptions {
  log: Log;
  /** Above this the oldest lines are dropped. */
  limitBytes?: number;
  segmentBytes?: number;
  /** How much is kept in memory while the disk takes nothing. */
  memoryBytes?: number;
  /** A file was damaged; the sentence says what became of it. */
  onDamage?: (sentence: string, aside: string | null) => void;
  /** The disk took a report, or did not, and why. */
  onWritten?: (error: unknown) => void;
}

const RETRY_MS = 2000;
const REFUSED_FILE = "refused.jsonl";
const REFUSED_BYTES = 1024 * 1024;

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
  /** undefined as long as the disk gave none. */
  #file: Deno.FsFile | undefined;
  #written: Entry[] = [];
  #unwritten: Entry[] = [];
  #unwrittenBytes = 0;
  #next = 1;
  #acknowledged = 0;
  #tailIsTorn = false;
  /** The segment that grew when an earlier run ended. */
  #lastPath: string | undefined;
  #retry: number | undefined;
  /** job id → number of its job.finished that is not acknowledged. */
  readonly #ends = new Map<string, number>();
  /** job id → its job.started that is not acknowledged and has no end after it. */
  readonly #starts = new Map<string, JobStarted>();

  /**
   * Opens the journal of a state directory. Never throws: what is damaged is put aside, what can be made out in it is kept, and
   * where the disk takes nothing all of it is in memory.
   */
  static open(stateDir: string, options: JournalOptions): Journal {
    const journal = new Journal(join(stateDir, "journal"), options);
    journal.#load();
    return journal;
  }

  private constructor(directory: string, private readonly options: JournalOptions) {
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

  /** Jobs of which the server will hear that they began, and not that they ended. */
  get unfinishedStarts(): JobStarted[] {
    return [...this.#starts.values()];
  }

  /** Numbers and keeps a report. Never throws: what the disk does not take stays in memory and is tried again. */
  append(report: NewReport): number {
    const entry = makeEntry(this.#next++, report);
    if (report.type === "job.started" || report.type === "job.finished") {
      this.#mark({ ...report, seq: entry.seq } as JobStarted | JobFinished);
    }
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
    for (const [job, { seq }] of this.#starts) if (seq <= upTo) this.#starts.delete(job);
    const isIdle = this.#file !== undefined && this.#archive.isEmpty &&
      this.#written.length + this.#unwritten.length === 0;
    if (isIdle && this.#active.bytes > this.#segmentBytes / 16) this.#roll();
  }

  /** Forgets a report that the server never takes, so that those after it get through. It is kept in a file beside. Never throws. */
  giveUp({ seq, type, text }: Entry): void {
    const path = join(this.#directory, REFUSED_FILE);
    let kept = `it is kept in ${path}`;
    try {
      keepRefused(path, text);
    } catch (error) {
      kept = `it could not be kept: ${messageOf(error)}`;
    }
    this.acknowledge(seq);
    this.#damaged(
      `The server does not take a report (${type}), which was given up; ${kept}.`,
      null,
    );
  }

  close(): void {
    clearTimeout(this.#retry);
    if (this.#unwritten.length > 0) this.#flush();
    clearTimeout(this.#retry);
    try {
      this.#file?.syncDataSync();
    } catch (error) {
      this.#log.error(`The journal could not be written out: ${messageOf(error)}`);
    }
    this.#file?.close();
  }

  #load(): void {
    this.#active = { path: "", first: this.#next, last: 0, bytes: 0, thinned: false };
    for (const path of this.#openDirectory()) this.#take(path, this.#isLast(path));
    try {
      this.#startSegment();
    } catch (error) {
      this.#outOfRoom(error);
    }
  }

  /** The segments of earlier runs, oldest first. Numbers go on above whatever was there, also where it cannot be read. */
  #openDirectory(): string[] {
    try {
      makePrivateDirectory(this.#directory);
      const paths = listSegments(this.#directory);
      this.#next = Math.max(this.#next, numberAbove(this.#directory));
      this.#lastPath = paths.at(-1);
      return paths;
    } catch (error) {
      return this.#withoutDirectory(error);
    }
  }

  /** It is no folder, or one that cannot be read; or the disk takes none. */
  #withoutDirectory(error: unknown): string[] {
    // The time in milliseconds is beyond every number that was given one by one.
    this.#next = Math.max(this.#next, Date.now());
    try {
      const aside = putAside(this.#directory);
      makePrivateDirectory(this.#directory);
      if (aside) {
        this.#damaged(
          `${this.#directory} cannot be used (${messageOf(error)}); ${
            keptAs(this.#directory, aside)
          }. Reports that the server had not acknowledged are in it.`,
          aside,
        );
      }
    } catch (fault) {
      this.#outOfRoom(fault);
    }
    return [];
  }

  #isLast(path: string): boolean {
    return path === this.#lastPath;
  }

  /** Takes over a segment; of a damaged one what can be made out. */
  #take(path: string, isLast: boolean): void {
    try {
      // Only what is needed of each: together they may be larger than the memory.
      const check = checkSegment(path);
      if (!isUsable(check.first)) throw new Error("its name holds a number that was never given");
      if (check.tornBytes > 0 && !isLast) throw new Error(`is damaged at byte ${check.wholeBytes}`);
      this.#adopt(check);
    } catch (error) {
      this.#rescue(path, error);
    }
  }

  #rescue(path: string, error: unknown): void {
    const why = messageOf(error).replace(`${path} `, "").replace(
      /\. The file was left as it is\.$/,
      "",
    );
    let found: Entry[] = [];
    try {
      found = salvage(path);
    } catch {
      // It cannot be read at all, which `why` says already.
    }
    let aside: string | undefined;
    try {
      aside = putAside(path);
      if (found.length > 0) {
        replaceFile(path, joined(found.map(encodeEntry)));
        this.#adopt(checkSegment(path));
      }
    } catch (fault) {
      this.#log.error(`${path}: ${messageOf(fault)}`);
      for (const entry of found) this.#remember(entry);
    }
    this.#damaged(
      `Reports for the server were damaged: ${path} ${why}; ${
        keptAs(path, aside)
      }. ${found.length} reports in it are whole and are sent, others may be lost.`,
      aside ?? null,
    );
  }

  /** One that is on no disk of ours. */
  #remember(entry: Entry): void {
    if (entry.type === "job.started" || entry.type === "job.finished") {
      this.#mark(reportOf(entry) as JobStarted | JobFinished);
    }
    this.#next = Math.max(this.#next, entry.seq + RESTART_GAP);
    this.#unwritten.push(entry);
    this.#unwrittenBytes += entry.text.length;
  }

  #mark(report: JobStarted | JobFinished): void {
    if (report.type === "job.started") {
      this.#starts.set(report.job_id, report);
      return;
    }
    this.#starts.delete(report.job_id);
    this.#ends.set(report.job_id, report.seq);
  }

  #damaged(sentence: string, aside: string | null): void {
    if (this.options.onDamage) this.options.onDamage(sentence, aside);
    else this.#log.error(sentence);
  }

  /** Takes over a segment of an earlier run. */
  #adopt({ path, first, last, marks, wholeBytes: bytes, tornBytes }: SegmentCheck): void {
    this.#next = Math.max(this.#next, first + 1, last + RESTART_GAP);
    if (tornBytes > 0) {
      this.#log.warn(`${path}: dropped ${tornBytes} bytes of a report that was never finished`);
      try {
        Deno.truncateSync(path, bytes);
      } catch (error) {
        // It is no report and is never sent.
        this.#log.warn(`${path} could not be shortened: ${messageOf(error)}`);
      }
    }
    for (const report of marks) this.#mark(report);
    this.#archive.add({ path, first, last, bytes, thinned: false });
  }

  #startSegment(): void {
    const path = segmentPath(this.#directory, this.#next);
    this.#file = Deno.openSync(path, { createNew: true, append: true, mode: 0o600 });
    this.#active = { path, first: this.#next, last: 0, bytes: 0, thinned: false };
    try {
      syncDirectory(this.#directory);
    } catch (error) {
      // What is written to it is synced by itself; only its name may be lost, and only by a power cut.
      this.#log.warn(`${this.#directory} could not be written out: ${messageOf(error)}`);
    }
    // The new one carries the numbering on, so empty ones may go.
    this.#archive.forget(0);
  }

  /** Closes the growing segment and begins another. */
  #roll(): void {
    const old = { file: this.#file!, segment: this.#active };
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
      if (!this.#file) this.#startSegment();
      this.#write(this.#file!);
      if (mustSync) this.#file!.syncDataSync();
    } catch (error) {
      this.#outOfRoom(error);
      return;
    }
    this.options.onWritten?.(undefined);
    if (this.#active.bytes >= this.#segmentBytes) {
      this.#roll();
      this.#archive.shortenTo(this.#limitBytes - this.#segmentBytes);
    }
  }

  #write(file: Deno.FsFile): void {
    if (this.#tailIsTorn) {
      file.truncateSync(this.#active.bytes);
      this.#tailIsTorn = false;
    }
    while (this.#unwritten.length > 0) {
      const entry = this.#unwritten[0]!;
      const line = encodeEntry(entry);
      this.#tailIsTorn = true;
      writeAll(file, line);
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
    if (this.options.onWritten) this.options.onWritten(error);
    else {
      this.#log.error(`The journal cannot be written, reports wait in memory: ${messageOf(error)}`);
    }
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.#flush(), RETRY_MS);
  }

  #shortenWaiting(): void {
    const kept = shortened(this.#unwritten, this.#memoryBytes);
    const seqs = new Set(kept.map(({ seq }) => seq));
    // An end that had to go is not one that is still to be sent.
    for (const { seq } of this.#unwritten) {
      if (seqs.has(seq)) continue;
      for (const [job, end] of this.#ends) if (end === seq) this.#ends.delete(job);
    }
    this.#unwritten = kept;
    this.#unwrittenBytes = this.#unwritten.reduce((sum, { text }) => sum + text.length, 0);
  }
}

const RESULTS: Report["type"][] = ["job.started", "job.finished", "snapshots.report"];

function isResult(entry: Entry): boolean {
  return RESULTS.includes(entry.type);
}

/** At most a megabyte, then the file begins again. */
function keepRefused(path: string, text: string): void {
  const isFull = (sizeOf(path) ?? 0) + text.length > REFUSED_BYTES;
  Deno.writeTextFileSync(path, `${text}\n`, { append: !isFull, mode: 0o600 });
}

function sizeOf(path: string): number | undefined {
  try {
    return Deno.statSync(path).size;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
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
