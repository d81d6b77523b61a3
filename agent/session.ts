// One socket to the server: hello, heartbeat, what the journal holds, and its end.
import { JumpWatch, type TimeSource } from "./clock.ts";
import { setImmediate } from "node:timers";
import {
  type AgentMessage,
  CLOSE,
  type Hello,
  type ServerMessage,
  type StreamOrder,
} from "../shared/protocol.ts";
import { ProtocolError, readServerMessage, type Unreadable } from "../shared/wire.ts";
import type { Journal } from "./journal/journal.ts";
import { type Log, messageOf } from "../shared/log.ts";
import type { RunningStreams } from "./streams/running.ts";
import { SessionStreams } from "./streams/session_streams.ts";

export interface Pace {
  firstRetryMs: number;
  slowestRetryMs: number;
  heartbeatMs: number;
  /** Without a frame for this long the server counts as gone. */
  silentMs: number;
  dialMs: number;
}

export interface SessionOptions {
  /** http(s)://… without a slash at its end. */
  server: string;
  bearer: string;
  client?: Deno.HttpClient;
  journal: Journal;
  log: Log;
  pace: Pace;
  clock: TimeSource;
  hello: () => Promise<Hello>;
  /** What runs for streams, over all sessions. */
  streams: RunningStreams;
  onMessage: (message: Exclude<ServerMessage, StreamOrder>) => void;
  /** A message of the server that this agent cannot take. */
  onUnreadable: (unreadable: Unreadable) => void;
}

// Above these the peer is slow: bulk waits, so that a heartbeat is not stuck behind it for long.
const BUFFER_LIMIT = 256 * 1024;
const WINDOW_LIMIT = 4 * 1024 * 1024;
const CONGESTION_RETRY_MS = 20;
/** Of streams no more is handed to the socket at once, beside what reports may: neither waits for the other. */
const STREAM_BUFFER_LIMIT = 128 * 1024;
/** After so many bytes of streams timers have a turn, however fast the socket is. */
const STREAM_SLICE = 1024 * 1024;
const GOOD_AFTER_MS = 30_000;

export interface SessionEnd {
  code: number;
  reason: string;
  /** What the server sent was no message at all: the same would come again at once. */
  isNonsense?: boolean;
  /** The number of the last report that was sent. */
  sentUpTo?: number;
}

export interface SessionEvents {
  /** The connection proved to be good. */
  onGood: () => void;
  /** It has been so for a while. */
  onLasting: () => void;
  onEnd: (end: SessionEnd) => void;
}

/** One socket, from dialling to its end, which is told once however often the socket tells it. */
export class Session {
  isAccepted = false;
  readonly #socket: WebSocket;
  readonly #timers: number[] = [];
  readonly #jumps: JumpWatch;
  #isNonsense = false;
  #heardAt: number;
  #hasSaidHello = false;
  #hasEnded = false;
  #sentUpTo = 0;
  /** What was sent and is not acknowledged. */
  #inFlight: { seq: number; bytes: number }[] = [];
  #inFlightBytes = 0;
  #pumpTimer: number | undefined;
  readonly #streams: SessionStreams;
  /** All bytes that the socket was given, and after how many of them each unsent frame of a stream ends. */
  #given = 0;
  #unsentFrames: { end: number; bytes: number }[] = [];
  #streamSlice = 0;
  #error = "";
  #onGone: () => void = () => {};

