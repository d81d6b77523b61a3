// A host, the fleet of them, and the machines that use one identity.
import { z } from "zod";
import { BandwidthWindow } from "../bandwidth.ts";
import { JOB_STATUSES } from "../job.ts";
import { JOB_KINDS } from "../job_kinds/all.ts";
import { AgentProblem, Brakes } from "../protocol.ts";
import { LastRun } from "./last_run.ts";
import { PROBLEM_FIELDS } from "./problem.ts";
import { Time } from "./time.ts";

/** ok: backed up lately · warn: look at it · bad: not backed up · run: a job is going · off: not connected. */
export const HOST_STATES = ["ok", "warn", "bad", "run", "off"] as const;
export type HostState = typeof HOST_STATES[number];

/** What its agent reports of itself. */
export const HostProblem = AgentProblem.extend({
  since: z.number().describe("Milliseconds since 1970, by the agent's clock"),
  /** By the server's clock; `since` is by the agent's. */
  received_at: Time,
});
export type HostProblem = z.infer<typeof HostProblem>;

/** A job that runs or waits now. */
export const RunningJob = z.object({
  id: z.string(),
  kind: z.enum(JOB_KINDS),
  status: z.enum(JOB_STATUSES),
  source_group_name: z.string().nullable(),
  started_at: Time.nullable(),
  created_at: Time,
  percent: z.number().nullable(),
});
export type RunningJob = z.infer<typeof RunningJob>;

const kibPerSecond = z.number().nullable().describe("KiB/s; null: no limit");

export const Host = z.object({
  id: z.string(),
  name: z.string(),
  /** The name under which its snapshots are. */
  snapshot_host: z.string(),
  hostname: z.string(),
  /** What about the machine's own name deceives eyes, with the characters' code points. */
  hostname_warning: z.string().nullable(),
  /** What its agent says that the machine's owner allows; null: everything. Only ever shown. */
  brakes: Brakes.nullable(),
  os: z.string(),
  arch: z.string(),
  tags: z.array(z.string()),
  online: z.boolean(),
  state: z.enum(HOST_STATES),
  ...PROBLEM_FIELDS,
  agent_version: z.string(),
  restic_version: z.string().nullable(),
  restic_problem: z.string().nullable(),
  /** What its agent reports of itself, but for what a person has dismissed. */
  agent_problems: z.array(HostProblem),
  protocol_version: z.number().nullable(),
  last_seen_at: Time.nullable(),
  /** Since a reinstalled machine took it back: no schedule runs and nothing is forgotten until a person resumes it. */
  on_hold_since: Time.nullable(),
  /** Since when two machines use its identity; no secret goes to it until an admin has chosen one. */
  doubted_since: Time.nullable(),
  boot_time: Time.nullable(),
  /** How far its clock is ahead of the server's; negative: behind. */
  clock_skew_seconds: z.number().nullable(),
  time_zone: z.string(),
  repository_id: z.string(),
  repository_name: z.string(),
  /** The folders below which operators may choose paths, and the repositories to which they may bind it. */
  approved_roots: z.array(z.string()),
  approved_repository_ids: z.array(z.string()),
  /** ready, working (a job is making or opening it), failed, or none (not tried yet). */
  repository_state: z.enum(["ready", "working", "failed", "none"]),
  repository_ready_at: Time.nullable(),
  repository_job_id: z.string().nullable(),
  bandwidth_up_kbps: kibPerSecond,
  bandwidth_down_kbps: kibPerSecond,
  bandwidth_windows: z.array(BandwidthWindow),
  plan_version: z.number(),
  applied_plan_version: z.number(),
  last_backup: LastRun.extend({ reason: z.string().nullable() }).nullable(),
  last_success_at: Time.nullable(),
  snapshots_count: z.number().nullable(),
  /** How many its agent listed beyond what the server keeps of the list. */
  snapshots_cut: z.number(),
  snapshots_refreshed_at: Time.nullable(),
  /** The size of its repository, which others may share. */
  repository_size: z.number().nullable().describe("Bytes"),
  /** The first of its enabled schedules; filled in where hosts are shown, not where all are counted. */
  next_run_at: Time.nullable(),
  /** Where exactly one enabled schedule covers the host: what that one did last. */
  schedule: z.object({ last_run: LastRun.nullable() }).nullable(),
  running: z.array(RunningJob),
  created_at: Time,
}).meta({ id: "Host" });
export type Host = z.infer<typeof Host>;

export const FleetSummary = z.object({
  total: z.number(),
  ok: z.number(),
  warn: z.number(),
  bad: z.number(),
  running: z.number(),
  offline: z.number(),
  /** How many hosts need someone. */
  attention: z.number(),
  /** The hosts that need someone, the worst first, at most ten. */
  worst: z.array(z.object({
    id: z.string(),
    name: z.string(),
    state: z.enum(HOST_STATES),
    ...PROBLEM_FIELDS,
    job_id: z.string().nullable(),
    on_hold: z.boolean(),
  })),
  /** The host whose last success is the oldest; null when none was ever backed up. */
  oldest: z.object({ name: z.string(), last_success_at: Time }).nullable(),
});
export type FleetSummary = z.infer<typeof FleetSummary>;

/** One of the machines that use a host's identity while that is in doubt. */
export const HostInstance = z.object({
  /** Enough of a hash to choose by; the id itself is the agent's secret. */
  id: z.string(),
  hostname: z.string(),
  os: z.string(),
  arch: z.string(),
  agent_version: z.string(),
  boot_time: Time.nullable(),
  address: z.string().nullable(),
  first_seen_at: Time,
  last_seen_at: Time,
  connected: z.boolean(),
});
export type HostInstance = z.infer<typeof HostInstance>;

/** A host by name, where nothing more of it matters. */
export const NamedHost = z.object({ id: z.string(), name: z.string() });
