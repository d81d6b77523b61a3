// The streams of one connection. A producer is asked for its next piece only when the server has room for the last one and the socket
// has sent what is before it, so that a slow reader stops the producer and memory holds one piece of each stream.
import type { StreamOrder } from "../../shared/protocol.ts";
import {
  frameBuffer,
  STREAM_DATA_LIMIT,
  STREAM_FRAME_COST,
  type StreamEnd,
  streamFrame,
  type StreamOpen,
} from "../../shared/stream.ts";
import { type Log, messageOf } from "../../shared/log.ts";
import { type RunningStreams, StreamProblem } from "./running.ts";

/** As much of a socket as streams need. */
export interface StreamWire {
  /** Sends nothing, and returns false, when the socket is not open. */
  sendEnd: (end: StreamEnd) => boolean;
  sendData: (frame: Uint8Array<ArrayBuffer>) => boolean;
  /** Resolves when the socket has sent enough of the data before, or when the signal comes. */
  room: (signal: AbortSignal) => Promise<void>;
}

/** The most credit that is counted; what a server gives beyond it is not used at once anyway. */
const MOST_CREDIT = 0xffff_ffff;

interface OpenStream {
  id: number;
  credit: number;
  abort: AbortController;
  /** Set while it waits for credit. */
  wake: () => void;
}

export class SessionStreams {
  readonly #open = new Map<number, OpenStream>();
  /** Of each frame in its turn: a socket copies what it is given. */
  readonly #buffer = frameBuffer();
  #newest = 0;
  #isClosed = false;

  constructor(
    private readonly running: RunningStreams,
    private readonly wire: StreamWire,
    private readonly log: Log,
  ) {}

  receive(order: StreamOrder): void {
    switch (order.type) {
      case "stream.open":
        return this.#start(order);
      case "stream.credit":
        return this.#give(order.stream_id, order.bytes);
      case "stream.cancel":
        // One that has ended meanwhile is not there any more.
        return this.#open.get(order.stream_id)?.abort.abort();
      default:
        return order satisfies never;
    }
  }

  /** A request that this agent cannot read: its stream ends before it began. */
  refuse(id: number, reason: string): void {
    if (!this.#take(id)) return;
    this.#end(id, { code: "unsupported", message: reason });
  }

  /** The socket is gone: ends whatever runs. */
  close(): void {
    this.#isClosed = true;
    for (const { abort } of this.#open.values()) abort.abort();
  }

  #start({ stream_id, credit, request }: StreamOpen): void {
    if (!this.#take(stream_id)) return;
    const stream: OpenStream = {
      id: stream_id,
      credit,
      abort: new AbortController(),
      wake: () => {},
    };
    stream.abort.signal.addEventListener("abort", () => stream.wake(), { once: true });
    this.#open.set(stream_id, stream);
    this.#run(stream, request).then(
      () => this.#ended(stream),
      (error: unknown) => this.#ended(stream, error),
    );
  }

  /** False, and nothing is begun, for a number that was used before. */
  #take(id: number): boolean {
    if (this.#isClosed) return false;
    if (id <= this.#newest) {
      this.log.error(`The server opened stream ${id} a second time; it was not begun`);
      return false;
    }
    this.#newest = id;
    return true;
  }

  #give(id: number, bytes: number): void {
    const stream = this.#open.get(id);
    if (!stream) return;
    stream.credit = Math.min(MOST_CREDIT, stream.credit + bytes);
    stream.wake();
  }

  async #run(stream: OpenStream, request: StreamOpen["request"]): Promise<void> {
    const { signal } = stream.abort;
    for await (const piece of this.running.start(request, signal)) {
      for (let from = 0; from < piece.length;) {
        await this.#credit(stream);
        await this.wire.room(signal);
        if (signal.aborted) return;
        const size = Math.min(STREAM_DATA_LIMIT, stream.credit - STREAM_FRAME_COST);
        const part = piece.subarray(from, from + size);
        stream.credit -= part.length + STREAM_FRAME_COST;
        from += part.length;
        if (!this.wire.sendData(streamFrame(stream.id, part, this.#buffer))) {
          return stream.abort.abort();
        }
      }
    }
  }

  /** Resolves when something may be sent, or the stream was cancelled. */
  async #credit(stream: OpenStream): Promise<void> {
    while (stream.credit <= STREAM_FRAME_COST && !stream.abort.signal.aborted) {
      await new Promise<void>((resolve) => stream.wake = resolve);
    }
  }

  #ended(stream: OpenStream, error?: unknown): void {
    this.#open.delete(stream.id);
    const isCancelled = stream.abort.signal.aborted;
    // What it runs is ended with it, also where it failed at something else.
    stream.abort.abort();
    if (this.#isClosed) return;
    if (isCancelled) this.#end(stream.id, { code: "cancelled", message: "cancelled" });
    else if (error === undefined) this.#end(stream.id);
    else this.#end(stream.id, this.#problemOf(stream.id, error));
  }

  #problemOf(id: number, error: unknown): StreamEnd["error"] {
    if (error instanceof StreamProblem) return { code: error.code, message: error.message };
    this.log.error(`Stream ${id}: ${messageOf(error)}`);
    return { code: "failed", message: messageOf(error) };
  }

  #end(id: number, error?: StreamEnd["error"]): void {
    const end: StreamEnd = { type: "stream.end", stream_id: id };
    if (error) end.error = { ...error, message: error.message.slice(0, 500).toWellFormed() };
    this.wire.sendEnd(end);
  }
}
