// How much room the disk of the data folder has. A part of it is kept in reserve: below that only the ends of jobs, logins and
// removals are stored. A ballast file stands for the last of it, so that there is room for those also when something else on
// the machine has filled the disk to its last byte.
import { statfsSync } from "node:fs";
import { join } from "node:path";
import { bytes as inWords } from "../shared/bytes.ts";
import { AppError } from "./errors.ts";

/** Asking the system costs 20 µs; so often is often enough. */
const LOOK_EVERY_MS = 250;
/** The ballast is a small part of the reserve, and never more than this. */
const BALLAST = 16 * 1_048_576;
const PIECE = 65_536;
const JOURNAL_SHARE = 4;
/** Room is made by a person. */
const RETRY_SECONDS = 60;

export class Disk {
  readonly #ballast: string;
  readonly #ballastBytes: number;
  #lookedAt = -Infinity;
  #free = Infinity;

  constructor(private readonly dataDir: string, private readonly reserve: number) {
    this.#ballast = join(dataDir, "ballast");
    this.#ballastBytes = Math.min(BALLAST, Math.floor(reserve / 16));
  }

  /** Bytes of the database's file that are free for new rows: set once it is open. */
  reusable: () => number = () => 0;

  /** Free bytes for this program, as of a moment ago. */
  get free(): number {
    const now = performance.now();
    if (now - this.#lookedAt >= LOOK_EVERY_MS) {
      this.#lookedAt = now;
      this.#free = freeBytes(this.dataDir);
    }
    return this.#free;
  }

  /**
   * True while less than the reserve is free. What was removed from the database makes room in its file, which does not shrink;
   * but its journal beside it needs room of its own.
   */
  get isShort(): boolean {
    const { free, reserve } = this;
    return free < reserve && (free < reserve / JOURNAL_SHARE || free + this.reusable() < reserve);
  }

  /** What a person reads whose change is refused, or undefined while there is room. */
  get problem(): string | undefined {
    if (!this.isShort) return undefined;
    return `The server's disk is nearly full: ${inWords(this.free)} are free and ${
      inWords(this.reserve)
    } are kept in reserve.`;
  }

  /** Throws unavailable while the disk is short of room. */
  refuseWhenShort(): void {
    const { problem } = this;
    if (!problem) return;
    const error = new AppError(
      "unavailable",
      `${problem} Nothing new is stored until there is room again; remove what is not needed.`,
    );
    error.retryAfter = RETRY_SECONDS;
    throw error;
  }

  /** Gives up the ballast where little more than it is left, and takes it again once there is plenty. */
  async tend(): Promise<void> {
    if (this.#ballastBytes === 0) return;
    const there = await Deno.stat(this.#ballast).catch(() => undefined);
    const free = freeBytes(this.dataDir);
    if (there && free < this.#ballastBytes) await Deno.remove(this.#ballast);
    else if (!there && free > this.reserve + 2 * this.#ballastBytes) await this.#load();
    this.#lookedAt = -Infinity;
  }

  /** Noise: a disk that compresses keeps no room for zeros. */
  async #load(): Promise<void> {
    const piece = crypto.getRandomValues(new Uint8Array(PIECE));
    using file = await Deno.open(this.#ballast, { write: true, create: true, mode: 0o600 });
    for (let left = this.#ballastBytes; left > 0; left -= PIECE) {
      await file.write(piece.subarray(0, Math.min(left, PIECE)));
    }
  }
}

function freeBytes(folder: string): number {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch {
    // A file system that does not say: then only a write can tell.
    return Infinity;
  }
}
