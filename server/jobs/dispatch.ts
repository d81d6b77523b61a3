// From a queued row to an order on an agent's socket. The row is the truth: what was not sent, or was lost on the way,
// is sent again, and the agent ignores an order whose job it knows.
import {
  isMaintenance,
  type JobKind,
  REPOSITORY_CHANGED,
  writesRepository,
} from "../../shared/job.ts";
import { type CommandRun, FRAME_LIMIT, ServerMessage } from "../../shared/protocol.ts";
import { sendTo } from "../connected_agents.ts";
import { hookToTry, hostHooks } from "../hooks/resolve.ts";
import { isDoubted } from "../hosts/instances.ts";
import { adminAccessFor, usesAdminCredential } from "../maintenance/admin_credential.ts";
import { mayHoldAdminCredential } from "../maintenance/hosts.ts";
import { noteMaintenance } from "../maintenance/note.ts";
import { getRepositoryRow } from "../repositories/find.ts";
import { forgetOrders } from "../retention/orders.ts";
import { noteOrdered } from "../retention/note.ts";
import { namedOrders } from "../retention/named.ts";
import type { Server } from "../server.ts";
import { sourceGroupOrder } from "../source_groups/order.ts";
import { endLease, noteHolder } from "./end_lease.ts";
import type { JobRow } from "./find.ts";
import { heldByQuestion } from "./held.ts";
import { mayBegin } from "./lease.ts";
import { leaseKeys } from "./lease_keys.ts";
import { type JobRequest, readRequest } from "./request.ts";

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
    if (held.some((kind) => holdsUp(kind, job.kind))) continue;
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
export function holdsUp(waiting: JobKind, later: JobKind): boolean {
  return waiting === "init"
    ? writesRepository(later)
    : writesRepository(later) && later !== "backup";
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
    // It could never be sent, and would stand in the way of all that comes after it.
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
    await noteMaintenance(tx, job, { at: server.now(), status: "failed", reason, reason_code });
  });
  server.events.publish({ type: "job", jobId: job.id, hostId: job.host_id, status: "failed" });
}

async function orderFor(server: Server, job: JobRow): Promise<CommandRun> {
  const lease = await server.db.selectFrom("leases").select("address")
    .where("job_id", "=", job.id).executeTakeFirst();
  const known = lease && !readRequest(job.request).reinit
    ? (await leaseKeys(server, job))?.resticId
    : undefined;
  return {
    type: "command.run",
    job_id: job.id,
    kind: job.kind,
    repository_id: job.repository_id,
    ...(lease?.address ? { leased_url: lease.address } : {}),
    ...(known ? { restic_id: known } : {}),
    bandwidth_up_kbps: job.bandwidth_up_kbps,
    bandwidth_down_kbps: job.bandwidth_down_kbps,
    ...await detailsFor(server, job),
  };
}

async function detailsFor(server: Server, job: JobRow): Promise<Partial<CommandRun>> {
  const kind: JobKind = job.kind;
  if (kind === "init" && readRequest(job.request).reinit) return { may_create: true, reinit: true };
  if (kind === "init") {
    const repository = await server.db.selectFrom("repositories").select([
      "is_new",
      "initialised_at",
    ])
      .where("id", "=", job.repository_id).executeTakeFirst();
    return { may_create: repository?.is_new === 1 && repository.initialised_at === null };
  }
  if (isMaintenance(kind)) return await maintenanceDetails(server, job);
  if (kind === "unlock") {
    const { remove_all } = readRequest(job.request);
    return remove_all ? { remove_all } : {};
  }
  if (kind === "hook") {
    const { hook = "pre_hook" } = readRequest(job.request);
    return { hook: await hookToTry(server, job, hook) };
  }
  if (kind !== "backup" || !job.source_group_id) return {};
  const group = await server.db.selectFrom("source_groups").selectAll()
    .where("id", "=", job.source_group_id).executeTakeFirst();
  // Removed since: the agent answers that it was not told what to back up.
  if (!group) return {};
  const host = await hostHooks(server, job.host_id);
  return { source_group: await sourceGroupOrder(server, host, group) };
}

async function maintenanceDetails(server: Server, job: JobRow): Promise<Partial<CommandRun>> {
  const request = readRequest(job.request);
  const repository = await getRepositoryRow(server, job.repository_id);
  const usesAdmin = usesAdminCredential(repository, job.kind, request);
  // Asked again here: since it was queued the host may have become another machine, or an admin may have said no.
  if (usesAdmin && job.actor_kind === "user" && !await isAdmin(server, job.actor_id)) {
    throw new Error("it uses the admin credential, and was started by somebody who is no admin.");
  }
  if (usesAdmin && !await mayHoldAdminCredential(server.db, repository.id, job.host_id)) {
    throw new Error("this host may not hold the admin credential of the repository.");
  }
  const admin_access = usesAdmin ? await adminAccessFor(server, repository) : undefined;
  return {
    ...(admin_access ? { admin_access } : {}),
    ...(request.read_data ? { read_data: request.read_data } : {}),
    ...(job.kind === "forget" ? await forgetDetails(server, job, request) : {}),
  };
}

async function isAdmin({ db }: Server, userId: string | null): Promise<boolean> {
  const user = await db.selectFrom("users").select("role").where("id", "=", userId ?? "")
    .executeTakeFirst();
  return user?.role === "admin";
}

async function forgetDetails(
  server: Server,
  job: JobRow,
  { dry_run = false, may_drop_most = false, named }: JobRequest,
): Promise<Partial<CommandRun>> {
  const forget = named
    ? await namedOrders(server, job.repository_id, named)
    : await forgetOrders(server, job.repository_id, may_drop_most);
  if (!dry_run) await noteOrdered(server, job, forget);
  return { forget, dry_run };
}
