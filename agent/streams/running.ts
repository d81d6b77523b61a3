// What runs for streams in the whole agent, over all its connections: a folder on a storage that does not answer holds its place until
// it does, so that who asks again and again fills nothing.
import { type StreamErrorCode, type StreamRequest, STREAMS_PER_HOST } from "../../shared/stream.ts";

/**
 * Bytes as they are asked for: anyone who makes them waits in between, and may use a piece's memory again for the next. It ends soon after
 * the signal.
 */
export type Produced = AsyncIterable<Uint8Array>;
export type Produce = (request: StreamRequest, signal: AbortSignal) => Produced;

/** A stream ends with this: the code for the server, the sentence for its log. */
export class StreamProblem extends Error {
  override name = "StreamProblem";
  constructor(readonly code: StreamErrorCode, message: string) {
    super(message);
  }
}

export class RunningStreams {
  #count = 0;

  constructor(private readonly produce: Produce) {}

  get count(): number {
    return this.#count;
  }

  /**
   * The pieces of what is asked for. After the signal it returns at once; what cannot be ended at once is counted until it has ended.
   * Throws StreamProblem `busy` when too many run.
   */
  async *start(request: StreamRequest, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    if (this.#count >= STREAMS_PER_HOST) {
      throw new StreamProblem("busy", `${this.#count} requests are running on this host already`);
    }
    this.#count++;
    const pieces = this.produce(request, signal)[Symbol.asyncIterator]();
    let asked: Promise<unknown> = Promise.resolve();
    try {
      for (;;) {
        const next = pieces.next();
        asked = next;
        const piece = await unlessAborted(next, signal);
        if (!piece || piece.done) return;
        yield piece.value;
      }
    } finally {
      // In this order: a generator that waits for something cannot be asked to return before that has come.
      asked.catch(() => {}).then(() => pieces.return?.()).catch(() => {})
        .finally(() => this.#count--);
    }
  }
}

/** undefined when the signal comes first. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  if (signal.aborted) return undefined;
  let onAbort = () => {};
  const aborted = new Promise<undefined>((resolve) => {
    onAbort = () => resolve(undefined);
    signal.addEventListener("abort", onAbort, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
