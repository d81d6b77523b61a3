// Server-sent events (WHATWG HTML, 9.2) towards one browser. A browser that does not read costs one buffer, delays
// nobody, and catches up from the tables when it reads again.
import type { Server } from "../server.ts";
import { AppError } from "../errors.ts";
import { type Ctx, userOf } from "./context.ts";
import { isStillSignedIn } from "./security.ts";
import { onceASecond } from "./shared_fragments.ts";

/** How much may wait for a slow reader before events are left out (bytes, roughly). */
const BUFFER = 64 * 1024;
/** Who signed out, or lost the token, sees nothing more after this. */
const RECHECK_MILLISECONDS = 1000;
/** A page that is not live does not try again by itself; for what does not know the event, ten minutes. */
const NOT_LIVE = "retry: 600000\n\nevent: not-live\ndata: Too many live pages are open.\n\n";

export interface Feed {
  /** Queues a message; check `ready` first. */
  send(message: { event?: string; id?: number | string; data: string }): void;
  /** Queues text that is in the form of events already. */
  sendRaw(text: string): void;
  /** Queues bytes that many streams share. */
  sendBytes(bytes: Uint8Array): void;
  /** False while the reader has to catch up with what is queued. */
  readonly ready: boolean;
  close(): void;
}

/** What feeds a stream. */
export interface Source {
  /** Called once, and again whenever the reader has caught up. */
  pump(feed: Feed): void | Promise<void>;
  /** Called once when the stream ends, whoever ended it. */
  stop(): void;
}

/**
 * At most 20 a user and 500 in all (open_streams.ts): a page beyond them is told so by the event `not-live`, a script by
 * too_many.
 */
export function eventStream(server: Server, c: Ctx, open: (feed: Feed) => Source): Response {
  // Nobody reads a body of it.
  if (c.req.method === "HEAD" || c.req.raw.signal.aborted) return c.body(null, 200, HEADERS);
  const leave = server.streams.open(userOf(c).id);
  if (!leave) return notLive(c);
  return c.body(new LiveStream(server, c, open, leave).body, 200, HEADERS);
}

/** One reader. It ends once, whoever ends it: the reader, the source, the server, or the user who signs out. */
class LiveStream implements Feed {
  readonly body: ReadableStream<Uint8Array>;
  readonly #encoder = new TextEncoder();
  readonly #gone: AbortSignal;
  readonly #close = () => this.close();
  readonly #drop = () => this.#lose();
  #controller!: ReadableStreamDefaultController<Uint8Array>;
  #source: Source | undefined;
  #hasEnded = false;
  #timers: number[] = [];
  #readAt = performance.now();

  constructor(
    private readonly server: Server,
    private readonly c: Ctx,
    open: (feed: Feed) => Source,
    private readonly leave: () => void,
  ) {
    this.#gone = c.req.raw.signal;
    this.body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#controller = controller;
        this.#start();
        this.#source = open(this);
      },
      pull: () => this.#pump(),
      cancel: () => void this.#end(),
    }, new ByteLengthQueuingStrategy({ highWaterMark: BUFFER }));
  }

  get ready(): boolean {
    return !this.#hasEnded && (this.#controller.desiredSize ?? 0) > 0;
  }

  send(message: { event?: string; id?: number | string; data: string }): void {
    this.sendRaw(frame(message));
  }

  sendRaw(text: string): void {
    this.sendBytes(this.#encoder.encode(text));
  }

  sendBytes(bytes: Uint8Array): void {
    if (!this.#hasEnded && bytes.length > 0) this.#controller.enqueue(bytes);
  }

  close(): void {
    if (this.#end()) this.#controller.close();
  }

  #start(): void {
    this.server.closing.addEventListener("abort", this.#close);
    // A reader that goes before the first byte was taken cancels nothing.
    this.#gone.addEventListener("abort", this.#drop);
    // How long the browser waits before it comes back, in milliseconds.
    this.sendRaw("retry: 2000\n\n");
    const keepAlive = () => this.ready && this.sendRaw(":\n\n");
    this.#timers = [
      setInterval(keepAlive, this.server.streams.keepAliveMs),
      setInterval(() => this.#recheck(), RECHECK_MILLISECONDS),
    ];
  }

  async #pump(): Promise<void> {
    this.#readAt = performance.now();
    try {
      await this.#source?.pump(this);
    } catch (error) {
      this.server.log.error(`live stream: ${error}`);
      this.close();
    }
  }

  async #recheck(): Promise<void> {
    if (this.#isUnread()) this.#lose();
    else if (!await stillSignedIn(this.server, this.c)) this.close();
  }

  #isUnread(): boolean {
    // Nothing is queued: all of it was taken.
    if (this.#controller.desiredSize === BUFFER) this.#readAt = performance.now();
    return performance.now() - this.#readAt > this.server.streams.unreadMs;
  }

  /** What is queued goes with it. */
  #lose(): void {
    if (this.#end()) this.#controller.error(new Error("the reader does not read"));
  }

  /** False when it had ended before. */
  #end(): boolean {
    if (this.#hasEnded) return false;
    this.#hasEnded = true;
    for (const timer of this.#timers) clearInterval(timer);
    this.server.closing.removeEventListener("abort", this.#close);
    this.#gone.removeEventListener("abort", this.#drop);
    this.#source?.stop();
    this.leave();
    return true;
  }
}

const HEADERS = {
  "Content-Type": "text/event-stream; charset=utf-8",
  "Cache-Control": "no-store",
  "X-Accel-Buffering": "no",
};

function notLive(c: Ctx): Response {
  if (c.req.path.startsWith("/live/")) return c.body(NOT_LIVE, 200, HEADERS);
  const error = new AppError("too_many", "Too many live streams are open; end one first.");
  error.retryAfter = 10;
  throw error;
}

/** Asked once a second for all streams of a session or a token. */
async function stillSignedIn(server: Server, c: Ctx): Promise<boolean> {
  const by = c.get("session")?.id ?? c.get("token");
  const key = `signed in: ${by} ${userOf(c).role}`;
  // What cannot be read now is asked again in a second.
  return await onceASecond(server, key, () => isStillSignedIn(server, c)).catch(() => true);
}

/** A live fragment as an event, made once for all who see it. */
export function fragmentBytes(html: unknown): Uint8Array {
  return new TextEncoder().encode(frame({ event: "fragment", data: `${html}` }));
}

function frame(message: { event?: string; id?: number | string; data: string }): string {
  const head = (message.event ? `event: ${message.event}\n` : "") +
    (message.id !== undefined ? `id: ${message.id}\n` : "");
  return `${head}data: ${message.data.replaceAll(/\r\n|\r|\n/g, "\ndata: ")}\n\n`;
}
