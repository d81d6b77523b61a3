// Which hosts are connected, and the one socket of each. The newest socket wins.
import { CLOSE, type Hello, type ServerMessage } from "../shared/protocol.ts";
import { type SocketStreams, StreamCount } from "./agent_streams.ts";

/** Beyond this much unsent data a socket's reader has stopped reading; it is dropped and will come again. */
const UNSENT_LIMIT = 4 * 1_048_576;

/** What an agent shows of itself at hello: which jobs it has, and what its silence about others is worth. */
export interface Shown extends Pick<Hello, "ledger_lost" | "boot_id"> {
  ids: Set<string>;
  /** Hex of the hash of the agent's run; undefined for one that does not tell. */
  run: string | undefined;
  /** Another run of this host's agent was connected in this moment: perhaps a machine of its own, with jobs of its own. */
  isBeside?: boolean;
  /** When it was, by server.clock.ran(). */
  ran: number;
}

export interface AgentSocket {
  readonly hostId: string;
  /** Of the bearer with which it was opened: a host may be given to another machine while a socket is open. */
  readonly bearerHash: Uint8Array;
  readonly socket: WebSocket;
  readonly streams: SocketStreams;
  /** As its agent said at hello. */
  streamKinds?: string[];
  /** When its agent last said something, by server.clock.ran(): silence counts only while the server runs. */
  heardRan: number;
  /** SHA-256 of the id of the agent's run, from hello on. */
  instanceHash?: Uint8Array;
  /** Of the running system, as the agent said at hello. */
  bootId?: string;
  /** What its hello showed of its jobs. */
  shown?: Shown;
  /** When a socket of the same run was replaced although it lived (performance.now). */
  takeovers: number[];
  /** Where it comes from. */
  readonly address?: string;
  /** How many milliseconds this server's clock is ahead of the agent's, by its last word; undefined before hello. */
  skew?: number;
  /** The one that is in the database. */
  storedSkew?: number;
  /** Resolves when everything that was received so far has been dealt with. */
  idle(): Promise<void>;
}

export class ConnectedAgents {
  /** How many streams are open in all. */
  readonly streams = new StreamCount();
  readonly #sockets = new Map<string, AgentSocket>();

  /** Makes this the host's socket and closes the one before it. */
  add(agent: AgentSocket): void {
    const before = this.#sockets.get(agent.hostId);
    this.#sockets.set(agent.hostId, agent);
    if (before) {
      before.streams.close();
      closeQuietly(before.socket, CLOSE.replaced, "another connection of this host took over");
    }
  }

  /** True when this was still the host's socket, so that the host is now offline. */
  remove(agent: AgentSocket): boolean {
    if (this.#sockets.get(agent.hostId) !== agent) return false;
    return this.#sockets.delete(agent.hostId);
  }

  isCurrent(agent: AgentSocket): boolean {
    return this.#sockets.get(agent.hostId) === agent;
  }

  isOnline(hostId: string): boolean {
    return this.#sockets.has(hostId);
  }

  /** The host's socket, if there is one. */
  of(hostId: string): AgentSocket[] {
    const agent = this.#sockets.get(hostId);
    return agent ? [agent] : [];
  }

  /** True when a live agent took the message. */
  send(hostId: string, message: ServerMessage): boolean {
    const agent = this.#sockets.get(hostId);
    return agent !== undefined && sendTo(agent.socket, message);
  }

  close(hostId: string, code: number, reason: string): void {
    const agent = this.#sockets.get(hostId);
    if (!agent) return;
    this.#sockets.delete(hostId);
    agent.streams.close();
    closeQuietly(agent.socket, code, reason);
  }

  closeAll(code: number, reason: string): void {
    for (const hostId of [...this.#sockets.keys()]) this.close(hostId, code, reason);
  }

  *[Symbol.iterator](): IterableIterator<AgentSocket> {
    yield* [...this.#sockets.values()];
  }

  get size(): number {
    return this.#sockets.size;
  }
}

export function sendTo(socket: WebSocket, message: ServerMessage): boolean {
  if (socket.readyState !== WebSocket.OPEN) return false;
  if (socket.bufferedAmount > UNSENT_LIMIT) {
    closeQuietly(socket, CLOSE.silent, "too much is waiting to be read");
    return false;
  }
  socket.send(JSON.stringify(message));
  return true;
}

/** Closing codes carry at most 123 bytes of reason (RFC 6455, 5.5). */
export function closeQuietly(socket: WebSocket, code: number, reason: string): void {
  try {
    socket.close(code, reason.replace(/[^\x20-\x7e]/g, "?").slice(0, 120));
  } catch {
    // It is closed already, which is what was wanted.
  }
}
