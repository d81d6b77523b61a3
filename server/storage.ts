// Whether the database can be written, in one place: what failed says so here, whoever it was. From then on every change is
// refused at once and in words, while pages go on reading, until a probe has written again.
import { bytes as inWords } from "../shared/bytes.ts";
import type { Database } from "./database/open.ts";
import { PATIENCE_MS } from "./database/open.ts";
import { type StorageFault, storageFaultOf } from "./database/storage_error.ts";
import { AppError } from "./errors.ts";
import type { Log } from "../shared/log.ts";

/** Between two probes while nothing can be written. */
const PROBE_MS = 1000;
/** The journal is normally emptied at 4 MiB; only a reader that does not end keeps it from that. */
const JOURNAL_ALARM = 64 * 1_048_576;

/** Without names of files: strangers read it too. */
const REASONS: Record<StorageFault, string> = {
  locked: "another program, such as a sqlite3 shell, keeps the database locked",
  full: "its disk is full",
  read_only: "the database can only be read",
  io_error: "its disk answers with errors",
  cannot_open: "a file of the database cannot be opened",
  damaged:
    "the database is damaged: stop the server and put back a copy made by restic-manager-server backup-database",
  gone: "the data folder is not there any more",
  replaced: "the files of the database were replaced while the server ran: start the server again",
};

/** Only a person ends these, and a start of the server looks at every page. */
const FOR_GOOD: ReadonlySet<StorageFault> = new Set(["damaged"]);

export interface StorageProblem {
  fault: StorageFault;
  /** Milliseconds since 1970. */
  since: number;
  /** Continues "…, because". */
  reason: string;
}

interface Wiring {
  database: Database;
  log: Log;
  now(): number;
  /** Called when the problem begins, changes or ends. */
  onChange(): void;
}

export class Storage {
  #problem: StorageProblem | undefined;
  #journal: string | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #probing: Promise<boolean> | undefined;
  #probedAt = -Infinity;
  #begunAt = 0;
  #isClosed = false;
  readonly #waiting = new Set<() => void>();

  constructor(private readonly wiring: Wiring) {
    wiring.database.driver.onFault = (fault) => this.#begin(fault);
  }

  /** undefined while everything can be stored. */
  get problem(): StorageProblem | undefined {
    return this.#problem;
  }

  /** What everybody must know, in whole sentences. */
  get notice(): string | undefined {
    if (!this.#problem) return this.#journal;
    const since = new Date(this.#problem.since).toISOString().slice(11, 19);
    return `Nothing can be saved since ${since} UTC, because ${this.#problem.reason}. Pages show what was saved before; agents keep backing up and report later.`;
  }

  /** For a failed request: an error that says why, or undefined when the error has nothing to do with the storage. */
  asAppError(error: unknown): AppError | undefined {
    const fault = storageFaultOf(error);
    if (fault === undefined) return undefined;
    this.#begin(fault);
    return refusal(REASONS[fault]);
  }

  /** Throws storage_cannot_write while nothing can be stored. */
  refuseWhenBroken(): void {
    this.lookForFiles();
    if (this.#problem) throw refusal(this.#problem.reason);
  }

  /** Throws storage_cannot_write when what is written is not in the data folder any more. */
  lookForFiles(): void {
    try {
      this.wiring.database.lookForFiles();
    } catch (error) {
      throw this.asAppError(error) ?? error;
    }
  }

  /** Resolves with true when everything can be stored again, and with false after this time. */
  async mended(withinMs: number): Promise<boolean> {
    if (!this.#problem) return true;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.add(resolve);
    const timer = setTimeout(resolve, withinMs);
    await promise;
    clearTimeout(timer);
    this.#waiting.delete(resolve);
    return this.#problem === undefined;
  }

  /** Whether a row can be written, as of this many milliseconds ago at most. */
  async isWritable(maxAgeMs = 0): Promise<boolean> {
    if (performance.now() - this.#probedAt < maxAgeMs) return this.#problem === undefined;
    return await (this.#probing ??= this.#probe().finally(() => this.#probing = undefined));
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.wiring.database.driver.onFault = () => {};
    for (const resolve of this.#waiting) resolve();
  }

  /** Writes one page and waits until it is on the disk. */
  async #probe(): Promise<boolean> {
    const { database } = this.wiring;
    if (this.#problem && FOR_GOOD.has(this.#problem.fault)) return false;
    try {
      database.lookForFiles();
      const version = await database.raw((sqlite) => {
        const { user_version } = sqlite.prepare("pragma user_version").get() as {
          user_version: number;
        };
        sqlite.exec(`pragma user_version = ${user_version}`);
        return user_version;
      });
      // After a failed write of the system its memory may hold what the disk does not: copied once more from there.
      if (this.#problem) database.sqlite.prepare("pragma wal_checkpoint(passive)").get();
      await database.flush();
      this.#lookAtJournal();
      this.#end();
      return version !== undefined;
    } catch (error) {
      const fault = storageFaultOf(error);
      if (fault === undefined) throw error;
      this.#begin(fault);
      return false;
    } finally {
      this.#probedAt = performance.now();
    }
  }

  #begin(found: StorageFault): void {
    const { log, now, database } = this.wiring;
    const fault = database.refine(found);
    const before = this.#problem;
    if (this.#isClosed || before?.fault === fault) return;
    if (before && FOR_GOOD.has(before.fault)) return;
    this.#problem = { fault, since: before?.since ?? now(), reason: REASONS[fault] };
    if (!before) this.#begunAt = performance.now();
    // Anyone who comes from here on is refused at once: one after the other would wait longer and longer.
    database.driver.patienceMs = 0;
    log.error(`Nothing can be saved, because ${REASONS[fault]}.`);
    if (!before) this.#probeLater();
    this.wiring.onChange();
  }

  #probeLater(): void {
    if (this.#isClosed) return;
    this.#timer = setTimeout(async () => {
      try {
        await this.isWritable();
      } catch (error) {
        this.wiring.log.error(`probe of the database: ${error}`);
      }
      if (this.#problem) this.#probeLater();
    }, PROBE_MS);
  }

  #end(): void {
    const before = this.#problem;
    if (!before || this.#isClosed) return;
    this.#problem = undefined;
    clearTimeout(this.#timer);
    this.wiring.database.driver.patienceMs = PATIENCE_MS;
    const seconds = Math.round((performance.now() - this.#begunAt) / 1000);
    this.wiring.log.info(`Everything can be saved again, after ${seconds} s`);
    for (const resolve of this.#waiting) resolve();
    this.wiring.onChange();
  }

  /** Another program that reads in one long transaction keeps the journal from being emptied. */
  #lookAtJournal(): void {
    const { database, log } = this.wiring;
    const size = database.journalBytes();
    const before = this.#journal;
    this.#journal = undefined;
    if (size > JOURNAL_ALARM && !isEmptied(database)) {
      this.#journal =
        `Another program has been reading the database for long, so that its journal has grown to ${
          inWords(size)
        }. End that program before the disk is full.`;
    }
    if ((before === undefined) === (this.#journal === undefined)) return;
    if (this.#journal) log.warn(this.#journal);
    this.wiring.onChange();
  }
}

function isEmptied({ sqlite }: Database): boolean {
  const { log, checkpointed } = sqlite.prepare("pragma wal_checkpoint(passive)").get() as {
    log: number;
    checkpointed: number;
  };
  return checkpointed >= log;
}

function refusal(reason: string): AppError {
  const error = new AppError(
    "storage_cannot_write",
    `The server cannot save anything, because ${reason}. Nothing was saved.`,
  );
  error.retryAfter = 5;
  return error;
}
