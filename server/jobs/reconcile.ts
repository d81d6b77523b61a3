// What the server believes of a host's jobs against what the host itself says. How a job stands may be presumed; what is known
// takes the place of that, whichever way.
import type { Transaction } from "kysely";
import type { Tables } from "../database/tables.ts";
import { OFFLINE_AFTER_SECONDS } from "../../shared/protocol.ts";
import { isDoubted } from "../hosts/instances.ts";
import type { Shown } from "../connected_agents.ts";
import { auditOfHost } from "../quotas/day.ts";
import { type Server, SYSTEM } from "../server.ts";
import { dispatchAll } from "./dispatch.ts";
import { endLease, needsLease, showsGone } from "./end_lease.ts";
import { LEASE_RELEASED, PRESUMED, WAITED_TOO_LONG } from "./reason_codes.ts";

/** An order that was lost on its way, or never sent, is sent for this long; later nobody expects it any more. */
const RESEND_WITHIN = 15 * 60_000;
/** A job of a host that was not heard of for this long is over for the server, until the host says otherwise. */
const SILENT_FOR = 24 * 3_600_000;

/** After hello: a job that the agent does not know was either never received (sent again) or is lost (interrupted). */
export async function reconcileJobs(
  server: Server,
  hostId: string,
  known: Shown,
): Promise<void> {
  await correctPresumed(server, hostId, known.ids);
  await cancelGivenUp(server, hostId, known.ids);
  const open = await server.db.selectFrom("jobs").leftJoin("leases", "leases.job_id", "jobs.id")
    .select([
      "jobs.id",
      "kind",
      "status",
      "dispatched_at",
      "dispatched_ran",
      "cancel_requested_at",
      "leases.boot_id",
      "leases.run",
    ]).distinct()
    .where("host_id", "=", hostId).where("status", "in", ["queued", "running"]).execute();
  for (const job of open) {
    // It never left the server: it waits for a lease, or goes out now.
    if (job.dispatched_at === null) continue;
    if (known.ids.has(job.id)) {
      if (job.cancel_requested_at !== null) {
        server.agents.send(hostId, { type: "command.cancel", job_id: job.id });
      }
      continue;
    }
    const isGone = showsGone(known, job);
    const isFresh = server.clock.ran() - (job.dispatched_ran ?? 0) < RESEND_WITHIN;
    if (job.cancel_requested_at !== null && job.status === "queued") {
      await presumeEnded(server, job.id, {
        status: "cancelled",
        reason: "Cancelled before it began.",
        isGone,
      });
    } else if (job.status === "queued" && isFresh && (isGone || !needsLease(job.kind))) {
      await server.db.updateTable("jobs").set({ dispatched_at: null }).where("id", "=", job.id)
        .execute();
    } else {
      await presumeEnded(server, job.id, {
        status: "interrupted",
        reason: isGone
          ? "The agent reconnected and does not know this job any more."
          : "The agent reconnected, has lost its list of jobs and does not know this one.",
        isGone,
      });
    }
  }
  await endGoneLeases(server, hostId, known);
}

/** Jobs that were presumed to have ended and are there after all. */
async function correctPresumed(
  server: Server,
  hostId: string,
  known: Set<string>,
): Promise<void> {
  if (known.size === 0) return;
  const rows = await server.db.selectFrom("jobs").select(["id", "started_at"])
    .where("host_id", "=", hostId).where("reason_code", "=", PRESUMED)
    .where("status", "=", "interrupted").where("dispatched_at", "is not", null)
    .orderBy("number", "desc").limit(100).execute();
  for (const { id, started_at } of rows) {
    if (!known.has(id)) continue;
    const status = started_at === null ? "queued" : "running";
    await server.db.updateTable("jobs")
      .set({ status, finished_at: null, reason: null, reason_code: null })
      .where("id", "=", id).where("reason_code", "=", PRESUMED).execute();
    server.events.publish({ type: "job", jobId: id, hostId, status });
  }
}

/** Orders that the agent has and the server has given up: it must not begin them. */
async function cancelGivenUp(
  server: Server,
  hostId: string,
  known: Set<string>,
): Promise<void> {
  if (known.size === 0) return;
  const rows = await server.db.selectFrom("jobs").select("id").where("host_id", "=", hostId)
    .where("reason_code", "in", [WAITED_TOO_LONG, LEASE_RELEASED]).orderBy("number", "desc").limit(
      100,
    ).execute();
  for (const { id } of rows) {
    if (known.has(id)) server.agents.send(hostId, { type: "command.cancel", job_id: id });
  }
}

/** Of jobs that were presumed to have ended: now it is known. */
async function endGoneLeases(server: Server, hostId: string, known: Shown): Promise<void> {
  const held = await server.db.selectFrom("leases").innerJoin("jobs", "jobs.id", "leases.job_id")
    .select(["job_id", "boot_id", "run"]).distinct().where("host_id", "=", hostId)
    .where("status", "not in", ["queued", "running"])
    // What was sent since then, it knows since then; null: sent by an earlier version.
    .where((is) =>
      is.or([
        is("dispatched_ran", "is", null),
        is("dispatched_ran", "<=", Math.round(known.ran)),
      ])
    ).execute();
  let hasEnded = false;
  for (const lease of held) {
    if (known.ids.has(lease.job_id) || !showsGone(known, lease)) continue;
    hasEnded = await endLease(server.db, lease.job_id) || hasEnded;
  }
  if (hasEnded) await dispatchAll(server);
}

