// A machine that nobody knows: announces itself, proves its key or only pretends to, and does what it is told.
import {
  type AnnouncedMachine,
  fromBase64,
  type PendingServerMessage,
  proofBytes,
  toBase64,
} from "../../shared/announce.ts";
import { serverAddress } from "../../shared/server_address.ts";
import { readPendingServerMessage } from "../../shared/wire.ts";
import { eventually } from "./eventually.ts";
import type { TestServer } from "./start_server.ts";

export interface ProofOptions {
  pendingId?: string;
  /** The address that is signed. */
  server?: string;
  /** The address that stands beside the signature. */
  said?: string;
  machine?: AnnouncedMachine;
}

export class Announcer {
  pendingId = "";
  fingerprint = "";

  private constructor(
    readonly hostname: string,
    readonly keys: CryptoKeyPair,
    readonly publicKey: Uint8Array,
  ) {}

  static async make(hostname = "pc-anna"): Promise<Announcer> {
    const keys = await crypto.subtle.generateKey("Ed25519", true, [
      "sign",
      "verify",
    ]) as CryptoKeyPair;
    const raw = await crypto.subtle.exportKey("raw", keys.publicKey);
    return new Announcer(hostname, keys, new Uint8Array(raw));
  }

  /** Makes one that has announced itself. */
  static async announced(test: TestServer, hostname?: string, from?: string): Promise<Announcer> {
    const stranger = await Announcer.make(hostname);
    const { status, body } = await stranger.announce(test, {}, from);
    if (status !== 200) throw new Error(JSON.stringify(body));
    return stranger;
  }

  /** `from`: the address that a proxy in front of the server names. */
  async announce(test: TestServer, more: Record<string, unknown> = {}, from?: string) {
    const response = await fetch(`${test.url}/api/agents/announce`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        ...(from ? { "x-forwarded-for": from } : {}),
      },
      body: JSON.stringify({ ...this.announcement(), ...more }),
    });
    const body = await response.json();
    if (response.ok) {
      this.pendingId = body.pending_id;
      this.fingerprint = body.fingerprint;
    }
    return { status: response.status, body, headers: response.headers };
  }

  announcement() {
    return {
      hostname: this.hostname,
      os: "linux" as const,
      arch: "x86_64",
      agent_version: "0.1.0",
      restic_version: "0.18.0",
      public_key: toBase64(this.publicKey),
    };
  }

  /** What it says of itself where it does not say something else. */
  machine(more: Partial<AnnouncedMachine> = {}): AnnouncedMachine {
    const { public_key: _, ...machine } = this.announcement();
    return { ...machine, ...more };
  }

  /** A proof as the server at `url` expects it, but for what the test makes otherwise. */
  async proof(nonce: string, url: string, more: ProofOptions = {}) {
    const { pendingId = this.pendingId, server = serverAddress(url)!, said = server } = more;
    const machine = more.machine ?? this.machine();
    const signed = proofBytes({ nonce: fromBase64(nonce), pendingId, server, machine });
    const signature = toBase64(
      new Uint8Array(await crypto.subtle.sign("Ed25519", this.keys.privateKey, signed)),
    );
    return { type: "proof" as const, signature, server: said, machine };
  }

  async dial(url: string, pendingId = this.pendingId): Promise<PendingSocket> {
    return await PendingSocket.dial(url, pendingId);
  }

  /** Dials, proves the key and waits until the server has said that it waits too. */
  async wait(url: string, more: ProofOptions = {}): Promise<PendingSocket> {
    const socket = await this.dial(url);
    socket.send(await this.proof(await socket.nonce(), url, more));
    await socket.next("waiting");
    return socket;
  }
}

export class PendingSocket {
  readonly received: PendingServerMessage[] = [];
  closed: { code: number; reason: string } | undefined;

  private constructor(readonly socket: WebSocket) {
    socket.onmessage = ({ data }) => this.received.push(readPendingServerMessage(data));
    socket.onclose = ({ code, reason }) => this.closed ??= { code, reason };
    socket.onerror = (event) => {
      if (event instanceof ErrorEvent) event.preventDefault();
    };
  }

  /** Rejects when the upgrade is refused. */
  static async dial(url: string, pendingId: string): Promise<PendingSocket> {
    const ws = new WebSocket(
      `${url.replace("http", "ws")}/ws/agent/pending?pending_id=${pendingId}`,
    );
    const socket = new PendingSocket(ws);
    await new Promise((resolve, reject) => {
      ws.addEventListener("open", resolve, { once: true });
      ws.addEventListener("close", () => reject(new Error("refused")), { once: true });
    });
    return socket;
  }

  send(message: unknown): void {
    this.socket.send(typeof message === "string" ? message : JSON.stringify(message));
  }

  async nonce(): Promise<string> {
    return (await this.next("nonce")).nonce;
  }

  async next<T extends PendingServerMessage["type"]>(type: T) {
    return await eventually(`a ${type}`, () => {
      const found = this.received.find((message) => message.type === type);
      if (!found && this.closed) throw new Error(JSON.stringify(this.closed));
      return found as Extract<PendingServerMessage, { type: T }> | undefined;
    }, 10_000);
  }

  async untilClosed(): Promise<{ code: number; reason: string }> {
    return await eventually("the close", () => this.closed, 10_000);
  }

  async close(): Promise<void> {
    this.socket.close();
    await this.untilClosed();
  }
}
