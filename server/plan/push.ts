// What an agent is told to be: its repository access, its limits, its plan.
import type { PlanActions } from "../later.ts";
import type { Transaction } from "kysely";
import {
  PLAN_LIMIT,
  type PlannedGroup,
  type PlannedSchedule,
  type ServerMessage,
} from "../../shared/protocol.ts";
import { refusalOf } from "../../shared/wire.ts";
import { sendTo } from "../connected_agents.ts";
import type { Tables } from "../database/tables.ts";
import { AppError } from "../errors.ts";
import type { HostHooks } from "../hooks/resolve.ts";
import { accessFor } from "../repositories/seal.ts";
import { getRepositoryRow } from "../repositories/find.ts";
import type { Server } from "../server.ts";
import { sourceGroupOrder } from "../source_groups/order.ts";

/** Sends the host its config and plan where it is connected; otherwise it receives them when it says hello. */
export async function pushConfig(server: Server, hostId: string): Promise<void> {
  // The socket for which it is decided what may be sent: another one may be another machine.
  const [agent] = server.agents.of(hostId);
  if (!agent) return;
  for (const message of await configFor(server, hostId)) {
    if (server.agents.isCurrent(agent)) sendTo(agent.socket, message);
  }
}

export async function configFor(server: Server, hostId: string): Promise<ServerMessage[]> {
  const { doubted_since } = await server.db.selectFrom("hosts").select("doubted_since")
    .where("id", "=", hostId).executeTakeFirstOrThrow();
  // Which of two machines would read it nobody knows; both keep what they have.
  return doubted_since === null ? await messagesFor(server, hostId) : [];
}

async function messagesFor(server: Server, hostId: string): Promise<ServerMessage[]> {
  const host = await server.db.selectFrom("hosts").selectAll().where("id", "=", hostId)
    .executeTakeFirstOrThrow();
  const messages: ServerMessage[] = [];
  // Each step by itself: a secret that does not open must not keep the plan from the host.
  try {
    const row = await getRepositoryRow(server, host.repository_id);
    messages.push({
      type: "config.update",
      snapshot_host: host.snapshot_host,
      repository: await accessFor(server, row),
      bandwidth_up_kib_per_s: host.bandwidth_up_kib_per_s,
      bandwidth_down_kib_per_s: host.bandwidth_down_kib_per_s,
      bandwidth_windows: JSON.parse(host.bandwidth_windows),
      time_zone: host.time_zone,
    });
  } catch (error) {
    server.log.error(
      `${host.name}: its repository access cannot be sent: ${(error as Error).message}`,
    );
  }
  messages.push({
    type: "plan.set",
    plan_version: host.plan_version,
    ...await planFor(server, host),
  });
  return messages;
}

/**
 * What the agent's own clock is to run: enabled schedules, and groups that have something to back up. No schedule while the
 * host is on hold.
 */
async function planFor(
  server: Server,
  host: HostHooks & { time_zone: string; on_hold_since: number | null },
): Promise<{ schedules: PlannedSchedule[]; source_groups: PlannedGroup[] }> {
  const { db } = server;
  const { id: hostId, time_zone } = host;
  const groups = await db.selectFrom("source_groups").selectAll().where("host_id", "=", hostId)
    .where("includes", "!=", "[]").orderBy("name").execute();
  const ready = new Set(groups.map((group) => group.id));
  const rows = await db.selectFrom("schedules")
    .innerJoin("schedule_groups", "schedule_groups.schedule_id", "schedules.id")
    .select(["schedules.id", "cron", "source_group_id"])
    .where("host_id", "=", hostId).where("enabled", "=", 1)
    .orderBy("schedules.id").orderBy("position").execute();
  const schedules = new Map<string, PlannedSchedule>();
  for (const { id, cron, source_group_id } of rows) {
    if (host.on_hold_since !== null) break;
    if (!ready.has(source_group_id)) continue;
    const schedule = schedules.get(id) ??
      { id, cron, time_zone, source_group_ids: [] };
    schedule.source_group_ids.push(source_group_id);
    schedules.set(id, schedule);
  }
  const source_groups: PlannedGroup[] = [];
  for (const group of groups) {
    source_groups.push({
      ...await sourceGroupOrder(server, host, group),
      retry_max: group.retry_max,
      retry_backoff_seconds: group.retry_backoff_seconds,
    });
  }
  return { schedules: [...schedules.values()], source_groups };
}

/**
 * Raises the version of the host's plan; in the transaction that changes it. Throws invalid, so that nothing is saved, when the
 * host's agent would refuse what comes of it.
 */
export async function planChanged(
  server: Server,
  tx: Transaction<Tables>,
  hostId: string,
): Promise<void> {
  await planShrank(tx, hostId);
  await refuseUnlessTaken(server, tx, hostId);
}

/** The same for what only takes something out: it must be possible also where too much was stored before. */
export async function planShrank(tx: Transaction<Tables>, hostId: string): Promise<void> {
  await tx.updateTable("hosts").set((expression) => ({
    plan_version: expression("plan_version", "+", 1),
  })).where("id", "=", hostId).execute();
}

const TOO_MUCH: Record<string, [field: string, sentence: string]> = {
  "config.update": [
    "environment",
    "What the agent of a host is told of this repository would be refused by it",
  ],
  "plan.set": [
    "includes",
    "includes, excludes, iexcludes and hooks of all source groups of this host, and its schedules, are more than its agent takes",
  ],
};

/** Builds all that the agent is sent and holds it against what the agent takes: the same limits, the same code. */
export async function refuseUnlessTaken(
  server: Server,
  tx: Transaction<Tables>,
  hostId: string,
): Promise<void> {
  for (const message of await messagesFor({ ...server, db: tx }, hostId)) {
    const problem = refusalOf(message, PLAN_LIMIT);
    const [field, sentence] = TOO_MUCH[message.type] ?? [];
    if (problem) throw new AppError("invalid", `${sentence}: ${problem}.`, field);
  }
}

/** After that transaction: the agent learns of it at once, open pages too. */
export async function pushChangedPlan(server: Server, hostId: string): Promise<void> {
  await pushConfig(server, hostId);
  server.events.publish({ type: "host", hostId });
}

/** For the server's own wiring. */
export const PLAN: PlanActions = {
  changed: planChanged,
  shrank: planShrank,
  refuseUnlessTaken,
  push: pushChangedPlan,
  pushConfig,
};
