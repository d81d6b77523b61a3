// When a host is backed up.
import { z } from "zod";
import { LastRun } from "./last_run.ts";
import { Time } from "./time.ts";

export const Schedule = z.object({
  id: z.string(),
  host_id: z.string(),
  cron: z.string(),
  enabled: z.boolean(),
  source_group_ids: z.array(z.string()),
  source_groups: z.array(z.object({ id: z.string(), name: z.string() })),
  time_zone: z.string(),
  /** null while paused, or while its host is on hold. */
  next_run_at: Time.nullable(),
  last_run: LastRun.nullable(),
  created_at: Time,
  updated_at: Time,
}).meta({ id: "Schedule" });
export type Schedule = z.infer<typeof Schedule>;

/** What a cron expression means. */
export const CronPreview = z.object({
  cron: z.string(),
  words: z.string(),
  /** The next five fire times. */
  next: z.array(Time),
});
export type CronPreview = z.infer<typeof CronPreview>;
