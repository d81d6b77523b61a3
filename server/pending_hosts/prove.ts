import { type Proof, proofBytes } from "../../shared/announce.ts";
import { canBeReadOnTheWay } from "../../shared/server_address.ts";
import { networkOf } from "../network.ts";
import type { Server } from "../server.ts";
import type { WaitingAgent } from "../waiting_agents.ts";
import { handOver } from "./hand_over.ts";
import { UNSEEN_MILLISECONDS } from "./limits.ts";
import { isOwnersAlone } from "./public_key.ts";
import { described, noteSaid } from "./said.ts";

/** The announced key, of one that waits or of an accepted host that has never connected. */
export async function findAnnouncedKey(
  server: Server,
  pendingId: string,
): Promise<Uint8Array | undefined> {
  const pending = await server.db.selectFrom("pending_hosts").select("public_key")
    .where("id", "=", pendingId).where("expires_at", ">", server.now()).executeTakeFirst();
  if (pending) return pending.public_key;
  const accepted = await server.db.selectFrom("accepted_keys")
    .innerJoin("hosts", "hosts.id", "host_id").select("public_key")
    .where("pending_id", "=", pendingId).where("awaits_agent", "=", 1).executeTakeFirst();
  return accepted?.public_key;
}

/** A row of before keys were looked at may hold one that everybody can sign for. */
export async function isProof(
  publicKey: Uint8Array,
  proof: Proof,
  signature: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  if (!isOwnersAlone(publicKey)) return false;
  try {
    const key = await crypto.subtle.importKey(
      "raw",
      new Uint8Array(publicKey),
      { name: "Ed25519" },
      false,
      ["verify"],
    );
    return await crypto.subtle.verify({ name: "Ed25519" }, key, signature, proofBytes(proof));
  } catch {
    // 32 bytes that are no point of the curve.
    return false;
  }
}

/**
 * The agent holds the key, and what it signed is what it is: from now on it waits here, or receives at once what it waits
 * for. False when nothing waits under its id any more.
 */
export async function admit(
  server: Server,
  agent: WaitingAgent,
  address: string,
  proof: Proof,
): Promise<boolean> {
  const said = {
    ...described(proof.machine),
    announced_from_ip: address,
    announced_from_network: networkOf(address),
    dialled: proof.server,
    plain_http: Number(canBeReadOnTheWay(proof.server)),
  };
  const isPending = await server.db.transaction().execute((tx) =>
    noteSaid(tx, server.now(), agent.pendingId, { ...said, isProven: true })
  );
  server.waiting.add(agent);
  // After it is there to be found: an acceptance that came in between did not see it.
  if (await handOver(server, agent.pendingId)) return true;
  if (isPending && await noteSeen(server, agent.pendingId)) {
    server.events.publish({ type: "pending" });
    return true;
  }
  server.waiting.remove(agent);
  return false;
}

/** A pending host that is connected does not expire. False when there is none. */
export async function noteSeen(server: Server, pendingId: string): Promise<boolean> {
  const now = server.now();
  const row = await server.db.updateTable("pending_hosts").set({
    last_seen_at: now,
    expires_at: now + UNSEEN_MILLISECONDS,
  }).where("id", "=", pendingId).where("expires_at", ">", now).returning("id").executeTakeFirst();
  return row !== undefined;
}
