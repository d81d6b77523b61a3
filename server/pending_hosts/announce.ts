// A machine without a token asks to join. All that it can do is to fill one of 100 rows.
import type { Transaction } from "kysely";
import { z } from "zod";
import {
  base64Bytes,
  dialledServer,
  fingerprintOf,
  fromBase64,
  MACHINE,
  PUBLIC_KEY_BYTES,
} from "../../shared/announce.ts";
import { newId } from "../../shared/new_id.ts";
import { OLDEST_PROTOCOL } from "../../shared/protocol.ts";
import type { Tables } from "../database/tables.ts";
import { AppError } from "../errors.ts";
import { networkOf } from "../network.ts";
import { whyNotOurs } from "../own_addresses.ts";
import type { Server } from "../server.ts";
import { canBeReadOnTheWay } from "../../shared/server_address.ts";
import { isNameTaken } from "./find.ts";
import { isOwnersAlone } from "./public_key.ts";
import { described, noteSaid, type Said } from "./said.ts";
import {
  ANNOUNCEMENTS_PER_MINUTE,
  PENDING_LIMIT,
  PENDING_PER_SOURCE,
  UNSEEN_MILLISECONDS,
} from "./limits.ts";
import type { Announced } from "../../shared/shapes/pending_host.ts";

export const Announcement = z.strictObject({
  ...MACHINE,
  public_key: base64Bytes(PUBLIC_KEY_BYTES, "an Ed25519 public key"),
  /** The server as it was dialled. A hint for people: what counts is the one that the proof names. */
  server: dialledServer.optional(),
  /** The protocol that the agent speaks. Left out it is not known here, and its hello decides. */
  protocol: z.int("must be a whole number").min(0, "must be 0 or more").default(OLDEST_PROTOCOL),
});
export type Announcement = z.infer<typeof Announcement>;

/** Whom the announcement came from, as the server sees it. */
export interface Caller {
  address: string;
  /** The other end of the connection: the machine's, or a proxy's. */
  peer: string;
  /** What it sent can be read on the way, as far as the server can tell. */
  isPlain: boolean;
}

/**
 * Adds or refreshes the row of this key; one that was proven stays as it is, since the key is public and only a proof shows that
 * its owner speaks. Throws too_many, unavailable when no row is free, rejected, agent_too_old, and invalid for a key under
 * which others could make a proof. The key of a host that was accepted but has never connected finds its way back to it.
 */
export async function announce(
  server: Server,
  caller: Caller,
  input: Announcement,
): Promise<Announced> {
  const network = networkOf(caller.address);
  server.unauthenticated.check(`announce:${network}`, ANNOUNCEMENTS_PER_MINUTE, 60);
  refuseOldProtocol(input.protocol);
  const publicKey = readPublicKey(input.public_key);
  const fingerprint = fingerprintOf(publicKey);
  const said: Said = {
    ...described(input),
    announced_from_ip: caller.address,
    announced_from_network: network,
    dialled: input.server ?? null,
    plain_http: Number(input.server ? canBeReadOnTheWay(input.server) : caller.isPlain),
  };
  const { pendingId, changed, isHost } = await server.db.transaction().execute(async (tx) => {
    await refuseRejected(tx, server.now(), fingerprint);
    return await hostOf(tx, publicKey) ??
      await refreshed(tx, server.now(), publicKey, said) ??
      await added(tx, server.now(), { public_key: publicKey, fingerprint }, said);
  });
  if (changed) server.events.publish({ type: "pending" });
  const problem = input.server && whyNotOurs(server, input.server, caller.peer);
  return {
    fingerprint,
    pending_id: pendingId,
    hostname_collision: !isHost && await isNameTaken(server, pendingId, input.hostname),
    ...(problem ? { address_problem: problem } : {}),
  };
}

