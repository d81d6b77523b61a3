// A job, a line of its log, and what is said when one is started.
import { z } from "zod";
import { JOB_STATUSES, LINE_STREAMS, Progress, Summary } from "../job.ts";
import { JOB_KINDS } from "../job_kinds/all.ts";
import { forget } from "../job_kinds/forget.ts";
import { OVERWRITES, RestoreOrder, RestoreResult } from "../job_kinds/restore.ts";
import { NamedActor } from "./actor.ts";
import { Time } from "./time.ts";

/** What a restore was asked for, as its job keeps it. */
export const RestoreAsked = z.object({
  snapshot: z.string(),
  items_count: z.number(),
  first_items: z.array(z.string()),
  target: RestoreOrder.shape.target,
  overwrite: z.enum(OVERWRITES),
  verify: z.boolean(),
});

const Restore = RestoreAsked.omit({ snapshot: true }).extend({
  snapshot_id: z.string(),
  /** null: it has not ended, or ended before it wrote anything. */
  result: RestoreResult.nullable(),
});

/** What a forget came to in one group. */
export const Forgotten = forget.result.forgotten.unwrap().element;
export type Forgotten = z.infer<typeof Forgotten>;

const kibPerSecond = z.number().nullable().describe("KiB/s; null: as the host has it; 0: none");

export const Job = z.object({
  id: z.string(),
  host_id: z.string(),
  host_name: z.string(),
  repository_id: z.string(),
  kind: z.enum(JOB_KINDS),
  status: z.enum(JOB_STATUSES),
  actor: NamedActor,
  schedule_id: z.string().nullable(),
  source_group_id: z.string().nullable(),
  source_group_name: z.string().nullable(),
  scheduled_at: Time.nullable(),
  created_at: Time,
  started_at: Time.nullable(),
  finished_at: Time.nullable(),
  /** The same as the host's own clock has it. */
  host_started_at: Time.nullable(),
  host_finished_at: Time.nullable(),
  finished_received_at: Time.nullable(),
  duration_seconds: z.number().nullable(),
  cancel_requested_at: Time.nullable(),
  /** Waits on the server for another host to be done with the repository. */
  waiting: z.boolean(),
  restic_version: z.string().nullable(),
  exit_code: z.number().nullable(),
  reason: z.string().nullable(),
  reason_code: z.string().nullable(),
  warnings: z.number(),
  bandwidth_up_kbps: kibPerSecond,
  bandwidth_down_kbps: kibPerSecond,
  progress: Progress.nullable(),
  summary: Summary.nullable(),
  /** 1 for the first try of a scheduled run. */
  attempt: z.number(),
  /** The machine missed the fire time and made up for it. */
  catch_up: z.boolean(),
  dry_run: z.boolean(),
  /** Forget: what each of its groups came to. */
  forgotten: z.array(Forgotten).nullable(),
  /** Restore: what is restored where to, the first of its items, and what it came to. */
  restore: Restore.nullable(),
  /** Backup: why its snapshot stays outside retention until a person accepts it; null when it does not. */
  withheld: z.string().nullable(),
  accepted_at: Time.nullable(),
  accepted_by: z.string().nullable(),
  /** How many of its lines the server did not keep, because of a quota or a full disk. */
  lines_cut: z.number(),
  /** When its lines were removed because of their age. */
  lines_removed_at: Time.nullable(),
}).meta({ id: "Job" });
export type Job = z.infer<typeof Job>;

/** One line of a job's log; `n` counts from 1 without a gap. */
export const JobLine = z.object({
  n: z.number(),
  at: Time,
  stream: z.enum(LINE_STREAMS),
  text: z.string(),
});
export type JobLine = z.infer<typeof JobLine>;

/** The same as it is stored: its number is called `line` there. */
export interface StoredLine extends Omit<JobLine, "n"> {
  line: number;
}

export const StartedJob = z.object({ job_id: z.string(), job_url: z.string() });
export type StartedJob = z.infer<typeof StartedJob>;

/** The first of them also by itself. */
export const StartedJobs = StartedJob.extend({ jobs: z.array(StartedJob) });
