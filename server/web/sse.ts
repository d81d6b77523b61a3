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
  const encoder = new TextEncoder();
  let source: Source | undefined;
  let ended = false;
  let keepAlive: ReturnType<typeof setInterval> | undefined;
  let recheck: ReturnType<typeof setInterval> | undefined;
  let readAt = performance.now();
  let controller!: ReadableStreamDefaultController<Uint8Array>;
  const gone = c.req.raw.signal;

  const end = () => {
    if (ended) return;
    ended = true;
    clearInterval(keepAlive);
    clearInterval(recheck);
    server.closing.removeEventListener("abort", close);
    gone.removeEventListener("abort", drop);
    source?.stop();
    leave();
  };
  const close = () => {
    if (ended) return;
    end();
    controller.close();
  };
  const isUnread = () => {
    // Nothing is queued: all of it was taken.
    if (controller.desiredSize === BUFFER) readAt = performance.now();
    return performance.now() - readAt > server.streams.unreadMs;
  };
  const drop = () => {
    if (ended) return;
    end();
    // What is queued goes with it.
    controller.error(new Error("the reader does not read"));
  };
  const feed: Feed = {
    send: (message) => feed.sendRaw(frame(message)),
    sendRaw: (text) => feed.sendBytes(encoder.encode(text)),
    sendBytes: (bytes) => {
      if (!ended && bytes.length > 0) controller.enqueue(bytes);
    },
    get ready() {
      return !ended && (controller.desiredSize ?? 0) > 0;
    },
    close,
  };
  const pump = async () => {
    readAt = performance.now();
    try {
      await source?.pump(feed);
    } catch (error) {
      server.log.error(`live stream: ${error}`);
      close();
    }
  };
  const body = new ReadableStream<Uint8Array>({
    start(given) {
      controller = given;
      server.closing.addEventListener("abort", close);
      // Who goes before the first byte was taken cancels nothing.
      gone.addEventListener("abort", drop);
      // Tells the browser how long to wait before it comes back (milliseconds).
      feed.sendRaw("retry: 2000\n\n");
      source = open(feed);
      keepAlive = setInterval(
        () => feed.ready && feed.sendRaw(":\n\n"),
        server.streams.keepAliveMs,
      );
      recheck = setInterval(async () => {
        if (isUnread()) return drop();
        if (!await stillSignedIn(server, c)) close();
      }, RECHECK_MILLISECONDS);
    },
    pull: pump,
    cancel: end,
  }, new ByteLengthQueuingStrategy({ highWaterMark: BUFFER }));
  return c.body(body, 200, HEADERS);
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
