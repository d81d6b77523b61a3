// Which pending hosts are connected with a proven key, and the one socket of each. The newest socket wins.
import { PENDING_CLOSE, type PendingServerMessage } from "../shared/announce.ts";
import { closeQuietly } from "./connected_agents.ts";

export interface WaitingAgent {
  readonly pendingId: string;
  readonly socket: WebSocket;
  /** By server.clock.ran(). */
  heardRan: number;
}

export class WaitingAgents {
  readonly #agents = new Map<string, WaitingAgent>();

  /** Makes this the pending host's socket and closes the one before it. */
  add(agent: WaitingAgent): void {
    const before = this.#agents.get(agent.pendingId);
    this.#agents.set(agent.pendingId, agent);
    if (before) closeQuietly(before.socket, PENDING_CLOSE.replaced, "another socket took over");
  }

  /** True when this was still the pending host's socket. */
  remove(agent: WaitingAgent): boolean {
    return this.#agents.get(agent.pendingId) === agent && this.#agents.delete(agent.pendingId);
  }

  isConnected(pendingId: string): boolean {
    return this.#agents.has(pendingId);
  }

  /** Takes the socket away for the one last message: of two who ask, one receives it. */
  take(pendingId: string): WaitingAgent | undefined {
    const agent = this.#agents.get(pendingId);
    this.#agents.delete(pendingId);
    return agent;
  }

  close(pendingId: string, code: number, reason: string): void {
    const agent = this.take(pendingId);
    if (agent) closeQuietly(agent.socket, code, reason);
  }

  closeAll(code: number, reason: string): void {
    for (const pendingId of [...this.#agents.keys()]) this.close(pendingId, code, reason);
  }

  *[Symbol.iterator](): IterableIterator<WaitingAgent> {
    yield* [...this.#agents.values()];
  }
}

export function tell(socket: WebSocket, message: PendingServerMessage): boolean {
  if (socket.readyState !== WebSocket.OPEN) return false;
  socket.send(JSON.stringify(message));
  return true;
}
