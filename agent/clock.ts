// The host's time. Its schedules fire by the wall clock, which someone may set; everything that lasts is measured by the monotonic one.

export interface TimeSource {
  /** Milliseconds since 1970: may be set. */
  now: () => number;
  /** Milliseconds on a clock that never jumps; it stands still while a machine sleeps. */
  elapsed: () => number;
}

export const MACHINE: TimeSource = { now: Date.now, elapsed: () => performance.now() };

/** Clocks are kept right by less than this between two looks. */
const TOLERANCE_MS = 5000;

/** Notices that the wall clock was set, or that the machine slept. */
export class JumpWatch {
  #wall: number;
  #elapsed: number;

  constructor(private readonly source: TimeSource) {
    this.#wall = source.now();
    this.#elapsed = source.elapsed();
  }

  /** By how many milliseconds the wall clock went ahead of the time that passed since the last look; negative: back. */
  look(): number {
    const [wall, elapsed] = [this.source.now(), this.source.elapsed()];
    const jump = wall - this.#wall - (elapsed - this.#elapsed);
    this.#wall = wall;
    this.#elapsed = elapsed;
    return Math.abs(jump) > TOLERANCE_MS ? jump : 0;
  }
}
