// The server's time. The wall clock may be set, forwards or back, by hours or years, and a suspended machine finds it ahead;
// nothing that lasts so and so long may end, come back to life or change its order because of that. So a clock that was set is
// noticed by the monotonic one, and until follow_clock.ts has moved all deadlines along, time goes on as before.

/** What the machine knows of time, in milliseconds. */
export interface TimeSource {
  /** Since 1970: may be set. */
  now(): number;
  /** Never jumps; begins anywhere. */
  elapsed(): number;
  /** Since the machine was started: goes on between two runs of a program. */
  uptime(): number;
}

export const MACHINE: TimeSource = {
  now: Date.now,
  elapsed: () => performance.now(),
  uptime: () => Deno.osUptime() * 1000,
};

/** What an earlier run of the server left. */
export interface StoredClock {
  /** null in a copy of the database: where it is put back, the time that passed cannot be told. */
  wall: number | null;
  uptime: number | null;
  ran: number;
}

export interface Jump {
  /** All of it, in milliseconds; negative: back. */
  whole: number;
  /** Of it what someone set: without the time in which the machine slept, as far as it knows of that itself. */
  set: number;
  /** Only what was written from this moment on is of the clock that was wrong; undefined: everything. */
  since?: number | undefined;
}

const NO_JUMP: Jump = { whole: 0, set: 0 };

/** Clocks are set right by less than this between two looks. */
const TOLERANCE = 5000;
/** A server that hung, was stopped or slept has not run for longer than this between two looks. */
const LONGEST_GAP = 5000;

export class Clock {
  /** At this moment of the monotonic clock it was `#wall`, and the machine had been up for `#up`. */
  #anchor: number;
  #up: number;
  #wall: number;
  #ran: number;
  #looked: number;
  /**
   * A machine that was started again is believed how long it was off. If that was a clock that was ahead, it will be set back; what
   * was there before must not be moved back then, since it was never moved ahead.
   */
  #believed: { since: number; ms: number } | undefined;

  constructor(private readonly source: TimeSource, stored?: StoredClock) {
    this.#anchor = this.#looked = source.elapsed();
    this.#up = source.uptime();
    const { wall, isBelieved } = expectedNow(source, stored);
    this.#wall = wall;
    if (isBelieved) this.#believed = { since: wall, ms: wall - stored!.wall! };
    this.#ran = stored?.ran ?? 0;
  }

  /** Milliseconds since 1970. Right after the clock was set: what it would be had nobody touched it. */
  now(): number {
    const wall = this.source.now();
    const expected = this.#expected();
    return Math.abs(wall - expected) <= TOLERANCE ? wall : Math.round(expected);
  }

  /** Milliseconds on a clock that never jumps: for durations. */
  elapsed(): number {
    return this.source.elapsed();
  }

  /** For how long the server ran, over all its runs: it cannot have heard anybody while it did not. */
  ran(): number {
    const elapsed = this.source.elapsed();
    this.#ran += Math.min(LONGEST_GAP, Math.max(0, elapsed - this.#looked));
    this.#looked = elapsed;
    return this.#ran;
  }

  /** By how much the wall clock went ahead of the time that the server saw pass; 0 for what is no more than a clock that is kept right. */
  look(): Jump {
    this.ran();
    const whole = this.source.now() - this.#expected();
    if (Math.abs(whole) <= TOLERANCE) {
      this.follow(whole);
      return NO_JUMP;
    }
    const since = whole < 0 && this.#believed && -whole <= this.#believed.ms + TOLERANCE
      ? this.#believed.since
      : undefined;
    const slept = this.source.uptime() - this.#up - (this.source.elapsed() - this.#anchor);
    return { whole, set: slept > TOLERANCE ? whole - slept : whole, since };
  }

  /** From here on the wall clock counts as it was set. */
  follow(whole: number): void {
    const elapsed = this.source.elapsed();
    this.#wall += elapsed - this.#anchor + whole;
    this.#anchor = elapsed;
    this.#up = this.source.uptime();
    if (whole < -TOLERANCE) this.#believed = undefined;
  }

  /** For a change that may fail: the function puts everything back as it is now. */
  keep(): () => void {
    const [anchor, up, wall, believed] = [this.#anchor, this.#up, this.#wall, this.#believed];
    return () => {
      this.#anchor = anchor;
      this.#up = up;
      this.#wall = wall;
      this.#believed = believed;
    };
  }

  /** For the next run. */
  toStore(): { wall: number; uptime: number; ran: number } {
    return { wall: this.#expected(), uptime: this.source.uptime(), ran: this.ran() };
  }

  #expected(): number {
    return this.#wall + this.source.elapsed() - this.#anchor;
  }
}

/**
 * What the wall clock should say when nobody set it while the server was away. A machine that was started again has no other clock
 * than that, except that time does not go back.
 */
function expectedNow(
  source: TimeSource,
  stored: StoredClock | undefined,
): { wall: number; isBelieved: boolean } {
  const now = source.now();
  if (!stored || stored.wall === null || stored.uptime === null) {
    return { wall: now, isBelieved: false };
  }
  const up = source.uptime();
  if (up >= stored.uptime) return { wall: stored.wall + up - stored.uptime, isBelieved: false };
  const earliest = stored.wall + up;
  return now > earliest ? { wall: now, isBelieved: true } : { wall: earliest, isBelieved: false };
}
