// restic for a reader that asks for piece after piece.
import type { RunContext } from "./context.ts";
import { type Run, type RunOptions, runRestic } from "./run.ts";

/**
 * What `parse` makes of restic's output, when it is asked for; restic stands still meanwhile. A value is there until the next one is asked
 * for, as its memory may be used again. A reader that leaves ends restic. Returns how it ended. Throws what `parse` throws, and what
 * runRestic() does.
 */
export async function* readRestic<T>(
  context: RunContext,
  options: RunOptions,
  parse: (out: AsyncIterable<Uint8Array>) => AsyncIterable<T>,
): AsyncGenerator<T, Run> {
  const handOver = new HandOver<T>();
  const run = runRestic(context, {
    ...options,
    pull: async (out) => {
      for await (const value of parse(out)) if (!await handOver.give(value)) return;
    },
  });
  // A reader that left wants neither the end nor why there was none.
  const ended = run.then(() => {}, () => {}).finally(() => handOver.end());
  try {
    for (let next = await handOver.take(); next; next = await handOver.take()) yield next.value;
  } finally {
    handOver.end();
    await ended;
  }
  return await run;
}

/** Between one who gives and one who takes: the giver goes on when what he gave is no longer needed. */
class HandOver<T> {
  #offer: { value: T } | undefined;
  #hasEnded = false;
  #onTaken: (isWanted: boolean) => void = () => {};
  #onOffer: () => void = () => {};

  /** False when nobody takes any more. */
  give(value: T): Promise<boolean> {
    if (this.#hasEnded) return Promise.resolve(false);
    this.#offer = { value };
    this.#onOffer();
    return new Promise((resolve) => this.#onTaken = resolve);
  }

  /** The next value; undefined at the end. */
  async take(): Promise<{ value: T } | undefined> {
    this.#onTaken(true);
    this.#onTaken = () => {};
    while (!this.#offer && !this.#hasEnded) {
      await new Promise<void>((resolve) => this.#onOffer = resolve);
    }
    const offer = this.#offer;
    this.#offer = undefined;
    return offer;
  }

  end(): void {
    this.#hasEnded = true;
    this.#onTaken(false);
    this.#onOffer();
  }
}
