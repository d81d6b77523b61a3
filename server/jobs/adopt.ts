// A job that the agent's own clock started: the server learns of it by its first report, perhaps days later.
import type { Origin } from "../../shared/protocol.ts";
import { auditCut, take } from "../quotas/day.ts";
import type { Server } from "../server.ts";
import { type OwnJob, ownJob } from "./own.ts";

/** A host has had its share of the day; the sentence says which. */
export class OverQuotaError extends Error {
  override name = "OverQuotaError";
}

/** An agent runs one backup at a time, and tells the end of each before the next begins. */
const OPEN_JOBS = 100;

/**
 * The job of a report, made from its origin when it is not known yet. Throws forbidden for another host's job, and
 * UnknownJobError when there is no origin to make it from,
 * and OverQuotaError when the host has started too many.
 */
export async function ownOrAdopted(
  server: Server,
  hostId: string,
  report: {
    type: "job.started" | "job.finished";
    job_id: string;
    at: number;
    origin?: Origin | undefined;
  },
): Promise<OwnJob> {
  const { job_id, at, origin } = report;
  if (origin) await adopt(server, hostId, { jobId: job_id, at, origin, type: report.type });
  return await ownJob(server, hostId, report.job_id);
}

async function adopt(
  server: Server,
  hostId: string,
  { jobId, at, origin, type }: {
    jobId: string;
    at: number;
    origin: Origin;
    type: "job.started" | "job.finished";
  },
): Promise<void> {
  const known = await server.db.selectFrom("jobs").select("id").where("id", "=", jobId)
    .executeTakeFirst();
  if (known) return;
  await takeShare(server, hostId, type);
  // A lying agent may name a schedule that is not its own: then the job has none.
  const schedule = await server.db.selectFrom("schedules").select(["id", "cron"])
    .where("id", "=", origin.schedule_id).where("host_id", "=", hostId).executeTakeFirst();
  const group = await server.db.selectFrom("source_groups").select("id")
    .where("id", "=", origin.source_group_id).where("host_id", "=", hostId).executeTakeFirst();
  await server.db.insertInto("jobs").values({
    id: jobId,
    host_id: hostId,
    repository_id: origin.repository_id,
    kind: origin.kind,
    status: "queued",
    actor_kind: "schedule",
    actor_id: origin.schedule_id,
    actor_name: schedule ? `schedule ${schedule.cron}` : "a schedule that was removed",
    source_group_id: group?.id ?? null,
    source_group_name: origin.source_group_name,
    schedule_id: schedule?.id ?? null,
    scheduled_at: origin.scheduled_at,
    created_at: at,
    received_at: server.now(),
    dispatched_at: at,
    attempt: origin.attempt,
    catch_up: origin.catch_up ? 1 : 0,
    warnings: 0,
  }).onConflict((conflict) => conflict.column("id").doNothing()).execute();
}

async function takeShare(
  server: Server,
  hostId: string,
  type: "job.started" | "job.finished",
): Promise<void> {
  if (type === "job.started") {
    const { open } = await server.db.selectFrom("jobs")
      .select((expression) => expression.fn.countAll<number>().as("open"))
      .where("host_id", "=", hostId).where("status", "in", ["queued", "running"])
      .executeTakeFirstOrThrow();
    if (open >= OPEN_JOBS) {
      return await refuse(server, hostId, {
        kind: "open_jobs",
        what: `More than ${OPEN_JOBS} jobs of this host have not ended: further ones are left out.`,
      });
    }
  }
  const most = server.settings.quotas.jobsPerDay;
  if (await take(server, server.db, { hostId, what: "jobs", wanted: 1, most }) > 0) return;
  await refuse(server, hostId, {
    kind: "jobs_per_day",
    what:
      `This host has started more than ${most} jobs today (RM_JOBS_PER_HOST_DAY): the rest is left out.`,
  });
}

async function refuse(
  server: Server,
  hostId: string,
  { kind, what }: { kind: string; what: string },
): Promise<never> {
  await server.db.transaction().execute((tx) => auditCut(server, tx, { hostId, kind, what }));
  throw new OverQuotaError(what);
}
