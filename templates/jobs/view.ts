// A job as its pages show it.
import type { JobKind } from "../../shared/job_kinds/all.ts";
import type { JobStatus, Progress, Summary } from "../../shared/job.ts";
import type { NamedActor } from "../../shared/shapes/actor.ts";

export interface JobNames {
  kind: JobKind;
  host: { id: string; name: string };
  repository: { id: string; name: string } | null;
  groupName: string | null;
}

export interface NextStep {
  sentence: string;
  href?: string;
  label?: string;
  /** A job that would help: POST to `/hosts/<id>/jobs` with this kind. */
  kind?: JobKind;
  /** Another address to post it to. */
  to?: string;
  groupId?: string | null;
  /** Only admins are let do it. */
  isForAdmins?: boolean;
}

export interface JobView extends JobNames {
  id: string;
  status: JobStatus;
  groupId: string | null;
  actor: Pick<NamedActor, "kind" | "name">;
  createdAt: number;
  startedAt: number | null;
  finishedAt: number | null;
  /** How long it ran; null as long as that is not over. */
  seconds: number | null;
  exitCode: number | null;
  reason: string | null;
  reasonCode: string | null;
  warnings: number;
  /** KiB/s; null and 0 are no limit. */
  uploadKibps: number | null;
  downloadKibps: number | null;
  isCancelling: boolean;
  resticVersion: string | null;
  progress: Progress | null;
  summary: Summary | null;
  /** 1 for the first try of a scheduled run. */
  attempt: number;
  /** The fire time that this run makes up for, or null. */
  missedAt: number | null;
  isDryRun: boolean;
  /** How many lines the server did not keep: beyond a quota, or while its disk was nearly full. */
  linesCut?: number;
  /** When its lines were removed because of their age. */
  linesRemovedAt?: number | null;
  /** Retention: what each group of each host came to. */
  forgotten: { tag: string; host: string; keep: number; remove: number }[] | null;
  /** Backup: why its snapshot stays outside retention; null when it counts. */
  withheld: string | null;
  /** Who said that it is right. */
  accepted: { by: string; at: number } | null;
  /** Why it is still queued. */
  /** When it began and ended as the host's own clock has it, where that is another time. */
  hostClock: { startedAt: number | null; finishedAt: number | null } | null;
  waitsFor:
    | { jobId: string; title: string; isOfOtherHost?: boolean }
    | "repository"
    | "host"
    | null;
}

/** What the next step rests on. */
export type EndedJob = JobNames & Pick<JobView, "status" | "reasonCode" | "groupId">;
