// What a job is: its states, and what it comes to.
import { z } from "zod";

export const JOB_STATUSES = [
  "queued",
  "running",
  "succeeded",
  "failed",
  "cancelled",
  "interrupted",
  "skipped",
] as const;
export type JobStatus = typeof JOB_STATUSES[number];

export const END_STATUSES = [
  "succeeded",
  "failed",
  "cancelled",
  "interrupted",
  "skipped",
] as const;
export type EndStatus = typeof END_STATUSES[number];

export function hasEnded(status: JobStatus): status is EndStatus {
  return status !== "queued" && status !== "running";
}

/** The reason code of what was not done because another repository than before is at the address. */
export const REPOSITORY_CHANGED = "repository_changed";

/** The reason code of what the machine's owner does not allow: agent.yaml on that machine says so. */
export const REFUSED_BY_MACHINE = "refused_by_machine";

export const LINE_STREAMS = ["stdout", "stderr", "hook", "agent"] as const;
export type LineStream = typeof LINE_STREAMS[number];

/** A line longer than this many UTF-16 units is cut by the agent, with a mark that says so. */
export const LINE_LENGTH_LIMIT = 65_536;

const count = z.number().nonnegative();

export const Summary = z.object({
  snapshot_id: z.string().regex(/^[0-9a-f]{8,64}$/).optional(),
  files_new: count,
  files_changed: count,
  files_unmodified: count,
  bytes_added: count,
  bytes_processed: count,
  seconds: count,
});
export type Summary = z.infer<typeof Summary>;

/** How many files a backup looked at. */
export function filesOf({ files_new, files_changed, files_unmodified }: Summary): number {
  return files_new + files_changed + files_unmodified;
}

/** Folders and links alone are no content: restic counts neither among the files. */
export function savedNothing(summary: Summary): boolean {
  return filesOf(summary) === 0 || summary.bytes_processed === 0;
}

export const Progress = z.object({
  percent: z.number().min(0).max(100),
  files_done: count,
  files_total: count,
  bytes_done: count,
  bytes_total: count,
  bytes_per_second: count,
  seconds_elapsed: count,
  seconds_remaining: count.nullable(),
  current_path: z.string().max(4096).nullable(),
});
export type Progress = z.infer<typeof Progress>;
