// How fast one agent may go. It is held back by not reading on and not acknowledging, never by closing: an honest agent waits
// for acknowledgements, and its journal keeps what is not sent.
import type { YieldQueue } from "../yield_queue.ts";

/** A journal that grew for days comes in at once; what goes on longer comes at the sustained pace. */
const BURST_BYTES = 64 * 1_048_576;
const BYTES_PER_SECOND = 4 * 1_048_576;
/** However short it is, a frame is worth this much: it takes a transaction of its own. */
const FRAME_BYTES = 4096;
const LOG_LINES_PER_MINUTE = 30;
/** Agents together work so long before everybody else has a turn. */
const SLICE_MS = 10;
const HOSTS_KEPT = 20_000;

interface HostPace {
  /** What it may send at once now, as of `at`. */
  left: number;
  at: number;
  logged: number;
  leftOut: number;
  minute: number;
}

/** By host, not by connection: a new connection gives no new share. */
export class Paces {
  readonly #hosts = new Map<string, HostPace>();
  readonly #pauses = new Set<() => void>();

  constructor(private readonly closing: AbortSignal) {
    closing.addEventListener("abort", () => {
      for (const end of [...this.#pauses]) end();
    }, { once: true });
  }

  /** Resolves when a frame of this size may be dealt with. */
  async wait(hostId: string, size: number, over: () => boolean): Promise<void> {
    const pace = this.#of(hostId);
    const now = performance.now();
    pace.left = Math.min(BURST_BYTES, pace.left + (now - pace.at) / 1000 * BYTES_PER_SECOND);
    pace.at = now;
    pace.left -= Math.max(size, FRAME_BYTES);
    // Its own frames come one after another, so that what is owed is never more than a frame.
    const until = now - pace.left / BYTES_PER_SECOND * 1000;
    while (performance.now() < until && !over() && !this.closing.aborted) {
      await this.#pause(Math.min(250, Math.max(1, until - performance.now())));
    }
  }

  /** A line for the server's log, or undefined when this host has had its share of the minute. */
  logLine(hostId: string, text: string): string | undefined {
    const pace = this.#of(hostId);
    const minute = Math.floor(performance.now() / 60_000);
    if (pace.minute !== minute) {
      const { leftOut } = pace;
      Object.assign(pace, { minute, logged: 0, leftOut: 0 });
      if (leftOut > 0) text = `${text} (${leftOut} lines of this host before were left out)`;
    }
    if (pace.logged >= LOG_LINES_PER_MINUTE) {
      pace.leftOut++;
      return undefined;
    }
    pace.logged++;
    return text;
  }

  forget(hostId: string): void {
    this.#hosts.delete(hostId);
  }

  /** Ends early when the server stops. */
  #pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.#pauses.delete(end);
        resolve();
      };
      const timer = setTimeout(end, milliseconds);
      this.#pauses.add(end);
    });
  }

  #of(hostId: string): HostPace {
    let pace = this.#hosts.get(hostId);
    if (!pace) {
      pace = { left: BURST_BYTES, at: performance.now(), logged: 0, leftOut: 0, minute: -1 };
      this.#hosts.set(hostId, pace);
      if (this.#hosts.size > HOSTS_KEPT) this.#hosts.delete(this.#hosts.keys().next().value!);
    }
    return pace;
  }
}

/**
 * Agents take turns with each other and with everybody else. Reports are dealt with in promises, between which the event
 * loop takes no request, however many there are; only a timer lets it.
 */
export class Slices {
  #spent = 0;
  #isTicking = false;

  constructor(private readonly turns: YieldQueue) {}

  /** Before a report is dealt with: resolves at once, or when it is this agent's turn. */
  async next(): Promise<void> {
    if (this.#spent < SLICE_MS) return;
    await this.turns.next();
    this.#spent = 0;
  }

  spent(milliseconds: number): void {
    this.#spent += milliseconds;
    if (this.#isTicking) return;
    this.#isTicking = true;
    // The loop goes on by itself where an agent waits for acknowledgements: then nobody need be made to wait.
    setTimeout(() => {
      this.#isTicking = false;
      this.#spent = 0;
    }, 0);
  }
}
