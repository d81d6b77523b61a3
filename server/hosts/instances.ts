// Two machines with one identity: a clone, a state that was copied, a stolen one. Each start of an agent makes a random id,
// which no disk holds. An id that comes back after another one took its place is a second machine that goes on living beside
// the first; a restart, an update or a rebuilt container is not, since its old id never comes back. From then on neither is
// given a secret. Both keep the plan that they have and go on backing up, until an admin has said which one is right: that one
// gets a new bearer, the other is closed.
import type { Kysely, Selectable, Transaction } from "kysely";
import { CLOSE, type Hello } from "../../shared/protocol.ts";
import { recordAudit } from "../audit/record.ts";
import { type AgentSocket, closeQuietly, sendTo } from "../connected_agents.ts";
import type { HostInstancesTable, Tables } from "../database/tables.ts";
import { AppError } from "../errors.ts";
import { randomSecret, sha256 } from "../random.ts";
import type { Server } from "../server.ts";
import { letWait } from "../repositories/maintenance_hosts.ts";

/** How many starts of one host are remembered. */
const REMEMBERED = 20_000;
/** One process that is connected twice, and both ends live: a machine that was copied while it ran. */
const TAKEOVERS = 4;
const TAKEOVERS_WITHIN_MS = 10 * 60_000;

/**
 * What a hello says of the host's identity. `settled`: go on as usual. `doubted`: two machines have it, so nothing secret may
 * be sent; the one that was chosen is given its new bearer, with which it comes again. `refused`: another one was chosen, and this
 * socket is closed.
 */
export type Identity = "settled" | "doubted" | "refused";

export async function settleIdentity(
  server: Server,
  agent: AgentSocket,
  hello: Hello,
): Promise<Identity> {
  const { hostId } = agent;
  const hash = sha256(hello.instance ?? randomSecret());
  agent.instanceHash = hash;
  const now = server.now();
  const found = await server.db.transaction().execute(async (tx) => {
    const host = await tx.selectFrom("hosts")
      .select([
        "name",
        "bearer_hash",
        "doubted_since",
        "chosen_instance_hash",
        "next_bearer_hash",
      ])
      .where("id", "=", hostId).executeTakeFirst();
    if (!host) return undefined;
    const isTakenUp = host.next_bearer_hash !== null &&
      isSame(host.next_bearer_hash, agent.bearerHash);
    // Opened by a bearer that is none any more: what it says is noted nowhere.
    if (!isTakenUp && !isSame(host.bearer_hash, agent.bearerHash)) return undefined;
    if (isTakenUp) await takeUp(tx, now, agent, host.name);
    else if (host.chosen_instance_hash) {
      if (isSame(host.chosen_instance_hash, hash)) return "moved";
      if (await isKnown(tx, hostId, hash)) return "refused";
      // Started again since the choice: whose this is nobody knows, and an admin may choose again.
    }
    const cameBack = await note(tx, now, agent, hello);
    if (isTakenUp) return "taken_up";
    if (host.doubted_since !== null) return "doubted";
    if (!cameBack && !isFoughtOver(server, agent, hash)) return "settled";
    await doubt(tx, now, { id: hostId, name: host.name }, agent.address ?? null);
    return "doubted";
  });
  if (found === undefined || found === "settled") return "settled";
  if (found === "taken_up") {
    server.agents.close(hostId, CLOSE.unknownHost, "another machine was chosen for this host");
    return "settled";
  }
  if (found === "moved") {
    // Until it has stored that and comes by it, it is treated as the other one.
    await giveBearer(server, agent);
    return "doubted";
  }
  if (found === "refused") {
    closeQuietly(agent.socket, CLOSE.unknownHost, "another machine was chosen for this host");
  }
  if (found === "doubted") {
    sendTo(agent.socket, {
      type: "error",
      message:
        "Two machines use this host's identity. Both go on with the plan that they have; an admin says on the host's page which one is right.",
    });
  }
  return found;
}

async function isKnown(
  tx: Transaction<Tables>,
  hostId: string,
  hash: Uint8Array,
): Promise<boolean> {
  const row = await tx.selectFrom("host_instances").select("number").where("host_id", "=", hostId)
    .where("instance_hash", "=", hash).executeTakeFirst();
  return row !== undefined;
}

/** Notes this start; true when another one had taken its place. */
async function note(
  tx: Transaction<Tables>,
  now: number,
  { hostId, instanceHash, address }: AgentSocket,
  { hostname, os, arch, agent_version, boot_time }: Hello,
): Promise<boolean> {
  const before = await tx.selectFrom("host_instances").select("superseded")
    .where("host_id", "=", hostId).where("instance_hash", "=", instanceHash!).executeTakeFirst();
  const machine = { hostname, os, arch, agent_version, boot_time };
  const said = { ...machine, address: address ?? null, last_seen_at: now };
  await tx.updateTable("host_instances").set({ superseded: 1 }).where("host_id", "=", hostId)
    .where("superseded", "=", 0).where("instance_hash", "!=", instanceHash!).execute();
  if (before) {
    await tx.updateTable("host_instances").set({ ...said, superseded: 0 })
      .where("host_id", "=", hostId).where("instance_hash", "=", instanceHash!).execute();
    return before.superseded === 1;
  }
  const newest = await tx.selectFrom("host_instances").select("number")
    .where("host_id", "=", hostId).orderBy("number", "desc").limit(1).executeTakeFirst();
  const number = (newest?.number ?? 0) + 1;
  await tx.insertInto("host_instances").values({
    host_id: hostId,
    instance_hash: instanceHash!,
    number,
    first_seen_at: now,
    superseded: 0,
    ...said,
  }).execute();
  await tx.deleteFrom("host_instances").where("host_id", "=", hostId)
    .where("number", "<=", number - REMEMBERED).execute();
  return false;
}

