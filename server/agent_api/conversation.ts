// One agent's socket from its first frame to its last. Frames are taken strictly in order, one at a time; nothing that an agent
// sends may end the process.
import { CLOSE, FRAME_LIMIT, HELLO_WITHIN_SECONDS } from "../../shared/protocol.ts";
import type { AgentMessage } from "../../shared/protocol.ts";
import { ProtocolError, readAgentMessage } from "../../shared/wire.ts";
import { SocketStreams } from "../agent_streams.ts";
import { type AgentSocket, closeQuietly, sendTo } from "../connected_agents.ts";
import type { KnownHost } from "../hosts/find_by_bearer.ts";
import { onDisconnect } from "../hosts/hello.ts";
import { noteSkew } from "../hosts/skew.ts";
import { auditOfHost } from "../quotas/day.ts";
import type { Server } from "../server.ts";
import { Acknowledgements, HOLD_MS } from "./acknowledgements.ts";
import { onHello } from "./on_hello.ts";
import { cannotBeStored, isForbidden, receive } from "./receive.ts";

/** An agent waits for acknowledgements well before this much is unread; one that does not is not ours. */
const UNREAD_LIMIT = 16 * FRAME_LIMIT;
/** What a frame that waits takes in memory beyond its text. */
const FRAME_COST = 256;

type Hello = Extract<AgentMessage, { type: "hello" }>;

export class Conversation {
  readonly #agent: AgentSocket;
  readonly #acks: Acknowledgements;
  readonly #helloTimer: ReturnType<typeof setTimeout>;
  /** What was received is dealt with in this order. */
  #turn: Promise<void> = Promise.resolve();
  #unread = 0;
  #saidHello = false;
  /** Its hello was stored. */
  #isWelcome = false;
  /** The socket is closed: what it brought before is still dealt with, since its agent may not come again for long. */
  #isClosed = false;
  /** Nothing is dealt with any more. */
  #isOver = false;

