// The server's socket, and the watch over it. One accept() that fails (no file handle left, no memory, a connection that
// was aborted) ends Deno's listener for good, and `finished` tells it only when the last connection that was taken before
// has ended, which with agents is never. So the server asks itself through its own socket, listens again on the same port,
// and ends when neither helps, so that its supervisor starts it again.
import { type Address, askHealth } from "./own_health.ts";
import { type Log, messageOf } from "../shared/log.ts";

export interface ListenOptions extends Address {
  handler: (request: Request, peer: string) => Response | Promise<Response>;
  log: Log;
  pace?: Partial<ListenPace>;
}

export interface ListenPace {
  /** The pauses before each try to listen again. After the last the listener is given up. */
  retryMs: number[];
  /** Between two questions to itself. */
  askMs: number;
  /** What is counted below. */
  tickMs: number;
  /** Ticks until a question counts as not answered. */
  answerTicks: number;
  /** Ticks without any answer, over at least three questions, until the listener is given up. */
  deafTicks: number;
}

export const LISTEN_PACE: ListenPace = {
  // Together half a minute.
  retryMs: [0, 100, 250, 500, 1000, 2000, 4000, 5000, 5000, 6000, 6000],
  askMs: 2000,
  tickMs: 1000,
  answerTicks: 10,
  deafTicks: 45,
};

/** Having been answered it never waits less than this step's pause before the next try, until it has held for a while. */
const FLAPPING_STEP = 3;
const HELD_TICKS = 10;
const LEAST_QUESTIONS = 3;
const LAST_ANSWER_MS = 1000;

export class Listener {
  readonly address: Address;
  /** Resolves with the reason when the server cannot be reached any more and listening again does not help. */
  readonly givenUp: Promise<string>;
  readonly #pace: ListenPace;
  readonly #stopping = new AbortController();
  readonly #watch: Promise<void>;
  readonly #ticker: ReturnType<typeof setInterval>;
  /** All of them: the older ones may still hold connections that work. */
  readonly #servers = new Set<Deno.HttpServer<Deno.NetAddr>>();
  #question: { overdue: AbortController; until: number; answer: Promise<unknown> } | undefined;
  #giveUp!: (reason: string) => void;
  /** Aborted, with why, when the newest of them has ended. */
  #lost = new AbortController();
  /**
   * Counts while this process really runs: time in which the machine slept, or the process was stopped or got no turn,
   * says nothing about its listener.
   */
  #ticks = 0;
  #startedAt = 0;
  #answeredAt = 0;
  #unanswered = 0;
  /** Until the first answer its own silence means nothing: perhaps a firewall stands between. */
  #wasEverAnswered = false;
  #tries = 0;

