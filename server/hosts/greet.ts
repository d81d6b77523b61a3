// An agent has said hello: note what it is, tell it what to be, and settle what became of its jobs.
import { CLOSE, type Hello, OLDEST_PROTOCOL } from "../../shared/protocol.ts";
import { type AgentSocket, closeQuietly, sendTo } from "../connected_agents.ts";
import { dispatchJobs } from "../jobs/dispatch.ts";
import { ensureRepository } from "../jobs/ensure_repository.ts";
import { reconcileJobs } from "../jobs/reconcile.ts";
import { recordAudit } from "../audit/record.ts";
import type { Server } from "../server.ts";
import { noteContact } from "./contact.ts";
import { configFor } from "./push.ts";

/** Answers false when the agent was refused and its socket closed. */
export async function greet(server: Server, agent: AgentSocket, hello: Hello): Promise<boolean> {
  if (hello.protocol < OLDEST_PROTOCOL) {
    await refuseOldAgent(server, agent, hello);
    return false;
  }
  agent.skew = server.now() - hello.clock;
  await noteContact(server, agent.hostId);
  await noteHello(server, agent.hostId, hello);
  // Before anything else, and on this very socket: a later one may already have replaced it in the list.
  for (const message of await configFor(server, agent.hostId)) sendTo(agent.socket, message);
  server.agents.add(agent);
  server.events.publish({ type: "host", hostId: agent.hostId });
  await reconcileJobs(server, agent.hostId, new Set(hello.jobs));
  await ensureRepository(server, agent.hostId);
  await dispatchJobs(server, agent.hostId);
  return true;
}

export async function noteGoodbye(server: Server, agent: AgentSocket): Promise<void> {
  if (!server.agents.remove(agent)) return;
  await server.db.updateTable("hosts").set({ last_seen_at: agent.lastHeardAt })
    .where("id", "=", agent.hostId).execute();
  server.events.publish({ type: "host", hostId: agent.hostId });
}

async function noteHello(server: Server, hostId: string, hello: Hello): Promise<void> {
  await server.db.updateTable("hosts").set({
    hostname: hello.hostname,
    os: hello.os,
    arch: hello.arch,
    agent_version: hello.agent_version,
    restic_version: hello.restic_version,
    restic_problem: hello.restic_problem ?? null,
    protocol_version: hello.protocol,
    boot_time: hello.boot_time,
    applied_plan_version: hello.plan_version,
    last_seen_at: server.now(),
  }).where("id", "=", hostId).execute();
}

async function refuseOldAgent(server: Server, agent: AgentSocket, hello: Hello): Promise<void> {
  const reason =
    `update the agent: it speaks protocol ${hello.protocol}, this server needs ${OLDEST_PROTOCOL}`;
  await server.db.updateTable("hosts").set({
    agent_version: hello.agent_version,
    protocol_version: hello.protocol,
    last_seen_at: server.now(),
  }).where("id", "=", agent.hostId).execute();
  const host = await server.db.selectFrom("hosts").select("name").where("id", "=", agent.hostId)
    .executeTakeFirst();
  await recordAudit(server.db, server.now(), {
    kind: "agent",
    id: agent.hostId,
    name: host?.name ?? agent.hostId,
    address: null,
  }, {
    action: "agent.too_old",
    detail: { protocol: hello.protocol, version: hello.agent_version },
  });
  closeQuietly(agent.socket, CLOSE.tooOld, reason);
}
