// GET /ws/agent/pending: a machine that announced itself proves that it holds its key, and waits for a person's decision.
import {
  fromBase64,
  NONCE_BYTES,
  PENDING_CLOSE,
  type PendingAgentMessage,
  PROOF_WITHIN_SECONDS,
  toBase64,
} from "../../shared/announce.ts";
import { OFFLINE_AFTER_SECONDS } from "../../shared/protocol.ts";
import { ProtocolError, readPendingAgentMessage } from "../../shared/wire.ts";
import { closeQuietly } from "../connected_agents.ts";
import { networkOf } from "../network.ts";
import { whyNotOurs } from "../own_addresses.ts";
import {
  ANNOUNCEMENTS_PER_MINUTE,
  PROVING_AT_ONCE,
  WRONG_PROOFS_PER_MINUTE,
} from "../pending_hosts/limits.ts";
import { admit, findAnnouncedKey, isProof, noteSeen } from "../pending_hosts/prove.ts";
import type { Server } from "../server.ts";
import { tell, type WaitingAgent } from "../waiting_agents.ts";

interface Caller {
  pendingId: string;
  address: string;
  /** The other end of the connection: the machine's, or a proxy's. */
  peer: string;
}

/** Per server and pending host, how many sockets have not proven anything yet. */
const proving = new WeakMap<Server, Map<string, number>>();

/** Upgrades the request. Throws too_many for a source whose signatures were wrong too often. */
export function acceptPendingAgent(server: Server, request: Request, caller: Caller): Response {
  server.unauthenticated.peek(wrongProofs(caller), WRONG_PROOFS_PER_MINUTE, 60);
  const { socket, response } = Deno.upgradeWebSocket(request, {
    idleTimeout: OFFLINE_AFTER_SECONDS,
  });
  new PendingConversation(server, caller, socket);
  return response;
}

const NOTED_EVERY_MS = 5000;
/** A close has room for 123 bytes; the agent knows the whole sentence. */
const REFUSED_ADDRESS =
  "the proof is for an address that is not this server's; RM_BASE_URL is needed";

const wrongProofs = ({ address }: Caller) => `proof:${networkOf(address)}`;

class PendingConversation {
  readonly #nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  #turn: Promise<void> = Promise.resolve();
  #state: "opening" | "proving" | "waiting" | "over" = "opening";
  #publicKey: Uint8Array | undefined;
  #agent: WaitingAgent | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #unread = 0;
  /** When the row last told that it is connected. */
  #notedAt = 0;