  /** Listens. Throws as Deno.serve does. */
  constructor(private readonly options: ListenOptions) {
    this.#pace = { ...LISTEN_PACE, ...options.pace };
    this.givenUp = new Promise((resolve) => this.#giveUp = resolve);
    this.address = options;
    const { hostname, port } = this.#listen();
    // Port 0 means any: from here on it is this one.
    this.address = { hostname, port };
    this.#ticker = setInterval(() => this.#tick(), this.#pace.tickMs);
    this.#watch = this.#keepListening();
  }

  get url(): string {
    const { hostname, port } = this.address;
    return `http://${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
  }

  /** Takes no new requests; resolves when those that are being answered have ended. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    // A connection that is dropped in the middle of its answer may keep the server from ending.
    await Promise.race([this.#question?.answer, pause(LAST_ANSWER_MS, this.#lost.signal)]);
    this.#lost.abort("the server is stopping");
    clearInterval(this.#ticker);
    await Promise.allSettled([...[...this.#servers].map((http) => http.shutdown()), this.#watch]);
  }

  #listen(): Address {
    const { handler, log } = this.options;
    const { hostname, port } = this.address;
    const http = Deno.serve({
      hostname,
      port,
      onListen: () => {},
      onError: (error) => {
        log.error(`request: ${error}`);
        return new Response("The server could not do this.\n", { status: 500 });
      },
    }, (request, info) => handler(request, info.remoteAddr.hostname));
    const lost = new AbortController();
    this.#lost = lost;
    this.#servers.add(http);
    http.finished.then(() => "it ended", messageOf).then((why) => {
      this.#servers.delete(http);
      lost.abort(why);
    });
    return http.addr;
  }

  async #keepListening(): Promise<void> {
    const { log } = this.options;
    try {
      for (;;) {
        const why = await this.#untilLost();
        if (this.#stopping.signal.aborted) return;
        log.error(`No longer listening on ${this.url} (${why}); listening again`);
        if (!await this.#listenAgain()) return;
      }
    } catch (error) {
      // What answers nobody is thrown as well.
      this.#giveUp(messageOf(error));
    }
  }

  /** Why the listener ended. Throws when it is there and yet answers nobody. */
  async #untilLost(): Promise<string> {
    const { signal } = this.#lost;
    this.#startedAt = this.#answeredAt = this.#ticks;
    this.#unanswered = 0;
    for (let isNew = true; !signal.aborted; await pause(this.#pace.askMs, signal)) {
      const outcome = await this.#ask(signal);
      if (signal.aborted) break;
      if (outcome === "answered") {
        if (isNew && this.#tries > 0) this.options.log.info(`Listening on ${this.url} again`);
        isNew = false;
        this.#noteAnswer();
      } else if (this.#wasEverAnswered) {
        if (outcome === "refused") return "its port is closed";
        this.#noteSilence();
      }
    }
    return String(signal.reason);
  }

  #noteAnswer(): void {
    this.#wasEverAnswered = true;
    this.#answeredAt = this.#ticks;
    this.#unanswered = 0;
    const hasHeld = this.#ticks - this.#startedAt >= HELD_TICKS;
    this.#tries = hasHeld ? 0 : Math.min(this.#tries, FLAPPING_STEP);
  }

  #noteSilence(): void {
    this.#unanswered++;
    const isDeaf = this.#ticks - this.#answeredAt >= this.#pace.deafTicks;
    if (!isDeaf || this.#unanswered < LEAST_QUESTIONS) return;
    throw new Error(`${this.url}/healthz did not answer, ${this.#unanswered} times`);
  }

  /** "answered" is any HTTP answer: what the server thinks of itself is not asked here. */
  async #ask(signal: AbortSignal): Promise<"answered" | "refused" | "silent"> {
    const overdue = new AbortController();
    const asked = askHealth(this.address, AbortSignal.any([overdue.signal, signal]));
    const until = this.#ticks + this.#pace.answerTicks;
    this.#question = { overdue, until, answer: asked.catch(() => {}) };
    try {
      await asked;
      return "answered";
    } catch (error) {
      return error instanceof Deno.errors.ConnectionRefused ? "refused" : "silent";
    } finally {
      this.#question = undefined;
    }
  }

  #tick(): void {
    this.#ticks++;
    if (this.#question && this.#ticks >= this.#question.until) this.#question.overdue.abort();
  }

  /** False when it was given up, or the server stops. */
  async #listenAgain(): Promise<boolean> {
    const { retryMs } = this.#pace;
    const { signal } = this.#stopping;
    for (let why = "each new listener ended at once";;) {
      if (this.#tries >= retryMs.length) {
        this.#giveUp(`listening on ${this.url} failed ${retryMs.length} times: ${why}`);
        return false;
      }
      await pause(retryMs[this.#tries++]!, signal);
      if (signal.aborted) return false;
      try {
        this.#listen();
        return true;
      } catch (error) {
        why = messageOf(error);
        this.options.log.warn(`Listening on ${this.url} failed: ${why}`);
      }
    }
  }
}

/** Ends early when the signal says so. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end);
  });
}