function refuseOldProtocol(protocol: number): void {
  if (protocol >= OLDEST_PROTOCOL) return;
  throw new AppError(
    "agent_too_old",
    `Update the agent: it speaks protocol ${protocol}, this server needs ${OLDEST_PROTOCOL}.`,
    "protocol",
  );
}

function readPublicKey(text: string): Uint8Array<ArrayBuffer> {
  const publicKey = fromBase64(text);
  if (isOwnersAlone(publicKey)) return publicKey;
  throw new AppError(
    "invalid",
    "public_key must be an Ed25519 public key in its canonical encoding and of prime order: under this one others could make a valid proof.",
    "public_key",
  );
}

interface Row {
  pendingId: string;
  changed: boolean;
  /** The key is that of a host which was accepted and has never connected. */
  isHost: boolean;
}

async function hostOf(tx: Transaction<Tables>, publicKey: Uint8Array): Promise<Row | undefined> {
  const accepted = await tx.selectFrom("accepted_keys")
    .innerJoin("hosts", "hosts.id", "accepted_keys.host_id").select("pending_id")
    .where("public_key", "=", publicKey).where("awaits_agent", "=", 1)
    .orderBy("accepted_at", "desc").executeTakeFirst();
  return accepted && { pendingId: accepted.pending_id, changed: false, isHost: true };
}

async function refreshed(
  tx: Transaction<Tables>,
  now: number,
  publicKey: Uint8Array,
  said: Said,
): Promise<Row | undefined> {
  const known = await tx.selectFrom("pending_hosts").select(["id", "proven_at"])
    .where("public_key", "=", publicKey).where("expires_at", ">", now).executeTakeFirst();
  if (!known) return undefined;
  const changed = known.proven_at === null;
  if (changed) await noteSaid(tx, now, known.id, { ...said, isProven: false });
  return { pendingId: known.id, changed, isHost: false };
}

async function added(
  tx: Transaction<Tables>,
  now: number,
  key: { public_key: Uint8Array; fingerprint: string },
  said: Said,
): Promise<Row> {
  await tx.deleteFrom("pending_hosts").where("expires_at", "<=", now).execute();
  await refuseFull(tx, said.announced_from_network);
  const id = newId();
  await tx.insertInto("pending_hosts").values({
    id,
    ...key,
    first_seen_at: now,
    last_seen_at: now,
    expires_at: now + UNSEEN_MILLISECONDS,
    proven_at: null,
    ...said,
  }).execute();
  return { pendingId: id, changed: true, isHost: false };
}

async function refuseRejected(
  tx: Transaction<Tables>,
  now: number,
  fingerprint: string,
): Promise<void> {
  const rejected = await tx.selectFrom("rejected_keys").select("expires_at")
    .where("fingerprint", "=", fingerprint).where("expires_at", ">", now).executeTakeFirst();
  if (!rejected) return;
  const until = new Date(rejected.expires_at).toISOString().slice(0, 16).replace("T", " ");
  throw new AppError(
    "rejected",
    `An admin rejected this machine. It may ask again after ${until} UTC, or when an admin allows it on the dashboard.`,
  );
}

async function refuseFull(tx: Transaction<Tables>, network: string): Promise<void> {
  const rows = tx.selectFrom("pending_hosts").select((row) => row.fn.countAll<number>().as("n"));
  const { n: all } = await rows.executeTakeFirstOrThrow();
  const { n: ofSource } = await rows.where("announced_from_network", "=", network)
    .executeTakeFirstOrThrow();
  const full = ofSource >= PENDING_PER_SOURCE
    ? `${PENDING_PER_SOURCE} machines of this address wait for approval already, which is the most that may.`
    : all >= PENDING_LIMIT
    ? `${PENDING_LIMIT} machines wait for approval already, which is the most that may.`
    : undefined;
  if (!full) return;
  const error = new AppError(
    "unavailable",
    `${full} Accept or reject some on the dashboard, or join this machine by a token.`,
  );
  error.retryAfter = 60;
  throw error;
}
