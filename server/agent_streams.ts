// Streams that agents send: of each socket those that are open, how much its agent may still send of each, and who reads them. An agent
// that sends what nobody asked for breaks the protocol; everything else is bounded by what it was allowed.
import type { ServerMessage, StreamOrder } from "../shared/protocol.ts";
import {
  costOf,
  STREAM_WINDOW,
  type StreamData,
  type StreamEnd,
  type StreamErrorCode,
  type StreamKind,
  type StreamRequest,
  STREAMS_PER_HOST,
} from "../shared/stream.ts";
import { ProtocolError, readAgentStream } from "../shared/wire.ts";

/** Of all hosts together: what they may have sent and nobody has read yet is 16 MiB at most. */
export const STREAMS_IN_ALL = 32;
/** An agent that may send and does not, for so long, is not waited for. */
const SILENT_MS = 30_000;
/** A reader who takes nothing for so long is gone. */
const UNREAD_MS = 60_000;

/**
 * Why a stream ended before all of it was read: what the agent said; `lost` with its socket; `timed_out` where it sent nothing, or not all
 * of it in time; `unread` where its reader took nothing; `given_up` by its reader.
 */
export type StreamFault = StreamErrorCode | "lost" | "timed_out" | "unread" | "given_up";

export class StreamError extends Error {
  override name = "StreamError";
  /** `message` is what an agent said in the cases of its own: for the log alone. */
  constructor(readonly fault: StreamFault, message: string) {
    super(message);
  }
}

export interface StreamOptions {
  /** Its reader went away. */
  signal?: AbortSignal;
  silentMs?: number;
  unreadMs?: number;
  /** All of it must have come by then. */
  wholeMs?: number;
}

type Send = (message: ServerMessage) => boolean;

/** How many streams are open on the server. */
export class StreamCount {
  open = 0;
}

interface Known {
  kind: StreamKind;
  /** What the agent may still send, also after a cancel that it has not seen yet. */
  credit: number;
  /** undefined once nobody reads it: its end is waited for, and its data dropped. */
  stream: AgentStream | undefined;
}

/** The streams of one agent's socket. */
export class SocketStreams {
  readonly #known = new Map<number, Known>();
  #newest = 0;
  #isClosed = false;

  constructor(private readonly send: Send, private readonly count: StreamCount) {}

