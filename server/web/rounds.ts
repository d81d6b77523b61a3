// Open pages are served in rounds, one a second at most: what has changed is noted for all of them, then each is shown what
// it shows, out of what was made once for the round. What changes meanwhile is the next round's. A round begins after the change
// was answered, and has pauses in which pages and agents have their turn, so that a change costs the same however many watch.
import { type Event, topicsOf } from "../events.ts";
import type { Server } from "../server.ts";

/** Anyone who made the change has the answer by then. */
const DELAY_MS = 20;
const LEAST_BETWEEN_MS = 1000;
/** Then others have a turn. What is queued here in no time is written to the sockets afterwards, which takes longer. */
const SLICE = { ms: 1, streams: 5 };
/** All 500 streams are served in less than a second. */
const PAUSE_MS = 6;

export interface Watcher {
  topics: string[];
  note(event: Event): void;
  /** Never throws. */
  serve(): Promise<void>;
}

export class Rounds {
  /** Which round it is: what was made for another is out of date. */
  number = 0;
  readonly #watchers = new Map<string, Set<Watcher>>();
  /** By what they say: the same twice in a round is once. */
  readonly #heard = new Map<string, Event>();
  readonly #waiting = new Set<Watcher>();
  #begunAt = -Infinity;
  #isPlanned = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly server: Server) {
    server.events.beforeEach((event) => this.#hear(event));
    server.closing.addEventListener("abort", () => clearTimeout(this.#timer));
  }

  watch(watcher: Watcher): void {
    for (const topic of watcher.topics) {
      const set = this.#watchers.get(topic) ?? new Set();
      this.#watchers.set(topic, set.add(watcher));
    }
  }

  unwatch(watcher: Watcher): void {
    for (const topic of watcher.topics) {
      const set = this.#watchers.get(topic);
      set?.delete(watcher);
      if (set?.size === 0) this.#watchers.delete(topic);
    }
    this.#waiting.delete(watcher);
  }

  /** True while something has changed since what this round shows was made: who opens a stream waits for the next. */
  get isBehind(): boolean {
    return this.#heard.size > 0;
  }

  /** Serves the watcher in the next round, whatever that is about. */
  awaitNext(watcher: Watcher): void {
    this.#waiting.add(watcher);
    this.#plan();
  }

  #hear(event: Event): void {
    // Lines go to their readers at once.
    if (event.type === "lines") return;
    if (this.#watchers.size === 0) {
      // Who opens a page reads what is so now.
      this.#heard.clear();
      this.number++;
      return;
    }
    this.#heard.set(JSON.stringify(event), event);
    this.#plan();
  }

  #plan(): void {
    if (this.#isPlanned || this.server.closing.aborted) return;
    this.#isPlanned = true;
    const wait = this.#begunAt + LEAST_BETWEEN_MS - performance.now();
    this.#timer = setTimeout(() => this.#run(), Math.max(DELAY_MS, wait));
  }

  async #run(): Promise<void> {
    this.#begunAt = performance.now();
    this.number++;
    const due = this.#noted();
    let [began, served] = [performance.now(), 0];
    for (const watcher of due) {
      if (this.server.closing.aborted) return;
      await watcher.serve();
      if (++served < SLICE.streams && performance.now() - began < SLICE.ms) continue;
      // When the server closes it is over here.
      await new Promise((resolve) => this.#timer = setTimeout(resolve, PAUSE_MS));
      [began, served] = [performance.now(), 0];
    }
    this.#isPlanned = false;
    const [next] = this.#heard.values();
    if (next) this.#hear(next);
  }

  #noted(): Set<Watcher> {
    const due = new Set(this.#waiting);
    this.#waiting.clear();
    const events = [...this.#heard.values()];
    this.#heard.clear();
    for (const event of events) {
      for (const topic of topicsOf(event)) {
        for (const watcher of this.#watchers.get(topic) ?? []) {
          watcher.note(event);
          due.add(watcher);
        }
      }
    }
    return due;
  }
}

const rounds = new WeakMap<Server, Rounds>();

export function roundsOf(server: Server): Rounds {
  let found = rounds.get(server);
  if (!found) rounds.set(server, found = new Rounds(server));
  return found;
}
