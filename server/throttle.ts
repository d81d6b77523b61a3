// Slows down guessing: so many tries per key within a window, counted in memory and bounded.
import { AppError } from "./errors.ts";

const KEYS_KEPT = 10_000;

export class Throttle {
  readonly #tries = new Map<string, number[]>();

  /** `now`: a clock that never jumps, in milliseconds. */
  constructor(private readonly now: () => number) {}

  /** Counts a try. Throws too_many, with the seconds to wait, above `most` tries in `windowSeconds`. */
  check(key: string, most: number, windowSeconds: number): void {
    const tries = this.peek(key, most, windowSeconds);
    tries.push(this.now());
    this.#tries.delete(key);
    this.#tries.set(key, tries);
    if (this.#tries.size > KEYS_KEPT) this.#tries.delete(this.#tries.keys().next().value!);
  }

  /** Throws as `check` does, and counts nothing. Returns the tries in the window. */
  peek(key: string, most: number, windowSeconds: number): number[] {
    const now = this.now();
    const since = now - windowSeconds * 1000;
    const tries = (this.#tries.get(key) ?? []).filter((at) => at > since);
    if (this.#tries.has(key)) this.#tries.set(key, tries);
    if (tries.length < most) return tries;
    const error = new AppError("too_many", "Too many tries. Wait a little and try again.");
    error.retryAfter = Math.max(1, Math.ceil((tries[0]! - since) / 1000));
    throw error;
  }
}
