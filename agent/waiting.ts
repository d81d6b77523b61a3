// GET /ws/agent/pending: proves the key and waits until a person has decided, or the connection is gone.
import {
  type AnnouncedMachine,
  fromBase64,
  PENDING_CLOSE,
  type PendingAgentMessage,
  type PendingServerMessage,
  proofBytes,
  toBase64,
} from "../shared/announce.ts";
import { HEARTBEAT_SECONDS, OFFLINE_AFTER_SECONDS } from "../shared/protocol.ts";
import { readPendingServerMessage } from "../shared/wire.ts";
import { serverAddress } from "../shared/server_address.ts";
import type { Identity } from "./identity.ts";
import { messageOf } from "../shared/log.ts";

export interface WaitingOptions {
  server: string;
  pendingId: string;
  identity: Identity;
  /** What was announced: the proof says that the owner of the key said it. */
  machine: AnnouncedMachine;
  client?: Deno.HttpClient;
  signal: AbortSignal;
  /** The server has seen the proof. */
  onWaiting: () => void;
}

export type Decision =
  | { enrolled: Extract<PendingServerMessage, { type: "enrolled" }> }
  /** 0: not a close of the server's. */
  | { enrolled?: undefined; code: number; reason: string };

const DIAL_MS = 20_000;

/** Resolves with the decision, or with why the socket ended without one. Rejects with the signal's reason. */
export function waitForDecision(options: WaitingOptions): Promise<Decision> {
  return new Promise((resolve, reject) => new Waiting(options, resolve, reject));
}

class Waiting {
  readonly #socket: WebSocket;
  readonly #timers: number[] = [];
  #heardAt = performance.now();
  #isWaiting = false;
  #isOver = false;
  #error = "";

  constructor(
    private readonly options: WaitingOptions,
    private readonly resolve: (decision: Decision) => void,
    private readonly reject: (reason: unknown) => void,
  ) {
    const { server, pendingId, client, signal } = options;
    const url = `${server.replace(/^http/, "ws")}/ws/agent/pending?pending_id=${pendingId}`;
    this.#socket = new WebSocket(url, { client } as unknown as string[]);
    this.#socket.onmessage = ({ data }) => this.#receive(data);
    this.#socket.onerror = (event) => {
      event.preventDefault();
      this.#error = (event as ErrorEvent).message ?? "";
    };
    this.#socket.onclose = ({ code, reason }) => this.#end(code, reason || this.#error);
    this.#timers.push(setTimeout(() => {
      if (!this.#isWaiting) this.#end(0, "the server did not answer");
    }, DIAL_MS));
    this.#timers.push(setInterval(() => this.#beat(), HEARTBEAT_SECONDS * 1000));
    signal.addEventListener("abort", this.#abort);
    if (signal.aborted) this.#abort();
  }

  #receive(data: unknown): void {
    if (this.#isOver) return;
    this.#heardAt = performance.now();
    try {
      this.#take(readPendingServerMessage(data));
    } catch (error) {
      this.#end(PENDING_CLOSE.badFrame, `the server sent nonsense: ${messageOf(error)}`);
    }
  }

  #take(message: PendingServerMessage): void {
    switch (message.type) {
      case "nonce": {
        const { identity, machine, pendingId } = this.options;
        const nonce = fromBase64(message.nonce);
        // Of the address that was really dialled: a redirect is not followed, so nobody else can have answered under it.
        const server = serverAddress(this.options.server)!;
        const signed = proofBytes({ nonce, pendingId, server, machine });
        return this.#send({
          type: "proof",
          signature: toBase64(identity.sign(signed)),
          server,
          machine,
        });
      }
      case "waiting":
        if (!this.#isWaiting) this.options.onWaiting();
        this.#isWaiting = true;
        return;
      case "enrolled":
        return this.#finish(() => this.resolve({ enrolled: message }));
      default:
        message satisfies never;
    }
  }

  #beat(): void {
    if (performance.now() - this.#heardAt > OFFLINE_AFTER_SECONDS * 1000) {
      this.#end(0, "the server was silent for too long");
    } else if (this.#isWaiting) this.#send({ type: "heartbeat" });
  }

  #send(message: PendingAgentMessage): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  readonly #abort = () => this.#finish(() => this.reject(this.options.signal.reason));

  #end(code: number, reason: string): void {
    this.#finish(() => this.resolve({ code, reason: reason || `close code ${code}` }));
  }

  #finish(settle: () => void): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.options.signal.removeEventListener("abort", this.#abort);
    try {
      this.#socket.close(1000);
    } catch {
      // Closed already.
    }
    settle();
  }
}
