import type { JobStatus } from "../shared/job.ts";
import type { LastRun } from "../shared/shapes/last_run.ts";

/** The newest job of something as its last run; null when there is none. */
export function lastRunOf(
  job: {
    id: string;
    status: JobStatus;
    warnings: number;
    created_at: number;
    started_at: number | null;
  } | undefined,
): LastRun | null {
  if (!job) return null;
  const { id, status, warnings } = job;
  return { job_id: id, at: job.started_at ?? job.created_at, status, warnings };
}