  constructor(
    private readonly server: Server,
    private readonly host: KnownHost,
    private readonly socket: WebSocket,
    address?: string,
  ) {
    this.#agent = {
      hostId: host.id,
      bearerHash: host.bearerHash,
      socket,
      streams: new SocketStreams((message) => sendTo(socket, message), server.agents.streams),
      heardRan: server.clock.ran(),
      takeovers: [],
      ...(address ? { address } : {}),
      skew: 0,
      idle: () => this.#turn,
    };
    this.#acks = new Acknowledgements(server, socket);
    this.#helloTimer = setTimeout(
      () => closeQuietly(socket, CLOSE.silent, `no hello within ${HELLO_WITHIN_SECONDS} s`),
      HELLO_WITHIN_SECONDS * 1000,
    );
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }) => this.#take(data);
    socket.onclose = () => this.#close();
    // An error is always followed by a close.
    socket.onerror = (event) => {
      if (event instanceof ErrorEvent) event.preventDefault();
    };
  }

  /** What this host causes in the server's log is bounded too. */
  #log(level: "warn" | "error", text: string): void {
    const { server, host } = this;
    const line = server.paces.logLine(host.id, text);
    if (line !== undefined) server.log[level](`${host.name}: ${line}`);
  }

  #take(data: unknown): void {
    if (this.#isOver) return;
    this.#agent.heardRan = this.server.clock.ran();
    if (this.#isOfStream(data)) return;
    const size = FRAME_COST + (typeof data === "string" ? data.length : FRAME_LIMIT + 1);
    this.#unread += size;
    if (this.#unread > UNREAD_LIMIT + FRAME_LIMIT) {
      return this.#breach("too much was sent at once");
    }
    this.#turn = this.#turn.then(() => this.#inTurn(data, size))
      .catch((error) => this.#sendAway(error))
      .finally(() => this.#unread -= size);
  }

  /**
   * Streams pass by the reports: neither waits for the other, and what a stream holds in memory is bounded by its credit. True when
   * the frame was one of theirs.
   */
  #isOfStream(data: unknown): boolean {
    try {
      return this.#agent.streams.take(data);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      // It is answered in its turn, as any word that is not known yet.
      if (error.unknownType) return false;
      this.#breach(error.message);
      return true;
    }
  }

  /** In its turn, and no faster than an agent may go. */
  async #inTurn(data: unknown, size: number): Promise<void> {
    const { server, host } = this;
    // What is not stored by then its agent keeps.
    if (this.#isOver || server.closing.aborted) return;
    await server.paces.wait(host.id, size, () => this.#isOver);
    await server.slices.next();
    const began = performance.now();
    try {
      await this.#handleWhenStored(data);
    } finally {
      server.slices.spent(performance.now() - began);
    }
  }

  /** While nothing can be stored a report waits, so that the agent need not come again for a lock of some seconds. */
  async #handleWhenStored(data: unknown): Promise<void> {
    const { storage } = this.server;
    const until = performance.now() + HOLD_MS;
    for (;;) {
      try {
        return await this.#handle(data);
      } catch (error) {
        const wait = until - performance.now();
        const mayWait = this.#isWelcome && wait > 0 && storage.asAppError(error) !== undefined;
        if (!mayWait || !await storage.mended(wait) || this.#isOver || this.#isClosed) throw error;
      }
    }
  }

  async #handle(data: unknown): Promise<void> {
    if (this.#isOver) return;
    try {
      await this.#read(readAgentMessage(data));
    } catch (error) {
      if (error instanceof ProtocolError && error.unknownType) {
        this.#log("warn", error.message);
        sendTo(this.socket, { type: "error", message: error.message });
      } else if (error instanceof ProtocolError) {
        await this.#refuse(CLOSE.badFrame, "agent.bad_frame", error.message);
      } else if (isForbidden(error)) {
        await this.#refuse(CLOSE.forbidden, "agent.forbidden", error.message);
      } else {
        throw error;
      }
    }
  }

  async #read(message: AgentMessage): Promise<void> {
    const { server } = this;
    if (message.type === "hello") return await this.#hello(message);
    if (!this.#saidHello) throw new ProtocolError("the first message must be hello");
    if (!server.agents.isCurrent(this.#agent)) return;
    switch (message.type) {
      case "heartbeat":
        this.#acks.repeat();
        if (message.clock !== undefined) await noteSkew(server, this.#agent, message.clock);
        return;
      case "error":
        return this.#log("warn", `says: ${message.message}`);
      case "stream.end":
        return this.#agent.streams.end(message);
      default:
        return await this.#receive(message);
    }
  }

  async #hello(message: Hello): Promise<void> {
    if (this.#saidHello) throw new ProtocolError("hello was said already");
    clearTimeout(this.#helloTimer);
    this.#saidHello = true;
    await this.server.hellos.next();
    // Nobody is there to be greeted.
    if (this.#isOver || this.#isClosed) return;
    this.#isWelcome = await onHello(this.server, this.#agent, message);
    if (!this.#isWelcome) this.#isOver = true;
  }

  async #receive(message: Parameters<typeof receive>[2]): Promise<void> {
    try {
      await receive(this.server, this.#agent, message);
    } catch (error) {
      if (!cannotBeStored(error)) throw error;
      this.#log("warn", `${error.message} Its report was dropped.`);
      sendTo(this.socket, { type: "error", message: error.message });
    }
    if ("seq" in message) this.#acks.upTo(message.seq);
  }

  /** The socket was closed by whomever. */
  #close(): void {
    this.#agent.streams.close();
    if (this.#isOver || this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#helloTimer);
    // After what was received before: a host that reconnects at once must not be marked as gone.
    this.#turn = this.#turn.then(async () => {
      if (this.#isOver) return;
      this.#isOver = true;
      this.#acks.stop();
      await onDisconnect(this.server, this.#agent);
    }).catch((error) => this.server.log.error(`${this.host.name}: ${error}`));
  }

  /** The agent broke the protocol: takes nothing more, closes the socket, and puts it into the audit. */
  async #refuse(code: number, action: string, reason: string): Promise<void> {
    const { server, host } = this;
    this.#isOver = true;
    this.#agent.streams.close();
    // So that the agent knows which of its reports it was.
    await this.#acks.settled();
    closeQuietly(this.socket, code, reason);
    this.#acks.stop();
    clearTimeout(this.#helloTimer);
    this.#log("warn", `connection closed: ${reason}`);
    await onDisconnect(server, this.#agent);
    await auditOfHost(server, server.db, host.id, {
      actor: { kind: "agent", id: host.id, name: host.name, address: null },
      act: { action, target: { kind: "host", id: host.id, name: host.name }, detail: { reason } },
    });
  }

  /** At once: what waits for its turn is not waited for. Its agent keeps the reports that were not acknowledged. */
  #breach(reason: string): void {
    this.#isOver = true;
    this.#agent.streams.close();
    closeQuietly(this.socket, CLOSE.badFrame, reason);
    this.#turn = this.#turn.then(() => this.#refuse(CLOSE.badFrame, "agent.bad_frame", reason))
      .catch((error) => this.server.log.error(`${this.host.name}: ${error}`));
  }

  /** The fault is ours, not the agent's: it keeps its journal and comes again. */
  async #sendAway(error: unknown): Promise<void> {
    if (this.server.storage.asAppError(error)) {
      this.#log("warn", `sent away until it can be stored: ${error}`);
    } else {
      this.#log("error", String(error instanceof Error ? error.stack : error));
    }
    this.#isOver = true;
    const reason = "the server could not take this; it is kept for later";
    closeQuietly(this.socket, CLOSE.goingAway, reason);
    await onDisconnect(this.server, this.#agent).catch(() => {});
  }
}
