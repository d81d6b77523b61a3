// Streams are served in rounds: after the change that they show was answered, and with pauses in which pages and agents have
// their turn, so that a change costs the same however many watch.

/** Whoever made the change has the answer by then. */
const DELAY_MS = 20;
/** Others wait no longer than this for a round. */
const SLICE_MS = 2;

export class Rounds {
  readonly #due = new Set<() => Promise<void>>();
  #isRunning = false;

  /** `serve` catches its own errors. Asked for twice it is served once. */
  add(serve: () => Promise<void>): void {
    this.#due.add(serve);
    if (this.#isRunning) return;
    this.#isRunning = true;
    setTimeout(() => this.#run(), DELAY_MS);
  }

  remove(serve: () => Promise<void>): void {
    this.#due.delete(serve);
  }

  async #run(): Promise<void> {
    while (this.#due.size > 0) {
      const began = performance.now();
      for (const serve of this.#due) {
        this.#due.delete(serve);
        await serve();
        if (performance.now() - began > SLICE_MS) break;
      }
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    this.#isRunning = false;
  }
}
