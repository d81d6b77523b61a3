// What a host's row keeps of its agent's coming and going.
import { sql } from "kysely";
import type { Brakes, Hello } from "../../shared/protocol.ts";
import type { AgentSocket } from "../connected_agents.ts";
import type { Server } from "../server.ts";

export async function onDisconnect(server: Server, agent: AgentSocket): Promise<void> {
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
export async function noteHello(
  server: Server,
  agent: AgentSocket,
  hello: Hello,
): Promise<boolean> {
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

export async function isStillKnown(
  { db }: Server,
  { hostId, bearerHash }: AgentSocket,
): Promise<boolean> {
  const host = await db.selectFrom("hosts").select("id").where("id", "=", hostId)
    .where("bearer_hash", "=", bearerHash).executeTakeFirst();
  return host !== undefined;
}

/** Keeps what an agent is that speaks too old a protocol; returns the host's name. */
export async function noteOldAgent(
  server: Server,
  agent: AgentSocket,
  hello: Hello,
): Promise<string | undefined> {
  await server.db.updateTable("hosts").set({
    agent_version: hello.agent_version,
    protocol_version: hello.protocol,
    awaits_agent: 0,
    ...lastHeard(server, agent),
  }).where("id", "=", agent.hostId).where("bearer_hash", "=", agent.bearerHash).execute();
  const host = await server.db.selectFrom("hosts").select("name").where("id", "=", agent.hostId)
    .executeTakeFirst();
  return host?.name;
}
