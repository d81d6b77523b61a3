// What changes, pushed to open pages by server-sent events: the same fragments that the pages were made of. An event only
// says that something changed; what is shown is read afterwards, at most once a second per page.
import type { Child } from "hono/jsx";
import type { Event } from "../events.ts";
import type { Server } from "../server.ts";
import type { Ctx } from "./context.ts";
import { roundsOf, type Watcher } from "./rounds.ts";
import { onceForAll } from "./shared_fragments.ts";
import { eventStream, type Feed, fragmentBytes, type Source } from "./sse.ts";

/** The fragment of what is gone. */
export const NOTHING = new Uint8Array();

export interface Watch {
  topics: string[];
  /** Notes what an event touches; false when the page shows nothing of it. */
  note(event: Event): boolean;
  /** What is to be shown now, as fragments or as the word `reload`. Called first when the stream opens. */
  show(): Promise<Uint8Array[] | "reload">;
}

/** Shows what a watch notes, never more often than the pause, and only while the reader keeps up. */
export function watching(server: Server, c: Ctx, watch: Watch): Response {
  return eventStream(server, c, (feed) => source(server, feed, watch));
}

function source(server: Server, feed: Feed, watch: Watch): Source {
  const rounds = roundsOf(server);
  let isStale = true;
  let isOpen = false;
  let isShowing = false;
  let stopped = false;
  const pump = async () => {
    if (isShowing) return;
    // What was made before the page itself would take back what the page shows.
    if (!isOpen && rounds.isBehind) return rounds.awaitNext(watcher);
    isOpen = true;
    isShowing = true;
    try {
      while (isStale && !stopped && feed.ready) {
        isStale = false;
        const shown = await watch.show();
        if (stopped) return;
        if (shown === "reload") feed.send({ event: "reload", data: "" });
        else feed.sendBytes(joined(shown));
      }
    } finally {
      isShowing = false;
    }
  };
  const watcher: Watcher = {
    topics: watch.topics,
    note: (event) => isStale = watch.note(event) || isStale,
    serve: () => {
      isOpen = true;
      return pump().catch((error) => {
        server.log.error(`live stream: ${error}`);
        feed.close();
      });
    },
  };
  rounds.watch(watcher);
  return {
    pump,
    stop: () => {
      stopped = true;
      rounds.unwatch(watcher);
    },
  };
}

/** Each piece that is queued by itself costs as much as a page of text in one piece. */
function joined(pieces: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

type Make = () => Child | Promise<Child>;

/** The fragment as an event. The key names all that it depends on besides what is stored. */
export function fragment(server: Server, key: string, make: Make): Promise<Uint8Array> {
  return onceForAll(server, key, async () => fragmentBytes(await make()));
}