/** As long as this a connection lasts without another run of the agent that comes back: then there is none. */
const ALONE_AFTER = 2 * OFFLINE_AFTER_SECONDS * 1000;

/** What a hello beside another run could not show, it shows when that one has not come back: run once a minute. */
export async function endLeasesOfGone(server: Server): Promise<void> {
  for (const { hostId, shown } of server.agents) {
    if (!shown?.isBeside || server.clock.ran() - shown.ran < ALONE_AFTER) continue;
    if (await isDoubted(server.db, hostId)) continue;
    shown.isBeside = false;
    await endGoneLeases(server, hostId, shown);
  }
}

/**
 * Presumes that what can never end by itself has ended: run once a minute. Silence counts while the server runs. A lease stays: its
 * holder may be at work all the time.
 */
export async function endLostJobs(server: Server): Promise<void> {
  const ran = server.clock.ran();
  const rows = await server.db.selectFrom("jobs").innerJoin("hosts", "hosts.id", "jobs.host_id")
    .select(["jobs.id", "jobs.dispatched_at", "jobs.host_id", "hosts.heard_ran"])
    .where("jobs.status", "in", ["queued", "running"]).execute();
  for (const row of rows) {
    if (server.agents.isOnline(row.host_id)) continue;
    const silent = ran - (row.heard_ran ?? 0);
    // What was sent may run, whether or not its host could still say so.
    if (silent <= (row.dispatched_at === null ? RESEND_WITHIN : SILENT_FOR)) continue;
    const minutes = Math.floor(silent / 60_000);
    const age = minutes < 120 ? `${minutes} minutes` : `${Math.floor(minutes / 60)} hours`;
    await presumeEnded(server, row.id, {
      status: "interrupted",
      reason: `The host has not been heard of for ${age}.`,
      isGone: false,
    });
  }
}

export interface EndedJob {
  id: string;
  hostId: string;
  status: "interrupted" | "cancelled";
}

export interface Presumption {
  status: EndedJob["status"];
  reason: string;
  /** That the job does not run is known, and not presumed: its lease ends. */
  isGone: boolean;
  /** Instead of PRESUMED. */
  code?: string;
}

/** Ends a job without word from its agent; a later report replaces this. */
export async function presumeEnded(
  server: Server,
  jobId: string,
  presumption: Presumption,
): Promise<void> {
  const ended = await server.db.transaction().execute((tx) =>
    endWithoutWord(server, tx, jobId, presumption)
  );
  if (!ended) return;
  announceEnded(server, ended);
  await dispatchAll(server);
}

/** All jobs of a host that are queued or run, in the transaction that gives the host to another machine. */
export async function endOpenJobs(
  server: Server,
  tx: Transaction<Tables>,
  hostId: string,
  reason: string,
): Promise<EndedJob[]> {
  const open = await tx.selectFrom("jobs").select("id").where("host_id", "=", hostId)
    .where("status", "in", ["queued", "running"]).execute();
  const ended: EndedJob[] = [];
  for (const { id: jobId } of open) {
    // What the machine of before does with its repository nobody knows yet.
    const presumption = { status: "interrupted", reason, isGone: false } as const;
    const job = await endWithoutWord(server, tx, jobId, presumption);
    if (job) ended.push(job);
  }
  return ended;
}

/** After the transaction that ended it. */
export function announceEnded(server: Server, { id, hostId, status }: EndedJob): void {
  server.progress.delete(id);
  server.events.publish({ type: "job", jobId: id, hostId, status });
}

/** In a transaction; announceEnded() follows. undefined when the job has ended already. */
export async function endWithoutWord(
  server: Server,
  tx: Transaction<Tables>,
  jobId: string,
  { status, reason, isGone, code = PRESUMED }: Presumption,
): Promise<EndedJob | undefined> {
  const row = await tx.updateTable("jobs")
    .set({ status, reason, reason_code: code, finished_at: server.now() })
    .where("id", "=", jobId).where("status", "in", ["queued", "running"])
    .returningAll().executeTakeFirst();
  if (!row) return undefined;
  // What was never sent runs nowhere.
  if (isGone || row.dispatched_at === null) await endLease(tx, jobId);
  if (status !== "cancelled") {
    const end = { at: server.now(), status, reason, reason_code: code };
    await server.kinds[row.kind].ended?.(tx, row, end);
  }
  await auditOfHost(server, tx, row.host_id, {
    actor: SYSTEM,
    act: {
      action: "job.presumed_ended",
      target: { kind: "job", id: jobId, name: row.kind },
      detail: { status, reason },
    },
  });
  return { id: jobId, hostId: row.host_id, status };
}
