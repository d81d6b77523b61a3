// A machine without a token asks to join. All that it can do is to fill one of 100 rows.
import type { Transaction } from "kysely";
import { z } from "zod";
import { base64Bytes, fingerprintOf, fromBase64, PUBLIC_KEY_BYTES } from "../../shared/announce.ts";
import { hostName } from "../../shared/fields.ts";
import { newId } from "../../shared/new_id.ts";
import { OLDEST_PROTOCOL } from "../../shared/protocol.ts";
import type { Tables } from "../database/tables.ts";
import { operatingSystem } from "../enrolment/enrol.ts";
import { AppError } from "../errors.ts";
import { networkOf } from "../network.ts";
import type { Server } from "../server.ts";
import { isNameTaken } from "./find.ts";
import {
  ANNOUNCEMENTS_PER_MINUTE,
  PENDING_LIMIT,
  PENDING_PER_SOURCE,
  UNSEEN_MILLISECONDS,
} from "./limits.ts";

const ascii = (limit: number) =>
  z.string("must be text").min(1, "must not be empty")
    .max(limit, `must be at most ${limit} characters`)
    .regex(/^[\x20-\x7e]*$/, "must hold only letters, digits and punctuation of ASCII");

export const Announcement = z.strictObject({
  hostname: hostName,
  os: operatingSystem,
  arch: ascii(32),
  agent_version: ascii(64),
  restic_version: ascii(64).nullable().optional(),
  public_key: base64Bytes(PUBLIC_KEY_BYTES, "an Ed25519 public key"),
  /** The protocol that the agent speaks; left out by whoever speaks the first one. */
  protocol: z.int("must be a whole number").min(0, "must be 0 or more").default(1),
});
export type Announcement = z.infer<typeof Announcement>;

export interface Announced {
  fingerprint: string;
  pending_id: string;
  /** Another host, or another pending one, has the same name. */
  hostname_collision: boolean;
}

/**
 * Adds or refreshes the row of this key. Throws too_many, unavailable when no row is free, rejected, agent_too_old. The key
 * of a host that was accepted but has never connected finds its way back to it.
 */
export async function announce(
  server: Server,
  address: string,
  wish: Announcement,
): Promise<Announced> {
  const network = networkOf(address);
  server.strangers.check(`announce:${network}`, ANNOUNCEMENTS_PER_MINUTE, 60);
  if (wish.protocol < OLDEST_PROTOCOL) {
    throw new AppError(
      "agent_too_old",
      `Update the agent: it speaks protocol ${wish.protocol}, this server needs ${OLDEST_PROTOCOL}.`,
      "protocol",
    );
  }
  const publicKey = fromBase64(wish.public_key);
  const fingerprint = fingerprintOf(publicKey);
  const { pendingId, changed } = await server.db.transaction().execute(async (tx) => {
    await refuseRejected(tx, server.now(), fingerprint);
    const accepted = await tx.selectFrom("accepted_keys")
      .innerJoin("hosts", "hosts.id", "accepted_keys.host_id").select("pending_id")
      .where("public_key", "=", publicKey).where("awaits_agent", "=", 1)
      .orderBy("accepted_at", "desc").executeTakeFirst();
    if (accepted) return { pendingId: accepted.pending_id, changed: false };
    const seen = { ...described(wish, server.now()), announced_from_ip: address };
    const known = await tx.updateTable("pending_hosts")
      .set({ ...seen, announced_from_network: network }).where("public_key", "=", publicKey)
      .where("expires_at", ">", server.now()).returning("id").executeTakeFirst();
    if (known) return { pendingId: known.id, changed: true };
    await tx.deleteFrom("pending_hosts").where("expires_at", "<=", server.now()).execute();
    await refuseFull(tx, network);
    const id = newId();
    await tx.insertInto("pending_hosts").values({
      id,
      public_key: publicKey,
      fingerprint,
      first_seen_at: server.now(),
      proven_at: null,
      announced_from_network: network,
      ...seen,
    }).execute();
    return { pendingId: id, changed: true };
  });
  if (changed) server.events.publish({ type: "pending" });
  return {
    fingerprint,
    pending_id: pendingId,
    hostname_collision: changed && await isNameTaken(server, pendingId, wish.hostname),
  };
}

function described(wish: Announcement, now: number) {
  const { hostname, os, arch, agent_version, restic_version = null } = wish;
  return {
    hostname,
    os,
    arch,
    agent_version,
    restic_version,
    last_seen_at: now,
    expires_at: now + UNSEEN_MILLISECONDS,
  };
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
