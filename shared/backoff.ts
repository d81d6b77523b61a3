/** Waits that double from `first` to `most` milliseconds, each shortened by up to half at random, so that a fleet spreads. */
export class Backoff {
  #next: number;
  constructor(
    private readonly first: number,
    private readonly most: number,
    private readonly random: () => number = Math.random,
  ) {
    this.#next = first;
  }

  /** Milliseconds to wait before the next try. */
  next(): number {
    const wait = this.#next * (0.5 + this.random() / 2);
    this.#next = Math.min(this.#next * 2, this.most);
    return Math.round(wait);
  }

  reset(): void {
    this.#next = this.first;
  }
}
