// From a queued row to an order on an agent's socket. The row is the truth: what was not sent, or was lost on the way,
// is sent again, and the agent ignores an order whose job it knows.
import { REPOSITORY_CHANGED } from "../../shared/job.ts";
import { type CommandRun, FRAME_LIMIT, ServerMessage } from "../../shared/protocol.ts";
import { sendTo } from "../connected_agents.ts";
import { isDoubted } from "../hosts/instances.ts";
import type { Server } from "../server.ts";
import { endLease, noteHolder } from "./end_lease.ts";
import type { JobRow } from "./find.ts";
import { heldByQuestion } from "./held.ts";
import { mayBegin } from "./lease.ts";
import { leaseKeys } from "./lease_keys.ts";
import { type JobKind, KINDS, writesRepository } from "../../shared/job_kinds/all.ts";

/**
 * Sends the host what waits for it, in order. A job that waits for a lease holds up the host's later writing jobs; but a backup only
 * waits for an init, without which it could not be: that another host is in the way of a check is no reason to back up less.
 */
export async function dispatchJobs(server: Server, hostId: string): Promise<void> {
  if (await isDoubted(server.db, hostId)) return;
  const waiting = await server.db.selectFrom("jobs").selectAll().where("host_id", "=", hostId)
    .where("status", "=", "queued").where("dispatched_at", "is", null).orderBy("number").execute();
  const held: JobKind[] = [];
  for (const job of waiting) {
    if (!server.agents.isOnline(hostId)) return;
    if (held.some((kind) => holdsUp(server, kind, job.kind))) continue;
    const question = await heldByQuestion(server, job);
    if (question) {
      await failUnsent(server, job, question, REPOSITORY_CHANGED);
      continue;
    }
    if (!await mayBegin(server, job)) {
      held.push(job.kind);
      continue;
    }
    await dispatch(server, job);
  }
}

/** Whether a job that waits for a lease keeps a later one of its host from being sent. */
export function holdsUp(server: Server, waiting: JobKind, later: JobKind): boolean {
  if (!writesRepository(later)) return false;
  return KINDS[waiting].lease === "making" || !server.kinds[later].overtakes;
}

/** After a lease was given back: whoever waited may go on. */
export async function dispatchAll(server: Server): Promise<void> {
  const rows = await server.db.selectFrom("jobs").select("host_id").distinct()
    .where("status", "=", "queued").where("dispatched_at", "is", null).execute();
  for (const { host_id } of rows) await dispatchJobs(server, host_id);
}

async function dispatch(server: Server, job: JobRow): Promise<void> {
  // The socket for which all that follows is decided: another one may be another machine.
  const [agent] = server.agents.of(job.host_id);
  if (!agent || await isDoubted(server.db, job.host_id)) return;
  let order: CommandRun;
  try {
    order = await orderFor(server, job);
  } catch (error) {
    // It could never be sent, and would be in the way of all that comes after it.
    const why = error instanceof Error ? error.message : String(error);
    return await failUnsent(server, job, `The order could not be made: ${why}`);
  }
  if (!ServerMessage.safeParse(order).success || JSON.stringify(order).length > FRAME_LIMIT) {
    return await failUnsent(server, job, "The order is larger than an agent accepts.");
  }
  // Claimed before it is sent: of two callers at once, one sends.
  const claimed = await server.db.updateTable("jobs")
    .set({ dispatched_at: server.now(), dispatched_ran: Math.round(server.clock.ran()) })
    .where("id", "=", job.id).where("status", "=", "queued").where("dispatched_at", "is", null)
    .executeTakeFirst();
  if (!claimed.numUpdatedRows) return;
  await noteHolder(server, job.id, agent);
  if (server.agents.isCurrent(agent) && sendTo(agent.socket, order)) return;
  await server.db.updateTable("jobs").set({ dispatched_at: null }).where("id", "=", job.id)
    .where("status", "=", "queued").execute();
}

/** Ends a job that has not begun. One that was sent may begin all the same, and keeps its lease until its host has answered. */
export async function failUnsent(
  server: Server,
  job: JobRow,
  reason: string,
  reason_code = "no_order",
): Promise<void> {
  server.log.error(`job ${job.id}: ${reason}`);
  await server.db.transaction().execute(async (tx) => {
    const ended = await tx.updateTable("jobs")
      .set({ status: "failed", reason, reason_code, finished_at: server.now() })
      .where("id", "=", job.id).where("status", "=", "queued").returning("dispatched_at")
      .executeTakeFirst();
    // It has begun meanwhile.
    if (!ended) return;
    if (ended.dispatched_at === null) await endLease(tx, job.id);
    const end = { at: server.now(), status: "failed", reason, reason_code } as const;
    await server.kinds[job.kind].ended?.(tx, job, end);
  });
  server.events.publish({ type: "job", jobId: job.id, hostId: job.host_id, status: "failed" });
}

async function orderFor(server: Server, job: JobRow): Promise<CommandRun> {
  const kind = server.kinds[job.kind];
  const lease = await server.db.selectFrom("leases").select("address")
    .where("job_id", "=", job.id).executeTakeFirst();
  const known = lease && !kind.makesAnew?.(job)
    ? (await leaseKeys(server, job))?.resticId
    : undefined;
  return {
    type: "command.run",
    job_id: job.id,
    kind: job.kind,
    repository_id: job.repository_id,
    ...(lease?.address ? { leased_url: lease.address } : {}),
    ...(known ? { restic_id: known } : {}),
    bandwidth_up_kib_per_s: job.bandwidth_up_kib_per_s,
    bandwidth_down_kib_per_s: job.bandwidth_down_kib_per_s,
    ...await kind.order(server, job),
    // That kind and fields belong together the caller checks.
  } as CommandRun;
}
