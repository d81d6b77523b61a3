// What of a host is backed up together, and what its retention would do.
import { z } from "zod";
import { HOOK_NAMES } from "../hooks.ts";
import { SourceProblem } from "../job_kinds/backup.ts";
import { Retention } from "../retention.ts";
import { LastRun } from "./last_run.ts";
import { Time } from "./time.ts";

export const SourceGroup = z.object({
  id: z.string(),
  host_id: z.string(),
  name: z.string(),
  includes: z.array(z.string()),
  excludes: z.array(z.string()),
  iexcludes: z.array(z.string()),
  exclude_if_present: z.array(z.string()),
  exclude_larger_than: z.string().nullable(),
  exclude_caches: z.boolean(),
  one_file_system: z.boolean(),
  /** The tag of its snapshots; stays when the group is renamed. */
  snapshot_tag: z.string(),
  retention: Retention,
  usual_share_percent: z.number(),
  /** What a person said is right as it is. */
  accepted_sources: z.array(SourceProblem),
  /** What is worth a second look, in sentences. */
  warnings: z.array(z.string()),
  retry_max: z.number(),
  retry_backoff_seconds: z.number(),
  pre_hook: z.string().nullable(),
  post_hook: z.string().nullable(),
  hook_timeout_seconds: z.number(),
  hook_stop_at_error: z.boolean(),
  use_fs_snapshot: z.boolean(),
  /** Hooks that are stored and do not open any more. */
  cannot_decrypt_hooks: z.array(z.enum(HOOK_NAMES)),
  created_at: Time,
  updated_at: Time,
  last_run: LastRun.nullable(),
}).meta({ id: "SourceGroup" });
export type SourceGroup = z.infer<typeof SourceGroup>;

export const PreviewedSnapshot = z.object({
  id: z.string(),
  time: Time,
  /** Why it is kept; empty for one that goes. */
  reasons: z.array(z.string()),
});

/** What a policy would do to the snapshots of a group as they are listed now. */
export const RetentionPreview = z.object({
  keep: z.array(PreviewedSnapshot),
  remove: z.array(PreviewedSnapshot),
  /** Why a person would have to agree first, or null. */
  held: z.string().nullable(),
  /** When the host's list of snapshots was taken. */
  refreshed_at: Time.nullable(),
  /** Withheld until a person says that they are right; they count for nothing. */
  withheld: z.number(),
});
export type RetentionPreview = z.infer<typeof RetentionPreview>;
