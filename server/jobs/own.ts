import type { JobStatus } from "../../shared/job.ts";
import { AppError } from "../errors.ts";
import type { Server } from "../server.ts";

export interface OwnJob {
  number: number;
  hostId: string;
  status: JobStatus;
}

/** An agent spoke of a job that does not exist (any more). */
export class UnknownJobError extends Error {
  override name = "UnknownJobError";
}

/** The job, when it is this host's. Throws UnknownJobError, or forbidden for another host's. */
export async function ownJob(server: Server, hostId: string, jobId: string): Promise<OwnJob> {
  // That of a removed host is gone, although its row may still be there.
  const row = await server.db.selectFrom("jobs").innerJoin("hosts", "hosts.id", "jobs.host_id")
    .select(["number", "host_id", "status"]).where("jobs.id", "=", jobId).executeTakeFirst();
  if (!row) throw new UnknownJobError(`There is no job ${jobId}.`);
  if (row.host_id !== hostId) {
    throw new AppError("forbidden", `Job ${jobId} is another host's.`);
  }
  return { number: row.number, hostId, status: row.status };
}
