// An agent has said hello: note what it is, tell it what to be, and settle what became of its jobs.
import { noteOldAgent } from "../hosts/hello.ts";
import { CLOSE, type Hello, OLDEST_PROTOCOL } from "../../shared/protocol.ts";
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
import { isStillKnown, noteHello } from "../hosts/hello.ts";

/** Returns false when the agent was refused and its socket closed. */
export async function onHello(server: Server, agent: AgentSocket, hello: Hello): Promise<boolean> {
  if (hello.protocol < OLDEST_PROTOCOL) {
    await refuseOldAgent(server, agent, hello);
    return false;
  }
  if (hello.boot_id) agent.bootId = hello.boot_id;
  agent.streamKinds = hello.stream_kinds ?? [];
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

function refuseUnknown(server: Server, agent: AgentSocket): false {
  server.agents.remove(agent);
  closeQuietly(agent.socket, CLOSE.unknownHost, "another machine has this host now");
  return false;
}

async function refuseOldAgent(server: Server, agent: AgentSocket, hello: Hello): Promise<void> {
  const reason =
    `update the agent: it speaks protocol ${hello.protocol}, this server needs ${OLDEST_PROTOCOL}`;
  const name = await noteOldAgent(server, agent, hello);
  await auditOfHost(server, server.db, agent.hostId, {
    actor: { kind: "agent", id: agent.hostId, name: name ?? agent.hostId, address: null },
    act: {
      action: "agent.too_old",
      detail: { protocol: hello.protocol, version: hello.agent_version },
    },
  });
  closeQuietly(agent.socket, CLOSE.tooOld, reason);
}
