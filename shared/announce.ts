// How a machine without a token asks to join: what the agent and the server must agree on. The announcement itself is
// POST /api/agents/announce; the rest is the conversation of GET /ws/agent/pending?pending_id=….
//
//   server  nonce                      32 bytes
//   agent   proof                      Ed25519 over proofBytes(), within 5 s; says for which server it is made, and what the
//                                      machine says of itself
//   server  waiting                    the key is proven; repeated as the answer to each heartbeat
//   agent   heartbeat                  every 30 s
//   server  enrolled, then close 1000  a person accepted; or a close with one of PENDING_CLOSE
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { z } from "zod";
import { announcedHostName, id } from "./fields.ts";
import { serverAddress } from "./server_address.ts";

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
  /** The proof is good and made for an address that is not this server's: see server_address.ts. */
  otherServer: 4013,
} as const;

export const operatingSystem = z.enum(["linux", "windows", "darwin"], {
  error: "must be linux, windows or darwin",
});

const ascii = (limit: number) =>
  z.string("must be text").min(1, "must not be empty")
    .max(limit, `must be at most ${limit} characters`)
    .regex(/^[\x20-\x7e]*$/, "must hold only letters, digits and punctuation of ASCII");

/** The server as the agent dialled it, in the one spelling that both sides compare. */
export const dialledServer = z.string("must be text").max(300, "must be at most 300 characters")
  .refine(
    (text) => serverAddress(text) === text,
    "must be the address that was dialled, as scheme://name:port in small letters",
  );

/** What a machine says of itself when it asks to join; a name whose marks are composed (Unicode NFC). */
export const MACHINE = {
  hostname: announcedHostName,
  os: operatingSystem,
  arch: ascii(32),
  agent_version: ascii(64),
  restic_version: ascii(64).nullable().optional(),
};
export const AnnouncedMachine = z.object(MACHINE);
export type AnnouncedMachine = z.infer<typeof AnnouncedMachine>;

export interface Proof {
  nonce: Uint8Array;
  pendingId: string;
  /** As serverAddress() writes it. */
  server: string;
  machine: AnnouncedMachine;
}

/**
 * What the agent signs: a context that nothing else uses, so that a signature is of no use anywhere else; for which server it
 * is, so that anyone who is in between cannot hand it on; and what the machine says of itself, so that nobody else says it.
 */
export function proofBytes({ nonce, pendingId, server, machine }: Proof): Uint8Array<ArrayBuffer> {
  const { hostname, os, arch, agent_version, restic_version = null } = machine;
  const said = [server, pendingId, hostname, os, arch, agent_version, restic_version];
  const text = new TextEncoder();
  return Uint8Array.of(
    ...text.encode("restic-manager pending host, version 2\0"),
    ...nonce,
    ...text.encode(JSON.stringify(said)),
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
  z.object({
    type: z.literal("proof"),
    signature: base64Bytes(SIGNATURE_BYTES, "a signature"),
    server: dialledServer,
    machine: AnnouncedMachine,
  }),
  z.object({ type: z.literal("heartbeat") }),
]);
export type PendingAgentMessage = z.infer<typeof PendingAgentMessage>;
