// How a machine without a token asks to join: what the agent and the server must agree on. The announcement itself is
// POST /api/agents/announce; the rest is the conversation of GET /ws/agent/pending?pending_id=….
//
//   server  nonce                      32 bytes
//   agent   proof                      Ed25519 over proofBytes(), within 5 s
//   server  waiting                    the key is proven; repeated as the answer to each heartbeat
//   agent   heartbeat                  every 30 s
//   server  enrolled, then close 1000  a person accepted; or a close with one of PENDING_CLOSE
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { z } from "zod";
import { id } from "./fields.ts";

export const PUBLIC_KEY_BYTES = 32;
export const NONCE_BYTES = 32;
export const SIGNATURE_BYTES = 64;
export const PROOF_WITHIN_SECONDS = 5;

/** Why a pending socket was closed; 1000 follows `enrolled`. */
export const PENDING_CLOSE = {
  /** The server is stopping; come back soon. */
  goingAway: 4000,
  /** An admin rejected this machine; it must not ask again. */
  rejected: 4001,
  /** Another socket proved the same key. */
  replaced: 4003,
  badFrame: 4004,
  /** No proof in time, or nothing was heard for too long. */
  silent: 4005,
  /** Nothing waits under this pending id any more: announce again. */
  expired: 4010,
  /** The signature is not the announced key's. */
  badProof: 4011,
  /** Enough sockets are proving this key right now. */
  busy: 4012,
} as const;

/** What the agent signs: a context that nothing else uses, so that a signature is of no use anywhere else. */
export function proofBytes(nonce: Uint8Array, pendingId: string): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder();
  return Uint8Array.of(
    ...text.encode("restic-manager pending host, version 1\0"),
    ...nonce,
    ...text.encode(pendingId),
  );
}

/** `SHA256:` and 64 hex digits. */
export function fingerprintOf(publicKey: Uint8Array): string {
  return `SHA256:${createHash("sha256").update(publicKey).digest("hex")}`;
}

/** The digits in groups of four, as people compare them, on the machine and on the page alike. */
export function fingerprintGroups(fingerprint: string): string[] {
  return fingerprint.replace(/^SHA256:/, "").match(/.{1,4}/g) ?? [];
}

export function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}

export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(text, "base64"));
}

/** So many bytes in base64 (RFC 4648, 4, with padding). */
export const base64Bytes = (count: number, what: string) =>
  z.string("must be text").refine((text) => {
    const bytes = fromBase64(text);
    // Node's reader skips what is no base64.
    return bytes.length === count && toBase64(bytes) === text;
  }, `must be ${what}: ${count} bytes in base64`);

export const PendingServerMessage = z.discriminatedUnion("type", [
  z.object({ type: z.literal("nonce"), nonce: base64Bytes(NONCE_BYTES, "a nonce") }),
  z.object({ type: z.literal("waiting") }),
  z.object({
    type: z.literal("enrolled"),
    host_id: id,
    name: z.string().max(200),
    bearer: z.string().min(1).max(200),
  }),
]);
export type PendingServerMessage = z.infer<typeof PendingServerMessage>;

export const PendingAgentMessage = z.discriminatedUnion("type", [
  z.object({ type: z.literal("proof"), signature: base64Bytes(SIGNATURE_BYTES, "a signature") }),
  z.object({ type: z.literal("heartbeat") }),
]);
export type PendingAgentMessage = z.infer<typeof PendingAgentMessage>;
