// Staying connected: one session after the other, with a pause between them that grows. Knows nothing of restic.
import { Backoff } from "../shared/backoff.ts";
import type { Progress } from "../shared/job.ts";
import {
  type AgentMessage,
  CLOSE,
  HEARTBEAT_SECONDS,
  OFFLINE_AFTER_SECONDS,
} from "../shared/protocol.ts";
import { messageOf } from "../shared/log.ts";
import { type Pace, Session, type SessionEnd, type SessionOptions } from "./session.ts";

export const PACE: Pace = {
  firstRetryMs: 1000,
  slowestRetryMs: 60_000,
  heartbeatMs: HEARTBEAT_SECONDS * 1000,
  silentMs: OFFLINE_AFTER_SECONDS * 1000,
  dialMs: 20_000,
};

export interface ConnectionOptions extends SessionOptions {
  /** The server refuses this agent for good. */
  onRefused: (reason: string) => void;
}

const PROGRESS_BUFFER_LIMIT = 64 * 1024;
const CLOSE_WITHIN_MS = 2000;
/** So often in a row a report is sent before it is given up. */
const REFUSALS = 3;

export class Connection {
  readonly #backoff: Backoff;
  /** A server that greets and then sends nonsense is no good connection, however often it greets. */
  readonly #afterNonsense: Backoff;
  #session: Session | undefined;
  #redial: number | undefined;
  #isClosed = false;
  /** The report at which the server closed the connection, and how often in a row. */
  #refused = { seq: 0, times: 0 };

  constructor(private options: ConnectionOptions) {
    const { firstRetryMs, slowestRetryMs } = options.pace;
    this.#backoff = new Backoff(firstRetryMs, slowestRetryMs);
    this.#afterNonsense = new Backoff(firstRetryMs, slowestRetryMs);
    options.journal.onAppend = () => this.#session?.pump();
  }

  get isAccepted(): boolean {
    return this.#session?.isAccepted ?? false;
  }

  open(): void {
    if (this.#isClosed) return;
    try {
      this.#session = new Session(this.options, {
        onGood: () => this.#backoff.reset(),
        onLasting: () => this.#afterNonsense.reset(),
        onEnd: (end) => this.#ended(end),
      });
    } catch (error) {
      // Called by a timer: without an end there would be no next try.
      this.#ended({ code: 0, reason: messageOf(error) });
    }
  }

  /** Connects again with another bearer. */
  useBearer(bearer: string): void {
    this.options = { ...this.options, bearer };
    this.#session?.end("another bearer", 1000);
  }

  /** Sends a message that is not journaled; false when nobody is there to hear it. */
  send(message: AgentMessage): boolean {
    return this.#session?.send(message) ?? false;
  }

  /** Progress is worth nothing late: it is dropped unless all that came before it is sent. */
  sendProgress(jobId: string, progress: Progress): void {
    const session = this.#session;
    if (!session?.isCurrent || session.buffered > PROGRESS_BUFFER_LIMIT) return;
    session.send({ type: "job.progress", job_id: jobId, progress });
  }

  /** Ends the connection for good, after what was sent before. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#redial);
    this.options.journal.onAppend = () => {};
    const session = this.#session;
    session?.end("The agent is stopping", 1000);
    await session?.gone(CLOSE_WITHIN_MS);
  }

  #ended({ code, reason, isNonsense, sentUpTo = 0 }: SessionEnd): void {
    if (this.#isClosed) return;
    this.#session = undefined;
    const isRefused = code === CLOSE.badFrame || code === CLOSE.forbidden;
    if (isRefused && !isNonsense) this.#noteRefusal(sentUpTo);
    const { log, pace } = this.options;
    if (code === CLOSE.tooOld) {
      this.#isClosed = true;
      this.options.onRefused(reason || "The server refuses this agent as too old.");
      return;
    }
    const isUnknown = code === CLOSE.unknownHost || reason.includes("status code: 401");
    const isReplaced = code === CLOSE.replaced;
    const slow = isUnknown || isReplaced;
    const backoff = isNonsense ? this.#afterNonsense : this.#backoff;
    const wait = slow ? pace.slowestRetryMs * (0.75 + Math.random() / 4) : backoff.next();
    if (isUnknown) log.error("The server does not know this host any more; asking now and then");
    else if (isReplaced) {
      log.error("Another agent uses this host's credential; asking now and then");
    }
    const seconds = (wait / 1000).toFixed(1);
    log.warn(`Not connected (${reason || `close code ${code}`}); trying again in ${seconds} s`);
    this.#redial = setTimeout(() => this.open(), wait);
  }

  /**
   * The server acknowledges what came before a frame that it does not take: a report that is the first one again and again is that
   * frame. Without this a single one would keep all others, and the host, away for ever.
   */
  #noteRefusal(sentUpTo: number): void {
    const { journal } = this.options;
    const first = journal.after(0);
    if (!first || first.seq > sentUpTo) return;
    const times = first.seq === this.#refused.seq ? this.#refused.times + 1 : 1;
    this.#refused = { seq: first.seq, times };
    if (times === REFUSALS) journal.giveUp(first);
  }
}
