// GET /ws/agent: the one connection of each host. Frames are taken strictly in order, one at a time; nothing that an
// agent sends may end the process, and nothing is acknowledged before it is on the disk.
import {
  CLOSE,
  FRAME_LIMIT,
  HELLO_WITHIN_SECONDS,
  OFFLINE_AFTER_SECONDS,
} from "../../shared/protocol.ts";
import { ProtocolError, readAgentMessage } from "../../shared/wire.ts";
import { SocketStreams } from "../agent_streams.ts";
import { type AgentSocket, closeQuietly, sendTo } from "../connected_agents.ts";
import { noteSkew } from "../hosts/skew.ts";
import { auditOfHost } from "../quotas/day.ts";
import type { Server } from "../server.ts";
import { isForbidden, isHopeless, receive } from "./receive.ts";
import { greet } from "./greet.ts";
import { noteGoodbye } from "../hosts/hello.ts";
import type { KnownHost } from "../hosts/find_by_bearer.ts";

/** An agent waits for acknowledgements well before this much is unread; one that does not is not ours. */
const UNREAD_LIMIT = 16 * FRAME_LIMIT;
/** What a frame that waits takes in memory beyond its text. */
const FRAME_COST = 256;
/** Well before the agent takes this end for dead. */
const HOLD_MS = 20_000;

/** Upgrades the request of a host that is known by its bearer, and holds the conversation. */
export function acceptAgent(
  server: Server,
  request: Request,
  host: KnownHost,
  address?: string,
): Response {
  const { socket, response } = Deno.upgradeWebSocket(request, {
    idleTimeout: OFFLINE_AFTER_SECONDS,
  });
  converse(server, host, socket, address);
  return response;
}