  /** Of this kind, those that are read. */
  isOpen(kind: StreamKind): boolean {
    return [...this.#known.values()].some((each) => each.kind === kind && each.stream);
  }

  /** How many have not ended; those that nobody reads any more count until their agent has said so. */
  get size(): number {
    return this.#known.size;
  }

  /** Asks the agent; undefined when too many are open, here or in all. Throws StreamError `lost` when the socket is not open. */
  open(request: StreamRequest, options: StreamOptions = {}): AgentStream | undefined {
    if (this.#known.size >= STREAMS_PER_HOST || this.count.open >= STREAMS_IN_ALL) return undefined;
    const id = this.#newest + 1;
    const order = {
      type: "stream.open",
      stream_id: id,
      credit: STREAM_WINDOW,
      request,
    } satisfies StreamOrder;
    if (this.#isClosed || !this.send(order)) throw lost();
    this.#newest = id;
    this.count.open++;
    const known: Known = { kind: request.kind, credit: STREAM_WINDOW, stream: undefined };
    const stream = new AgentStream(options, {
      give: (bytes) => {
        known.credit += bytes;
        this.send({ type: "stream.credit", stream_id: id, bytes });
      },
      cancel: () => {
        known.stream = undefined;
        this.send({ type: "stream.cancel", stream_id: id });
      },
      free: () => this.count.open--,
    });
    known.stream = stream;
    this.#known.set(id, known);
    stream.begin();
    return stream;
  }

  /** Takes a frame of a stream; false for any other. Throws ProtocolError when the agent breaks the protocol. */
  take(frame: unknown): boolean {
    const read = readAgentStream(frame);
    if (!read) return false;
    if ("type" in read) this.end(read);
    else this.#data(read);
    return true;
  }

  /** Throws ProtocolError. */
  end({ stream_id, error }: StreamEnd): void {
    const known = this.#get(stream_id, "an end");
    this.#known.delete(stream_id);
    known.stream?.finish(error && new StreamError(error.code, error.message));
  }

  /** The socket is gone: so are its streams. */
  close(): void {
    this.#isClosed = true;
    const all = [...this.#known.values()];
    this.#known.clear();
    for (const { stream } of all) stream?.finish(lost());
  }

  #data({ id, bytes }: StreamData): void {
    const known = this.#get(id, "data");
    const cost = costOf(bytes.length);
    if (cost > known.credit) {
      throw new ProtocolError(
        `stream ${id}: ${bytes.length} bytes came, which cost ${cost} of the ${known.credit} that were left of its credit`,
      );
    }
    known.credit -= cost;
    known.stream?.push(bytes);
  }

  #get(id: number, what: string): Known {
    const known = this.#known.get(id);
    if (known) return known;
    const why = id > this.#newest ? "was never opened" : "has ended";
    throw new ProtocolError(`${what} came of stream ${id}, which ${why}`);
  }
}

function lost(): StreamError {
  return new StreamError("lost", "the agent's connection is gone");
}

interface StreamEvents {
  /** So much may be sent in addition. */
  give: (bytes: number) => void;
  /** Nothing more is taken, although its agent has not ended it. */
  cancel: () => void;
  /** Called once: it holds nothing any more. */
  free: () => void;
}

/**
 * What one agent sends for one request. Anyone who reads asks for piece after piece; he either reads to the end or calls `cancel`, for which
 * leaving a `for await` is enough. A reader that does neither is given up after a while. A piece is there until the next one is asked for:
 * its memory is given back then, since a gigabyte comes faster than garbage is collected. Who keeps it copies it.
 */
export class AgentStream implements AsyncIterable<Uint8Array> {
  #pieces: Uint8Array<ArrayBuffer>[] = [];
  #last: Uint8Array<ArrayBuffer> | undefined;
  /** Read and not yet given back as credit. */
  #owed = 0;
  /** Nothing more comes. */
  #hasEnded = false;
  #isFree = false;
  #error: StreamError | undefined;
  #wake: (() => void) | undefined;
  #timer: number | undefined;
  #wholeTimer: number | undefined;
  readonly #onAbort = () => this.cancel();

  constructor(private readonly options: StreamOptions, private readonly events: StreamEvents) {}

  /** Starts its clocks. */
  begin(): void {
    const { signal, wholeMs } = this.options;
    if (signal?.aborted) return this.cancel();
    signal?.addEventListener("abort", this.#onAbort, { once: true });
    if (wholeMs) this.#wholeTimer = setTimeout(() => this.#timeOut(), wholeMs);
    this.#wait();
  }

  /** The next piece; undefined at the end. Throws StreamError. One reader at a time. */
  async read(): Promise<Uint8Array | undefined> {
    this.#last?.buffer.transfer(0);
    this.#last = undefined;
    while (this.#pieces.length === 0) {
      if (this.#error) throw this.#error;
      if (this.#hasEnded) return undefined;
      this.#wait();
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    const piece = this.#last = this.#pieces.shift()!;
    if (this.#hasEnded && this.#pieces.length === 0) this.#free();
    else {
      this.#wait();
      if (!this.#hasEnded) this.#giveBack(costOf(piece.length));
    }
    return piece;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    try {
      for (let piece = await this.read(); piece; piece = await this.read()) yield piece;
    } finally {
      this.cancel();
    }
  }

  /** Its reader wants no more. What was sent and not read is dropped. */
  cancel(): void {
    this.#giveUp("given_up", "its reader wants no more");
  }

  /** Called by its socket: data came. */
  push(bytes: Uint8Array<ArrayBuffer>): void {
    this.#pieces.push(bytes);
    this.#wait();
    this.#wake?.();
  }

  /** Called by its socket: nothing more comes. What came before can still be read, unless the stream failed. */
  finish(error: StreamError | undefined): void {
    this.#hasEnded = true;
    this.#error = error;
    clearTimeout(this.#wholeTimer);
    if (error) this.#pieces = [];
    if (this.#pieces.length === 0) this.#free();
    else this.#wait();
    this.#wake?.();
  }

  /** In halves of the window, so that small pieces cost no message each. */
  #giveBack(cost: number): void {
    this.#owed += cost;
    if (this.#owed < STREAM_WINDOW / 2) return;
    const bytes = this.#owed;
    this.#owed = 0;
    this.events.give(bytes);
  }

  /** From now on it is the agent's turn where all was read, else the reader's. */
  #wait(): void {
    clearTimeout(this.#timer);
    const { silentMs = SILENT_MS, unreadMs = UNREAD_MS } = this.options;
    this.#timer = this.#pieces.length === 0
      ? setTimeout(() => this.#timeOut(), silentMs)
      : setTimeout(() => this.#giveUp("unread", "nobody read it for too long"), unreadMs);
  }

  #timeOut(): void {
    this.#giveUp("timed_out", "the agent did not send it in time");
  }

  #giveUp(fault: StreamFault, message: string): void {
    if (this.#isFree) return;
    this.#error = new StreamError(fault, message);
    this.#pieces = [];
    this.#free();
    if (!this.#hasEnded) {
      this.#hasEnded = true;
      this.events.cancel();
    }
    this.#wake?.();
  }

  #free(): void {
    this.#isFree = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#wholeTimer);
    this.options.signal?.removeEventListener("abort", this.#onAbort);
    this.events.free();
  }
}
