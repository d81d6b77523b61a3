// A job as its pages show it.
import type { JobKind } from "../../shared/job_kinds/all.ts";
import type { Summary } from "../../shared/job.ts";
import type { NamedActor } from "../../shared/shapes/actor.ts";
import type { Job } from "../../shared/shapes/job.ts";

/** What its title is made of. */
export type JobNames = Pick<Job, "kind" | "host_name" | "source_group_name"> & {
  /** Absent in lists, which do not look it up; null: it has been removed since. */
  repositoryName?: string | null;
};

/** What a row of a list shows. */
export type JobRowData =
  & JobNames
  & Pick<
    Job,
    | "id"
    | "status"
    | "warnings"
    | "reason"
    | "created_at"
    | "started_at"
    | "finished_at"
    | "duration_seconds"
  >
  & {
    actor: Pick<NamedActor, "kind" | "name">;
    summary: Pick<Summary, "bytes_added"> | null;
  };

export interface NextStep {
  sentence: string;
  href?: string;
  label?: string;
  /** A job that would help: POST to `/hosts/<id>/jobs` with this kind. */
  kind?: JobKind;
  /** Another address to post it to. */
  to?: string;
  /** Only admins are let do it. */
  isForAdmins?: boolean;
}

export type JobView =
  & JobRowData
  & Pick<
    Job,
    | "host_id"
    | "repository_id"
    | "source_group_id"
    | "scheduled_at"
    | "host_started_at"
    | "host_finished_at"
    | "cancel_requested_at"
    | "restic_version"
    | "exit_code"
    | "reason_code"
    | "bandwidth_up_kbps"
    | "bandwidth_down_kbps"
    | "progress"
    | "summary"
    | "attempt"
    | "catch_up"
    | "dry_run"
    | "forgotten"
    | "restore"
    | "withheld"
    | "accepted_at"
    | "accepted_by"
    | "lines_cut"
    | "lines_removed_at"
  >
  & {
    repositoryName: string | null;
    /** It began or ended at another time by the host's own clock. */
    isHostClockOther: boolean;
    /** Why it is still queued. */
    waitsFor:
      | { jobId: string; title: string; isOfOtherHost?: boolean }
      | { reading: string }
      | "repository"
      | "host"
      | null;
  };

/** What the next step rests on. */
export type EndedJob = Pick<
  JobView,
  "kind" | "status" | "reason_code" | "host_id" | "repository_id" | "repositoryName"
>;