function converse(server: Server, host: KnownHost, socket: WebSocket, address?: string): void {
  let turn: Promise<void> = Promise.resolve();
  const agent: AgentSocket = {
    hostId: host.id,
    bearerHash: host.bearerHash,
    socket,
    streams: new SocketStreams((message) => sendTo(socket, message), server.agents.streams),
    heardRan: server.clock.ran(),
    takeovers: [],
    ...(address ? { address } : {}),
    skew: 0,
    idle: () => turn,
  };
  const acks = new Acknowledgements(server, socket);
  let unread = 0;
  let greeted = false;
  /** Its hello was stored. */
  let isWelcome = false;
  /** The socket is closed: what it brought before is still dealt with, since its agent may not come again for long. */
  let isClosed = false;
  let over = false;

  /** What this host causes in the server's log is bounded too. */
  const log = (level: "warn" | "error", text: string) => {
    const line = server.paces.logLine(host.id, text);
    if (line !== undefined) server.log[level](`${host.name}: ${line}`);
  };

  const helloTimer = setTimeout(
    () => closeQuietly(socket, CLOSE.silent, `no hello within ${HELLO_WITHIN_SECONDS} s`),
    HELLO_WITHIN_SECONDS * 1000,
  );
  const end = () => {
    agent.streams.close();
    if (over || isClosed) return;
    isClosed = true;
    clearTimeout(helloTimer);
    // After what was received before: a host that reconnects at once must not be marked as gone.
    turn = turn.then(async () => {
      if (over) return;
      over = true;
      acks.stop();
      await noteGoodbye(server, agent);
    }).catch((error) => server.log.error(`${host.name}: ${error}`));
  };
  const refuse = async (code: number, action: string, reason: string) => {
    over = true;
    agent.streams.close();
    closeQuietly(socket, code, reason);
    acks.stop();
    clearTimeout(helloTimer);
    log("warn", `connection closed: ${reason}`);
    await noteGoodbye(server, agent);
    await auditOfHost(server, server.db, host.id, {
      actor: { kind: "agent", id: host.id, name: host.name, address: null },
      act: { action, target: { kind: "host", id: host.id, name: host.name }, detail: { reason } },
    });
  };

  const handle = async (data: unknown): Promise<void> => {
    if (over) return;
    try {
      const message = readAgentMessage(data);
      if (message.type === "hello") {
        if (greeted) throw new ProtocolError("hello was said already");
        clearTimeout(helloTimer);
        greeted = true;
        await server.greetings.next();
        // Nobody is there to be greeted.
        if (over || isClosed) return;
        isWelcome = await greet(server, agent, message);
        if (!isWelcome) over = true;
        return;
      }
      if (!greeted) throw new ProtocolError("the first message must be hello");
      if (!server.agents.isCurrent(agent)) return;
      if (message.type === "heartbeat") {
        acks.repeat();
        if (message.clock !== undefined) await noteSkew(server, agent, message.clock);
        return;
      }
      if (message.type === "error") return log("warn", `says: ${message.message}`);
      if (message.type === "stream.end") return agent.streams.end(message);
      try {
        await receive(server, agent, message);
      } catch (error) {
        if (!isHopeless(error)) throw error;
        log("warn", `${error.message} Its report was dropped.`);
        sendTo(socket, { type: "error", message: error.message });
      }
      if ("seq" in message) acks.upTo(message.seq);
    } catch (error) {
      if (error instanceof ProtocolError && error.unknownType) {
        log("warn", error.message);
        sendTo(socket, { type: "error", message: error.message });
      } else if (error instanceof ProtocolError) {
        await refuse(CLOSE.badFrame, "agent.bad_frame", error.message);
      } else if (isForbidden(error)) {
        await refuse(CLOSE.forbidden, "agent.forbidden", error.message);
      } else {
        throw error;
      }
    }
  };

  /** While nothing can be stored a report waits, so that the agent need not come again for a lock of some seconds. */
  const handleWhenStored = async (data: unknown): Promise<void> => {
    const until = performance.now() + HOLD_MS;
    for (;;) {
      try {
        return await handle(data);
      } catch (error) {
        const wait = until - performance.now();
        const mayWait = isWelcome && wait > 0 && server.storage.asAppError(error) !== undefined;
        if (!mayWait || !await server.storage.mended(wait) || over || isClosed) throw error;
      }
    }
  };

  /** In its turn, and no faster than an agent may go. */
  const inTurn = async (data: unknown, size: number): Promise<void> => {
    // What is not stored by then its agent keeps.
    if (over || server.closing.aborted) return;
    await server.paces.wait(host.id, size, () => over);
    await server.slices.next();
    const began = performance.now();
    try {
      await handleWhenStored(data);
    } finally {
      server.slices.spent(performance.now() - began);
    }
  };

  /**
   * Streams pass by the reports: neither waits for the other, and what a stream holds in memory is bounded by its credit. True when the
   * frame was one of theirs.
   */
  const isOfStream = (data: unknown): boolean => {
    try {
      return agent.streams.take(data);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      // It is answered in its turn, as any word that is not known yet.
      if (error.unknownType) return false;
      breach(error.message);
      return true;
    }
  };

  /** At once: what waits for its turn is not waited for. Its agent keeps the reports that were not acknowledged. */
  const breach = (reason: string) => {
    over = true;
    agent.streams.close();
    closeQuietly(socket, CLOSE.badFrame, reason);
    turn = turn.then(() => refuse(CLOSE.badFrame, "agent.bad_frame", reason))
      .catch((error) => server.log.error(`${host.name}: ${error}`));
  };

  socket.binaryType = "arraybuffer";
  socket.onmessage = ({ data }) => {
    if (over) return;
    agent.heardRan = server.clock.ran();
    if (isOfStream(data)) return;
    const size = FRAME_COST + (typeof data === "string" ? data.length : FRAME_LIMIT + 1);
    unread += size;
    if (unread > UNREAD_LIMIT + FRAME_LIMIT) {
      return breach("too much was sent at once");
    }
    turn = turn.then(() => inTurn(data, size)).catch((error) => {
      // Ours, not the agent's: it keeps its journal and comes again.
      if (server.storage.asAppError(error)) {
        log("warn", `sent away until it can be stored: ${error}`);
      } else log("error", String(error instanceof Error ? error.stack : error));
      over = true;
      closeQuietly(socket, CLOSE.goingAway, "the server could not take this; it is kept for later");
      return noteGoodbye(server, agent).catch(() => {});
    }).finally(() => unread -= size);
  };
  socket.onclose = end;
  // An error is always followed by a close.
  socket.onerror = (event) => {
    if (event instanceof ErrorEvent) event.preventDefault();
  };
}

/** Acknowledges what is on the disk: many reports with one flush, never one that only the system's memory holds. */
class Acknowledgements {
  #stored = 0;
  #said = 0;
  #flushing = false;
  #stopped = false;

  constructor(private readonly server: Server, private readonly socket: WebSocket) {}

  upTo(seq: number): void {
    this.#stored = Math.max(this.#stored, seq);
    if (!this.#flushing) this.#flush();
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
