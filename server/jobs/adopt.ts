// A job that the agent's own clock started: the server learns of it by its first report, perhaps days later.
import type { Origin } from "../../shared/protocol.ts";
import type { Server } from "../server.ts";
import { type OwnJob, ownJob } from "./own.ts";

/**
 * The job of a report, made from its origin when it is not known yet. Throws forbidden for another host's job, and
 * UnknownJobError when there is no origin to make it from.
 */
export async function ownOrAdopted(
  server: Server,
  hostId: string,
  report: { job_id: string; at: number; origin?: Origin | undefined },
): Promise<OwnJob> {
  if (report.origin) await adopt(server, hostId, report.job_id, report.at, report.origin);
  return await ownJob(server, hostId, report.job_id);
}

async function adopt(
  server: Server,
  hostId: string,
  jobId: string,
  at: number,
  origin: Origin,
): Promise<void> {
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
    dispatched_at: at,
    attempt: origin.attempt,
    catch_up: origin.catch_up ? 1 : 0,
    warnings: 0,
  }).onConflict((conflict) => conflict.column("id").doNothing()).execute();
}
