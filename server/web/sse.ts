// Server-sent events (WHATWG HTML, 9.2) towards one browser. A browser that does not read costs one buffer, delays
// nobody, and catches up from the tables when it reads again.
import type { Server } from "../server.ts";
import type { Ctx } from "./context.ts";
import { isStillSignedIn } from "./security.ts";

/** How much may wait for a slow reader before events are left out (bytes, roughly). */
const BUFFER = 256 * 1024;
const KEEP_ALIVE_MILLISECONDS = 15_000;
/** Who signed out, or lost the token, sees nothing more after this. */
const RECHECK_MILLISECONDS = 1000;

export interface Feed {
  /** Queues a message; check `ready` first. */
  send(message: { event?: string; id?: number | string; data: string }): void;
  /** Queues text that is in the form of events already. */
  sendRaw(text: string): void;
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

export function eventStream(server: Server, c: Ctx, open: (feed: Feed) => Source): Response {
  const encoder = new TextEncoder();
  let source: Source | undefined;
  let ended = false;
  let keepAlive: ReturnType<typeof setInterval> | undefined;
  let recheck: ReturnType<typeof setInterval> | undefined;
  let controller!: ReadableStreamDefaultController<Uint8Array>;

  const end = () => {
    if (ended) return;
    ended = true;
    clearInterval(keepAlive);
    clearInterval(recheck);
    server.closing.removeEventListener("abort", close);
    source?.stop();
  };
  const close = () => {
    if (ended) return;
    end();
    controller.close();
  };
  const feed: Feed = {
    send: (message) => feed.sendRaw(frame(message)),
    sendRaw: (text) => {
      if (!ended) controller.enqueue(encoder.encode(text));
    },
    get ready() {
      return !ended && (controller.desiredSize ?? 0) > 0;
    },
    close,
  };
  const pump = async () => {
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
      // Tells the browser how long to wait before it comes back (milliseconds).
      feed.sendRaw("retry: 2000\n\n");
      source = open(feed);
      keepAlive = setInterval(() => feed.ready && feed.sendRaw(":\n\n"), KEEP_ALIVE_MILLISECONDS);
      recheck = setInterval(async () => {
        if (!await isStillSignedIn(server, c).catch(() => true)) close();
      }, RECHECK_MILLISECONDS);
    },
    pull: pump,
    cancel: end,
  }, new ByteLengthQueuingStrategy({ highWaterMark: BUFFER }));
  return c.body(body, 200, {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",
  });
}

function frame(message: { event?: string; id?: number | string; data: string }): string {
  const head = (message.event ? `event: ${message.event}\n` : "") +
    (message.id !== undefined ? `id: ${message.id}\n` : "");
  return `${head}data: ${message.data.replaceAll(/\r\n|\r|\n/g, "\ndata: ")}\n\n`;
}
