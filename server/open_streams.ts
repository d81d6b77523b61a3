// The streams of events that are open towards browsers and scripts, and how many there may be: each of them costs at every
// change, whether anybody reads it or not.

/** A person with more pages open than this is told that the next one is not live. */
export const STREAMS_PER_USER = 20;
export const STREAMS_IN_ALL = 500;

export class OpenStreams {
  /** Who reads nothing for so long is dropped, with what is queued for it; a browser that wakes up connects again. */
  unreadMs = 30_000;
  /** Something is sent as often as this, so that a reader who is gone shows. */
  keepAliveMs = 15_000;
  readonly #ofUser = new Map<string, number>();
  #all = 0;

  /** Counts one more; call what is returned once when it ends. undefined when there are too many already. */
  open(userId: string): (() => void) | undefined {
    const mine = this.#ofUser.get(userId) ?? 0;
    if (mine >= STREAMS_PER_USER || this.#all >= STREAMS_IN_ALL) return undefined;
    this.#ofUser.set(userId, mine + 1);
    this.#all++;
    return () => this.#leave(userId);
  }

  get count(): number {
    return this.#all;
  }

  #leave(userId: string): void {
    const left = this.#ofUser.get(userId)! - 1;
    if (left > 0) this.#ofUser.set(userId, left);
    else this.#ofUser.delete(userId);
    this.#all--;
  }
}
