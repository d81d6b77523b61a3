// What the server believes of a host's jobs against what the host itself says.
import type { Transaction } from "kysely";
import type { Tables } from "../database/tables.ts";
import { noteMaintenance } from "../maintenance/note.ts";
import { auditOfHost } from "../quotas/day.ts";
import { type Server, SYSTEM } from "../server.ts";
import { dispatchAll } from "./dispatch.ts";
import { PRESUMED } from "./report.ts";
import { WAITED_TOO_LONG } from "./reason_codes.ts";

/** An order that was lost on its way is sent again for this long; later nobody expects it any more. */
const RESEND_WITHIN = 15 * 60_000;
/** A host that went away while it held a lease keeps the others waiting for this long: far beyond what an init may take. */
const LEASE_WITHOUT_HOST = 10 * 60_000;
/** A job of a host that was not heard of for this long is over for the server, until the host says otherwise. */
const SILENT_FOR = 24 * 3_600_000;

/** After hello: a job that the agent does not know was either never received (sent again) or is lost (interrupted). */
export async function reconcileJobs(
  server: Server,
  hostId: string,
  known: Set<string>,
): Promise<void> {
  await cancelGivenUp(server, hostId, known);
  const open = await server.db.selectFrom("jobs").select([
    "id",
    "status",
    "dispatched_at",
    "cancel_requested_at",
  ])
    .where("host_id", "=", hostId).where("status", "in", ["queued", "running"]).execute();
  for (const job of open) {
    // It never left the server: it waits for a lease, or goes out now.
    if (job.dispatched_at === null) continue;
    if (known.has(job.id)) {
      if (job.cancel_requested_at !== null) {
        server.agents.send(hostId, { type: "command.cancel", job_id: job.id });
      }
      continue;
    }
    if (job.cancel_requested_at !== null && job.status === "queued") {
      await presumeEnded(server, job.id, "cancelled", "Cancelled before it began.");
    } else if (job.status === "queued" && server.now() - job.dispatched_at < RESEND_WITHIN) {
      await server.db.updateTable("jobs").set({ dispatched_at: null }).where("id", "=", job.id)
        .execute();
    } else {
      await presumeEnded(
        server,
        job.id,
        "interrupted",
        "The agent reconnected and does not know this job any more.",
      );
    }
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
    .where("reason_code", "=", WAITED_TOO_LONG).orderBy("number", "desc").limit(100).execute();
  for (const { id } of rows) {
    if (known.has(id)) server.agents.send(hostId, { type: "command.cancel", job_id: id });
  }
}

/** Ends what can never end by itself: run once a minute. */
export async function endLostJobs(server: Server): Promise<void> {
  const now = server.now();
  const rows = await server.db.selectFrom("jobs").innerJoin("hosts", "hosts.id", "jobs.host_id")
    .leftJoin("leases", "leases.job_id", "jobs.id")
    .select([
      "jobs.id",
      "jobs.status",
      "jobs.host_id",
      "hosts.last_seen_at",
      "leases.job_id as leased",
      "jobs.created_at",
      "jobs.dispatched_at",
    ])
    .where("jobs.status", "in", ["queued", "running"]).execute();
  for (const row of rows) {
    if (server.agents.isOnline(row.host_id)) continue;
    const silent = now - (row.last_seen_at ?? row.created_at);
    const limit = row.leased
      ? LEASE_WITHOUT_HOST
      : row.status === "queued"
      ? RESEND_WITHIN
      : SILENT_FOR;
    if (silent <= limit) continue;
    const minutes = Math.floor(silent / 60_000);
    const age = minutes < 120 ? `${minutes} minutes` : `${Math.floor(minutes / 60)} hours`;
    await presumeEnded(server, row.id, "interrupted", `The host has not been heard of for ${age}.`);
  }
}

export interface EndedJob {
  id: string;
  hostId: string;
  status: "interrupted" | "cancelled";
}

/** Ends a job without word from its agent; a later report replaces this. */
export async function presumeEnded(
  server: Server,
  jobId: string,
  status: EndedJob["status"],
  reason: string,
): Promise<void> {
  const ended = await server.db.transaction().execute((tx) =>
    endWithoutWord(server, tx, { jobId, status, reason })
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
    const job = await endWithoutWord(server, tx, { jobId, status: "interrupted", reason });
    if (job) ended.push(job);
  }
  return ended;
}

/** After the transaction that ended it. */
export function announceEnded(server: Server, { id, hostId, status }: EndedJob): void {
  server.progress.delete(id);
  server.events.publish({ type: "job", jobId: id, hostId, status });
}

async function endWithoutWord(
  server: Server,
  tx: Transaction<Tables>,
  { jobId, status, reason }: { jobId: string; status: EndedJob["status"]; reason: string },
): Promise<EndedJob | undefined> {
  const row = await tx.updateTable("jobs")
    .set({ status, reason, reason_code: PRESUMED, finished_at: server.now() })
    .where("id", "=", jobId).where("status", "in", ["queued", "running"])
    .returningAll().executeTakeFirst();
  if (!row) return undefined;
  await tx.deleteFrom("leases").where("job_id", "=", jobId).execute();
  if (status !== "cancelled") {
    await noteMaintenance(tx, row, { at: server.now(), status, reason });
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
