/** One after another, each in a turn of the event loop of its own, so that many at once do not hold up everybody else. */
export class YieldQueue {
  #last: Promise<void> = Promise.resolve();

  /** Resolves when it is the caller's turn. */
  next(): Promise<void> {
    this.#last = this.#last.then(() => new Promise((resolve) => setTimeout(resolve, 0)));
    return this.#last;
  }
}
