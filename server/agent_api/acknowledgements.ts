// What an agent is told to be kept for good.
import { CLOSE } from "../../shared/protocol.ts";
import { closeQuietly, sendTo } from "../connected_agents.ts";
import type { Server } from "../server.ts";

/** Well before the agent takes this end for dead. */
export const HOLD_MS = 20_000;
/** For what precedes a frame that is refused: without it the agent would take that for the refused one. */
const SETTLE_MS = 1000;

/** Acknowledges what is on the disk: many reports with one flush, never one that only the system's memory holds. */
export class Acknowledgements {
  #stored = 0;
  #said = 0;
  #flushing = false;
  #flushed: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(private readonly server: Server, private readonly socket: WebSocket) {}

  upTo(seq: number): void {
    this.#stored = Math.max(this.#stored, seq);
    if (!this.#flushing) this.#flushed = this.#flush();
  }

  /** Resolves when what was stored until now is acknowledged, or will not be soon. */
  async settled(): Promise<void> {
    let timer: number | undefined;
    const late = new Promise<void>((resolve) => timer = setTimeout(resolve, SETTLE_MS));
    await Promise.race([this.#flushed, late]);
    clearTimeout(timer);
  }

  /** The answer to a heartbeat: shows the agent that this end is alive. */
  repeat(): void {
    sendTo(this.socket, { type: "report.ack", up_to: this.#said });
  }

  stop(): void {
    this.#stopped = true;
  }

  async #flush(): Promise<void> {
    this.#flushing = true;
    try {
      while (this.#stored > this.#said && !this.#stopped) {
        const seq = this.#stored;
        if (!await this.#isOnDisk()) continue;
        this.#said = seq;
        this.repeat();
      }
    } catch (error) {
      // Nothing is acknowledged: the agent keeps all of it, and tells it again when it is back.
      if (!this.server.storage.asAppError(error)) {
        this.server.log.error(`The database could not be written to the disk: ${error}`);
      }
      closeQuietly(this.socket, CLOSE.goingAway, "the server cannot write to its disk");
    } finally {
      this.#flushing = false;
    }
  }

  /** False when it was not, but may be by now. Throws when it takes too long. */
  async #isOnDisk(): Promise<boolean> {
    const { database, storage } = this.server;
    try {
      await database.flush();
      return true;
    } catch (error) {
      if (!storage.asAppError(error) || !await storage.mended(HOLD_MS)) throw error;
      return false;
    }
  }
}