/** The same id takes its own place again and again, from ends that both were heard a moment ago. */
function isFoughtOver(server: Server, agent: AgentSocket, hash: Uint8Array): boolean {
  const [other] = server.agents.of(agent.hostId);
  if (!other?.instanceHash || !isSame(other.instanceHash, hash)) return false;
  const now = performance.now();
  agent.takeovers = other.takeovers.filter((at) => now - at < TAKEOVERS_WITHIN_MS);
  const isAlive = other.socket.readyState === WebSocket.OPEN &&
    server.clock.ran() - other.heardRan < 60_000;
  if (isAlive) agent.takeovers.push(now);
  return agent.takeovers.length >= TAKEOVERS;
}

async function doubt(
  tx: Transaction<Tables>,
  now: number,
  host: { id: string; name: string },
  address: string | null,
): Promise<void> {
  await tx.updateTable("hosts").set({ doubted_since: now }).where("id", "=", host.id).execute();
  await letWait(tx, now, host.id);
  const machines = await instancesInDoubt(tx, host.id, now);
  await recordAudit(tx, now, { kind: "agent", ...host, address }, {
    action: "host.identity_doubted",
    target: { kind: "host", ...host },
    detail: {
      machines: machines.map(({ hostname, address, agent_version }) => ({
        hostname,
        address,
        agent_version,
      })),
    },
  });
}

/** Two are what the question is about; someone who starts again and again must not push the right one off the list. */
const SHOWN_OF_BEFORE = 4;
const SHOWN_SINCE = 6;

/** Those that were there before the doubt, and those that came since, the one that was heard last first. */
export async function instancesInDoubt(
  db: Kysely<Tables>,
  hostId: string,
  doubtedSince: number,
): Promise<Selectable<HostInstancesTable>[]> {
  const some = (sign: "<" | ">=", most: number) =>
    db.selectFrom("host_instances").selectAll().where("host_id", "=", hostId)
      .where("first_seen_at", sign, doubtedSince).orderBy("last_seen_at", "desc").limit(most)
      .execute();
  const rows = [...await some("<", SHOWN_OF_BEFORE), ...await some(">=", SHOWN_SINCE)];
  return rows.sort((a, b) => b.last_seen_at - a.last_seen_at);
}

/** May be repeated, after an answer that got lost, until it has come with one. */
export async function giveBearer(server: Server, agent: AgentSocket): Promise<void> {
  const bearer = randomSecret("rma_");
  const { numUpdatedRows } = await server.db.updateTable("hosts")
    .set({ next_bearer_hash: sha256(bearer) })
    .where("id", "=", agent.hostId).where("chosen_instance_hash", "=", agent.instanceHash!)
    .executeTakeFirst();
  // Another one was chosen meanwhile.
  if (numUpdatedRows !== 1n) return;
  // What the agent stores for good, the server must not forget in a power cut.
  await server.database.flush();
  sendTo(agent.socket, { type: "bearer.set", bearer });
}

/** The chosen one came with its new bearer: the old one opens nothing any more. */
async function takeUp(
  tx: Transaction<Tables>,
  now: number,
  agent: AgentSocket,
  name: string,
): Promise<void> {
  const { hostId } = agent;
  await tx.updateTable("hosts").set({ bearer_hash: agent.bearerHash, ...NO_DOUBT })
    .where("id", "=", hostId).execute();
  await letWait(tx, now, hostId);
  await tx.deleteFrom("host_instances").where("host_id", "=", hostId).execute();
  await recordAudit(tx, now, { kind: "agent", id: hostId, name, address: agent.address ?? null }, {
    action: "host.identity_settled",
    target: { kind: "host", id: hostId, name },
  });
}

/** What a host has whose identity nobody doubts. */
export const NO_DOUBT = {
  doubted_since: null,
  chosen_instance_hash: null,
  next_bearer_hash: null,
};

/** Throws conflict while two machines use the host's identity: what would be queued might run as root on the wrong one. */
export function refuseDoubted(host: { name: string; doubted_since: number | null }): void {
  if (host.doubted_since === null) return;
  throw new AppError(
    "conflict",
    `Two machines use the identity of ${host.name}; an admin says first which one is right.`,
  );
}

/** Whether two machines use the host's identity, so that nothing secret may be sent to it. */
export async function isDoubted(db: Kysely<Tables>, hostId: string): Promise<boolean> {
  const host = await db.selectFrom("hosts").select("doubted_since").where("id", "=", hostId)
    .executeTakeFirst();
  return host !== undefined && host.doubted_since !== null;
}

export function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, n) => byte === b[n]);
}