  constructor(private readonly options: SessionOptions, private readonly events: SessionEvents) {
    this.#heardAt = options.clock.elapsed();
    this.#jumps = new JumpWatch(options.clock);
    this.#streams = new SessionStreams(options.streams, {
      sendEnd: (end) => this.send(end),
      sendData: (frame) => this.#sendStreamData(frame),
      room: (signal) => this.#streamRoom(signal),
    }, options.log);
    const url = `${options.server.replace(/^http/, "ws")}/ws/agent`;
    this.#socket = new WebSocket(url, {
      headers: { authorization: `Bearer ${options.bearer}` },
      client: options.client,
    } as unknown as string[]);
    // An exception in one of these would end the whole process.
    this.#socket.onopen = () => this.#guard(() => void this.#opened());
    this.#socket.onmessage = ({ data }) => this.#guard(() => this.#receive(data));
    this.#socket.onerror = (event) => {
      event.preventDefault();
      this.#error = (event as ErrorEvent).message ?? "";
    };
    this.#socket.onclose = ({ code, reason }) => {
      this.#onGone();
      this.#guard(() => this.#closed(code, reason));
    };
    this.#after(options.pace.dialMs, () => {
      if (!this.#hasSaidHello) this.end("the server did not answer");
    });
  }

  get buffered(): number {
    return this.#socket.bufferedAmount;
  }

  /** Everything in the journal was sent. */
  get isCurrent(): boolean {
    return this.#hasSaidHello && !this.options.journal.after(this.#sentUpTo);
  }

  send(message: AgentMessage): boolean {
    if (!this.#hasSaidHello && message.type !== "hello") return false;
    return this.#sendText(JSON.stringify(message));
  }

  /** Ends the session from this side. The other side is not waited for: it may be gone. */
  end(why: string, code: number = CLOSE.silent): void {
    if (this.#hasEnded) return;
    try {
      this.#socket.close(code, why.slice(0, 40));
    } catch {
      // Closing already.
    }
    this.#closed(0, why);
  }

  /** Resolves when the socket itself is closed, or after this long. */
  gone(withinMs: number): Promise<void> {
    if (this.#socket.readyState === WebSocket.CLOSED) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, withinMs);
      this.#onGone = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Sends what the journal holds, as far as the server keeps up. */
  pump(): void {
    this.#guard(() => {
      if (!this.#hasSaidHello || this.#hasEnded || this.#pumpTimer !== undefined) return;
      while (this.#inFlightBytes < WINDOW_LIMIT) {
        if (this.buffered - this.#unsentOfStreams > BUFFER_LIMIT) {
          this.#pumpTimer = setTimeout(() => {
            this.#pumpTimer = undefined;
            this.pump();
          }, CONGESTION_RETRY_MS);
          return;
        }
        const entry = this.options.journal.after(this.#sentUpTo);
        if (!entry) return;
        // What follows carries times of a clock that is not the one which the server was told of.
        if (this.#jumps.look() !== 0) this.#tellClock();
        if (!this.#sendText(entry.text)) return;
        this.#sentUpTo = entry.seq;
        this.#inFlight.push({ seq: entry.seq, bytes: entry.text.length });
        this.#inFlightBytes += entry.text.length;
      }
    });
  }

  async #opened(): Promise<void> {
    try {
      const hello = await this.options.hello();
      if (this.#hasEnded || !this.#sendText(JSON.stringify(hello))) return;
      this.#hasSaidHello = true;
      this.options.log.info(`Connected to ${this.options.server}`);
      this.#every(this.options.pace.heartbeatMs, () => this.#beat());
      this.#after(GOOD_AFTER_MS, () => {
        this.events.onGood();
        this.events.onLasting();
      });
      this.pump();
    } catch (error) {
      this.end(`hello could not be said: ${messageOf(error)}`);
    }
  }

  #beat(): void {
    if (this.options.clock.elapsed() - this.#heardAt > this.options.pace.silentMs) {
      this.end("the server was silent for too long");
    } else this.#tellClock();
  }

  #tellClock(): void {
    this.send({ type: "heartbeat", clock: this.options.clock.now() });
  }

  #receive(data: unknown): void {
    if (this.#hasEnded) return;
    this.#heardAt = this.options.clock.elapsed();
    let message: ServerMessage;
    try {
      message = readServerMessage(data);
    } catch (error) {
      this.#refuse(error);
      return;
    }
    if (message.type === "report.ack") this.#acknowledged(message.up_to);
    if (message.type === "config.update" && !this.isAccepted) {
      this.isAccepted = true;
      this.events.onGood();
    }
    if (isOfStream(message)) this.#streams.receive(message);
    else this.options.onMessage(message);
  }

  #refuse(error: unknown): void {
    const text = messageOf(error);
    if (error instanceof ProtocolError && error.unreadable) {
      // Whose other messages are understood: the conversation goes on.
      const { type, streamId, reason } = error.unreadable;
      if (type === "stream.open" && Number.isInteger(streamId) && streamId! > 0) {
        return this.#streams.refuse(streamId!, reason);
      }
      return this.options.onUnreadable(error.unreadable);
    }
    this.options.log.error(`The server's message was not understood: ${text}`);
    if (error instanceof ProtocolError && error.unknownType) {
      this.send({ type: "error", message: text.slice(0, 1000) });
    } else {
      this.#isNonsense = true;
      this.end(`the server sent nonsense: ${text}`, CLOSE.badFrame);
    }
  }

  #acknowledged(upTo: number): void {
    this.options.journal.acknowledge(upTo);
    while (this.#inFlight[0] && this.#inFlight[0].seq <= upTo) {
      this.#inFlightBytes -= this.#inFlight.shift()!.bytes;
    }
    this.pump();
  }

  #sendText(text: string): boolean {
    return this.#give(text);
  }

  #give(data: string | Uint8Array<ArrayBuffer>): boolean {
    if (this.#socket.readyState !== WebSocket.OPEN) return false;
    const before = this.buffered;
    this.#socket.send(data);
    this.#given += this.buffered - before;
    return true;
  }

  #sendStreamData(frame: Uint8Array<ArrayBuffer>): boolean {
    if (!this.#give(frame)) return false;
    this.#unsentFrames.push({ end: this.#given, bytes: frame.length });
    this.#streamSlice += frame.length;
    return true;
  }

  /** Bytes of streams that the socket was given and has not sent. */
  get #unsentOfStreams(): number {
    const sent = this.#given - this.buffered;
    while (this.#unsentFrames[0] && this.#unsentFrames[0].end <= sent) this.#unsentFrames.shift();
    return this.#unsentFrames.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Waits until the socket has sent most of what streams gave it. */
  async #streamRoom(signal: AbortSignal): Promise<void> {
    if (this.#streamSlice > STREAM_SLICE) {
      this.#streamSlice = 0;
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    for (let tries = 0; !signal.aborted && this.#unsentOfStreams >= STREAM_BUFFER_LIMIT; tries++) {
      // A fast socket is done with it in one turn of the event loop; a slow one is asked now and then.
      await (tries < 2
        ? new Promise((resolve) => setImmediate(resolve))
        : new Promise((resolve) => setTimeout(resolve, Math.min(CONGESTION_RETRY_MS, tries))));
    }
  }

  #closed(code: number, reason: string): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    for (const timer of this.#timers) clearInterval(timer);
    clearTimeout(this.#pumpTimer);
    this.#streams.close();
    this.events.onEnd({
      code,
      reason: reason || this.#error,
      isNonsense: this.#isNonsense,
      sentUpTo: this.#sentUpTo,
    });
  }

  #every(ms: number, act: () => void): void {
    this.#timers.push(setInterval(() => this.#guard(act), ms));
  }

  #after(ms: number, act: () => void): void {
    this.#timers.push(setTimeout(() => this.#guard(act), ms));
  }

  #guard(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.options.log.error(`Fault in the connection: ${messageOf(error)}`);
    }
  }
}

function isOfStream(message: ServerMessage): message is StreamOrder {
  return message.type.startsWith("stream.");
}
