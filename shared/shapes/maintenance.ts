// What a repository needs from time to time, the locks in it, and who may do it.
import { z } from "zod";
import { JOB_STATUSES } from "../job.ts";
import { JOB_KINDS, MAINTENANCE_KINDS } from "../job_kinds/all.ts";
import { LastRun } from "./last_run.ts";
import { ShownProblem } from "./problem.ts";
import { Time } from "./time.ts";

export const MaintenanceTask = z.object({
  kind: z.enum(MAINTENANCE_KINDS),
  enabled: z.boolean(),
  cron: z.string(),
  read_data_percent: z.number().nullable(),
  next_run_at: Time.nullable(),
  last_run: LastRun.omit({ warnings: true }).extend({ reason: z.string().nullable() }).nullable(),
  last_success_at: Time.nullable(),
  failing_since: z.number().nullable()
    .describe("The first failure since the last success, in milliseconds since 1970"),
  /** Why it does not run although it is enabled. */
  off_because: z.string().nullable().describe("Why it does not run, in words"),
  off_problem: ShownProblem.nullable(),
  /** Only admins start it now. */
  uses_admin_credential: z.boolean(),
});
export type MaintenanceTask = z.infer<typeof MaintenanceTask>;

export const RepositoryLock = z.object({
  id: z.string(),
  at: Time,
  exclusive: z.boolean(),
  hostname: z.string(),
  username: z.string().nullable(),
  pid: z.number().nullable(),
});
export type RepositoryLock = z.infer<typeof RepositoryLock>;

export const LeaseHolder = z.object({
  job_id: z.string(),
  kind: z.enum(JOB_KINDS),
  /** How the job stands; one that ended in this list was only presumed to have. */
  status: z.enum(JOB_STATUSES),
  host_id: z.string(),
  host_name: z.string(),
  online: z.boolean(),
  since: z.number().describe("Milliseconds since 1970"),
});
export type LeaseHolder = z.infer<typeof LeaseHolder>;

/** A host that may hold the admin credential. */
export const MaintenanceHost = z.object({
  id: z.string(),
  name: z.string(),
  /** Since when it gets nothing although it is named, or null. */
  waits_since: Time.nullable(),
});
export type MaintenanceHost = z.infer<typeof MaintenanceHost>;

/** `host_ids` are those of `hosts`. */
export const MaintenanceTasks = z.object({
  tasks: z.array(MaintenanceTask),
  host_ids: z.array(z.string()),
  hosts: z.array(MaintenanceHost),
});

export const Maintenance = MaintenanceTasks.extend({
  locks: z.array(RepositoryLock),
  locks_seen_at: Time.nullable(),
  leases: z.array(LeaseHolder),
});
