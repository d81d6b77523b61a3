// An agent has said hello: note what it is, tell it what to be, and settle what became of its jobs.
import { sql } from "kysely";
import { type Brakes, CLOSE, type Hello, OLDEST_PROTOCOL } from "../../shared/protocol.ts";
import { type AgentSocket, closeQuietly, sendTo } from "../connected_agents.ts";
import { dispatchJobs } from "../jobs/dispatch.ts";
import { shownBy } from "../jobs/end_lease.ts";
import { ensureRepository } from "../jobs/ensure_repository.ts";
import { reconcileJobs } from "../jobs/reconcile.ts";
import { auditOfHost } from "../quotas/day.ts";
import type { Server } from "../server.ts";
import { noteAgentProblems } from "../hosts/agent_problems.ts";
import { noteContact } from "../hosts/contact.ts";
import { settleIdentity } from "../hosts/instances.ts";
import { noteSkew } from "../hosts/skew.ts";
import { configFor } from "../plan/push.ts";

/** Answers false when the agent was refused and its socket closed. */
export async function greet(server: Server, agent: AgentSocket, hello: Hello): Promise<boolean> {
  if (hello.protocol < OLDEST_PROTOCOL) {
    await refuseOldAgent(server, agent, hello);
    return false;
  }
  if (hello.boot_id) agent.bootId = hello.boot_id;
  const identity = await settleIdentity(server, agent, hello);
  if (identity === "refused") return false;
  await noteContact(server, agent);
  await noteSkew(server, agent, hello.clock);
  if (!await noteHello(server, agent, hello)) return refuseUnknown(server, agent);
  await noteAgentProblems(server, agent.hostId, hello.problems ?? []);
  // Before anything else, and on this very socket: a later one may already have replaced it in the list.
  for (const message of await configFor(server, agent.hostId)) sendTo(agent.socket, message);
  agent.shown = shownBy(server, agent, hello);
  server.agents.add(agent);
  // The host may have been given to another machine since the question before.
  if (!await isStillKnown(server, agent)) return refuseUnknown(server, agent);
  server.events.publish({ type: "host", hostId: agent.hostId });
  // Which of two machines this is nobody knows: what the other one runs is not lost.
  if (identity === "doubted") return true;
  await reconcileJobs(server, agent.hostId, agent.shown);
  await ensureRepository(server, agent.hostId);
  await dispatchJobs(server, agent.hostId);
  return true;
}

export async function noteGoodbye(server: Server, agent: AgentSocket): Promise<void> {
  if (!server.agents.remove(agent)) return;
  await server.db.updateTable("hosts").set(lastHeard(server, agent))
    .where("id", "=", agent.hostId).execute();
  server.events.publish({ type: "host", hostId: agent.hostId });
}

/** When a socket's agent last said something: by the time of day, and by the time that the server ran. */
export function lastHeard(
  { clock }: Pick<Server, "clock">,
  { heardRan }: Pick<AgentSocket, "heardRan">,
): { last_seen_at: number; heard_ran: number } {
  const last_seen_at = Math.round(clock.now() - (clock.ran() - heardRan));
  return { last_seen_at, heard_ran: Math.round(heardRan) };
}

/** False when the bearer with which the socket was opened is not the host's any more. */
async function noteHello(server: Server, agent: AgentSocket, hello: Hello): Promise<boolean> {
  const { numUpdatedRows } = await server.db.updateTable("hosts").set({
    hostname: hello.hostname,
    os: hello.os,
    arch: hello.arch,
    agent_version: hello.agent_version,
    restic_version: hello.restic_version,
    restic_problem: hello.restic_problem ?? null,
    restic_problem_code: hello.restic_problem_code ?? null,
    restic_problem_since: hello.restic_version
      ? null
      : sql<number>`coalesce(restic_problem_since, ${server.now()})`,
    protocol_version: hello.protocol,
    boot_time: hello.boot_time,
    brakes: hello.brakes ? JSON.stringify(shownOf(hello.brakes)) : null,
    applied_plan_version: hello.plan_version,
    awaits_agent: 0,
    ...lastHeard(server, agent),
  }).where("id", "=", agent.hostId).where("bearer_hash", "=", agent.bearerHash).executeTakeFirst();
  return numUpdatedRows > 0n;
}

const BRAKES_SHOWN = 20;
const BRAKE_LENGTH = 200;

/** As much as a page shows: an agent may say a great deal. */
function shownOf(brakes: Brakes): Brakes {
  const cut = (list: string[] | null) =>
    list && [
      ...list.slice(0, BRAKES_SHOWN).map((text) => text.slice(0, BRAKE_LENGTH).toWellFormed()),
      ...(list.length > BRAKES_SHOWN ? [`and ${list.length - BRAKES_SHOWN} more`] : []),
    ];
  return { ...brakes, roots: cut(brakes.roots), repositories: cut(brakes.repositories) };
}

async function isStillKnown({ db }: Server, { hostId, bearerHash }: AgentSocket): Promise<boolean> {
  const host = await db.selectFrom("hosts").select("id").where("id", "=", hostId)
    .where("bearer_hash", "=", bearerHash).executeTakeFirst();
  return host !== undefined;
}

function refuseUnknown(server: Server, agent: AgentSocket): false {
  server.agents.remove(agent);
  closeQuietly(agent.socket, CLOSE.unknownHost, "another machine has this host now");
  return false;
}

async function refuseOldAgent(server: Server, agent: AgentSocket, hello: Hello): Promise<void> {
  const reason =
    `update the agent: it speaks protocol ${hello.protocol}, this server needs ${OLDEST_PROTOCOL}`;
  await server.db.updateTable("hosts").set({
    agent_version: hello.agent_version,
    protocol_version: hello.protocol,
    awaits_agent: 0,
    ...lastHeard(server, agent),
  }).where("id", "=", agent.hostId).where("bearer_hash", "=", agent.bearerHash).execute();
  const host = await server.db.selectFrom("hosts").select("name").where("id", "=", agent.hostId)
    .executeTakeFirst();
  await auditOfHost(server, server.db, agent.hostId, {
    actor: { kind: "agent", id: agent.hostId, name: host?.name ?? agent.hostId, address: null },
    act: {
      action: "agent.too_old",
      detail: { protocol: hello.protocol, version: hello.agent_version },
    },
  });
  closeQuietly(agent.socket, CLOSE.tooOld, reason);
}