  constructor(
    private readonly server: Server,
    private readonly caller: Caller,
    private readonly socket: WebSocket,
  ) {
    socket.onopen = () => this.#inTurn(() => this.#open());
    socket.onmessage = ({ data }) => {
      // One frame at a time is all that this conversation needs.
      if (++this.#unread > 4) return this.#refuse(PENDING_CLOSE.badFrame, "too much at once");
      this.#inTurn(() => this.#handle(data).finally(() => this.#unread--));
    };
    socket.onclose = () => this.#end();
    // An error is always followed by a close.
    socket.onerror = (event) => {
      if (event instanceof ErrorEvent) event.preventDefault();
    };
  }

  async #open(): Promise<void> {
    const { pendingId } = this.caller;
    this.#publicKey = await findAnnouncedKey(this.server, pendingId);
    if (this.#state === "over") return;
    if (!this.#publicKey) {
      return this.#refuse(PENDING_CLOSE.expired, "nothing waits here; announce again");
    }
    if (count(this.server, pendingId) >= PROVING_AT_ONCE) {
      return this.#refuse(PENDING_CLOSE.busy, "this key is being proven already");
    }
    change(this.server, pendingId, 1);
    this.#state = "proving";
    this.#timer = setTimeout(
      () => this.#refuse(PENDING_CLOSE.silent, `no proof within ${PROOF_WITHIN_SECONDS} s`),
      PROOF_WITHIN_SECONDS * 1000,
    );
    tell(this.socket, { type: "nonce", nonce: toBase64(this.#nonce) });
  }

  async #handle(data: unknown): Promise<void> {
    if (this.#state === "over") return;
    const message = readPendingAgentMessage(data);
    if (message.type === "proof") return await this.#prove(message);
    if (this.#state !== "waiting") throw new ProtocolError("the first message must be proof");
    const now = this.server.now();
    this.#agent!.heardRan = this.server.clock.ran();
    // However quick its heartbeats are, a stranger does not make the database write for each.
    const isNoted = Math.abs(now - this.#notedAt) < NOTED_EVERY_MS;
    if (isNoted || await noteSeen(this.server, this.caller.pendingId)) {
      if (!isNoted) this.#notedAt = now;
      return void tell(this.socket, { type: "waiting" });
    }
    this.#refuse(PENDING_CLOSE.expired, "nothing waits here any more; announce again");
  }

  async #prove(
    { signature, server, machine }: Extract<PendingAgentMessage, { type: "proof" }>,
  ): Promise<void> {
    if (this.#state !== "proving") throw new ProtocolError("proof was given already");
    const { pendingId, address, peer } = this.caller;
    const proof = { nonce: this.#nonce, pendingId, server, machine };
    const isGood = await isProof(this.#publicKey!, proof, fromBase64(signature));
    if (!this.#isProving()) return;
    if (!isGood) {
      this.#countWrong();
      return this.#refuse(PENDING_CLOSE.badProof, "the signature is not the announced key's");
    }
    const problem = whyNotOurs(this.server, server, peer);
    if (problem) {
      this.server.log.warn(
        `${address}: the proof of pending host ${pendingId} is refused: ${problem}`,
      );
      return this.#refuse(PENDING_CLOSE.otherServer, REFUSED_ADDRESS);
    }
    this.#proven();
    this.#agent = { pendingId, socket: this.socket, heardRan: this.server.clock.ran() };
    tell(this.socket, { type: "waiting" });
    if (!await admit(this.server, this.#agent, address, proof)) {
      this.#refuse(PENDING_CLOSE.expired, "nothing waits here any more; announce again");
    }
  }

  /** Counts here and among the announcements of that source. */
  #countWrong(): void {
    const { unauthenticated, log } = this.server;
    const { address, pendingId } = this.caller;
    log.warn(`${address}: a wrong signature for pending host ${pendingId}`);
    for (
      const [key, most] of [
        [wrongProofs(this.caller), WRONG_PROOFS_PER_MINUTE],
        [`announce:${networkOf(address)}`, ANNOUNCEMENTS_PER_MINUTE],
      ] as const
    ) {
      try {
        unauthenticated.check(key, most, 60);
      } catch {
        // The count is full, which the next request hears.
      }
    }
  }

  #isProving(): boolean {
    return this.#state === "proving";
  }

  #proven(): void {
    clearTimeout(this.#timer);
    change(this.server, this.caller.pendingId, -1);
    this.#state = "waiting";
  }

  #inTurn(act: () => Promise<void>): void {
    this.#turn = this.#turn.then(act).catch((error) => {
      if (error instanceof ProtocolError) {
        return this.#refuse(PENDING_CLOSE.badFrame, error.message);
      }
      this.server.log.error(
        `pending host ${this.caller.pendingId}: ${error instanceof Error ? error.stack : error}`,
      );
      this.#refuse(PENDING_CLOSE.goingAway, "the server could not do this");
    });
  }

  #refuse(code: number, reason: string): void {
    closeQuietly(this.socket, code, reason);
    this.#end();
  }

  #end(): void {
    if (this.#state === "over") return;
    clearTimeout(this.#timer);
    if (this.#isProving()) change(this.server, this.caller.pendingId, -1);
    this.#state = "over";
    if (this.#agent && this.server.waiting.remove(this.#agent)) {
      this.server.events.publish({ type: "pending" });
    }
  }
}

function count(server: Server, pendingId: string): number {
  return proving.get(server)?.get(pendingId) ?? 0;
}

function change(server: Server, pendingId: string, by: number): void {
  const counts = proving.get(server) ?? new Map<string, number>();
  proving.set(server, counts);
  const left = count(server, pendingId) + by;
  if (left > 0) counts.set(pendingId, left);
  else counts.delete(pendingId);
}
