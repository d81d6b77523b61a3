// All that the server and an agent may say to each other over GET /ws/agent. JSON text frames, one message each; binary ones are the
// data of a stream (stream.ts).
// Unknown fields are ignored and unknown types are answered by an error, so that one side may be newer.
import { z } from "zod";
import { LimitWindows } from "./bandwidth.ts";
import { bandwidthLimit, id, storedGroupName, text } from "./fields.ts";
import { END_STATUSES, LINE_LENGTH_LIMIT, LINE_STREAMS, Progress, Summary } from "./job.ts";
import { RepositoryAccess } from "./repository_access.ts";
import { lockId, ResticId } from "./restic_id.ts";
import { SourceGroupOrder } from "./job_kinds/backup.ts";
import { fieldsOfAll, JOB_KINDS, type JobKind, KINDS } from "./job_kinds/all.ts";
import { streamCancel, streamCredit, streamEnd, streamOpen } from "./stream.ts";

/**
 * Raised when a message changes so that the other side must know.
 * 1 (2026-11): the first.
 * 2 (2026-11): plan.set, plan.ack and plan_version for schedule.*; limits end in _kib_per_s; first_line for first_seq.
 */
export const PROTOCOL_VERSION = 2;
/** An agent that speaks less than this is refused. */
export const OLDEST_PROTOCOL = 2;

/** Frames above this many bytes are refused. A batch of lines is kept well below. */
export const FRAME_LIMIT = 1_048_576;
/** A host's plan at most: an order of one of its groups carries some thousand characters more than the plan does. */
export const PLAN_LIMIT = FRAME_LIMIT - 16_384;
export const LINES_PER_BATCH = 500;
export const SNAPSHOTS_PER_PART = 500;
export const HEARTBEAT_SECONDS = 30;
/** Without a word for this long a host counts as offline. */
export const OFFLINE_AFTER_SECONDS = 90;
export const HELLO_WITHIN_SECONDS = 10;

/** Why a socket was closed. Codes 4000 to 4999 are ours (RFC 6455, 7.4.2). */
export const CLOSE = {
  /** The server is stopping; come back soon. */
  goingAway: 4000,
  /** The host was removed from the server. */
  unknownHost: 4001,
  /** The agent's protocol is too old; only another agent helps. */
  tooOld: 4002,
  /** Another socket of the same host took over. */
  replaced: 4003,
  /** The frame could not be accepted. */
  badFrame: 4004,
  /** Nothing was heard for too long. */
  silent: 4005,
  /** The agent spoke of what is not its own. */
  forbidden: 4006,
} as const;

const time = z.int().min(0).max(8_640_000_000_000_000);

// ---- server → agent

/** KiB/s; what is not above zero is no limit. */
const limit = z.int().nullable();

const configUpdate = z.object({
  type: z.literal("config.update"),
  /** The name under which this host's snapshots stand (restic --host). */
  snapshot_host: z.string().min(1),
  repository: RepositoryAccess.nullable(),
  bandwidth_up_kib_per_s: limit,
  bandwidth_down_kib_per_s: limit,
  bandwidth_windows: LimitWindows.default([]),
  /** The time zone of the windows of the bandwidth limits. */
  time_zone: z.string().max(100).default("UTC"),
});
export type ConfigUpdate = z.infer<typeof configUpdate>;

/** A source group as the agent runs it by itself. */
export const PlannedGroup = SourceGroupOrder.extend({
  retry_max: z.int().min(0),
  retry_backoff_seconds: z.int().min(0),
});
export type PlannedGroup = z.infer<typeof PlannedGroup>;

/** An enabled schedule; a paused one is not in the plan. */
export const PlannedSchedule = z.object({
  id,
  cron: z.string().max(200),
  time_zone: z.string().max(100),
  source_group_ids: z.array(id).min(1).max(500),
});
export type PlannedSchedule = z.infer<typeof PlannedSchedule>;

/** The whole plan; it replaces the one before. The agent's own clock starts what is in it. */
const planSet = z.object({
  type: z.literal("plan.set"),
  plan_version: z.int(),
  schedules: z.array(PlannedSchedule).max(1000),
  source_groups: z.array(PlannedGroup).max(1000),
});

/** What an order says whatever its kind. */
const anyOrder = z.object({
  type: z.literal("command.run"),
  job_id: id,
  repository_id: id,
  /**
   * Of a job that holds a lease: the normalised address that it is of. An agent that has been told another one meanwhile
   * refuses.
   */
  leased_url: z.string().max(4096).optional(),
  /**
   * Of a job that holds a lease: the id that restic gave the repository when it was made. Another one at the address is
   * another repository, and nothing is done to it.
   */
  restic_id: ResticId.optional(),
  /** This run's own limits; absent or null keeps the host's, 0 lifts them. */
  bandwidth_up_kib_per_s: limit.optional(),
  bandwidth_down_kib_per_s: limit.optional(),
});

type OrderShapes = {
  [K in JobKind]: typeof anyOrder.shape & { kind: z.ZodLiteral<K> } & typeof KINDS[K]["order"];
};
type OrderSchema<K extends JobKind> = z.ZodObject<OrderShapes[K], z.core.$strip>;

function orderOf<K extends JobKind>(kind: K): OrderSchema<K> {
  const schema: unknown = anyOrder.extend({ kind: z.literal(kind), ...KINDS[kind].order });
  return schema as OrderSchema<K>;
}

/** One job: `kind`, and the fields of the kind (job_kinds/). */
const commandRun = z.discriminatedUnion(
  "kind",
  JOB_KINDS.map(orderOf) as unknown as [{ [K in JobKind]: OrderSchema<K> }[JobKind]],
);
export type CommandRun = { [K in JobKind]: z.infer<OrderSchema<K>> }[JobKind];
export type OrderOf<K extends JobKind> = Extract<CommandRun, { kind: K }>;

const commandCancel = z.object({ type: z.literal("command.cancel"), job_id: id });

/** Two machines had this identity and a person chose this one: the bearer is to be stored, and used from now on. */
const bearerSet = z.object({ type: z.literal("bearer.set"), bearer: z.string().min(1).max(200) });

/** Everything in the agent's journal up to and including this number is stored for good. */
const reportAck = z.object({ type: z.literal("report.ack"), up_to: z.int() });

const error = z.object({ type: z.literal("error"), message: z.string().max(1000) });

export const ServerMessage = z.discriminatedUnion("type", [
  configUpdate,
  planSet,
  commandRun,
  commandCancel,
  bearerSet,
  reportAck,
  streamOpen,
  streamCredit,
  streamCancel,
  error,
]);
export type ServerMessage = z.infer<typeof ServerMessage>;
/** About a stream: these pass by whatever else is under way. */
export type StreamOrder = Extract<ServerMessage, { type: `stream.${string}` }>;

// ---- agent → server

const seq = z.int().min(1);
/** A number of things or bytes: whole and safe to store, however it was said. */
const amount = z.number().nonnegative().transform((value) =>
  Math.min(Math.round(value), Number.MAX_SAFE_INTEGER)
);

/**
 * What the machine's owner allows (agent.yaml), as the agent reports it. Shown to people and never relied on: the agent itself
 * refuses. `null` of a list: all.
 */
export const Brakes = z.object({
  allow_hooks: z.boolean(),
  allow_restore_in_place: z.boolean(),
  roots: z.array(text(4096)).max(100).nullable(),
  repositories: z.array(text(2048)).max(100).nullable(),
});
export type Brakes = z.infer<typeof Brakes>;

/** Random, made at each start and never stored: two machines with one identity cannot share it. */
const instance = z.string().regex(/^[0-9a-f]{32}$/, "must be 32 hex digits");

/** Why a host has no restic that can be used. */
export const RESTIC_PROBLEMS = ["restic_missing", "restic_too_old"] as const;
export type ResticProblemCode = typeof RESTIC_PROBLEMS[number];

/** Which problem of an agent: one that happened (`state_damaged`), or one that lasts until it is mended. */
export const AGENT_PROBLEMS = ["state_damaged", "state_not_writable", "plan_refused"] as const;
export type AgentProblemKind = typeof AGENT_PROBLEMS[number];
export const AGENT_PROBLEMS_LIMIT = 20;
export const AGENT_PROBLEM_LENGTH = 500;

/** What is wrong with the agent itself, in a sentence for people. `since` by the agent's clock. */
export const AgentProblem = z.object({
  kind: z.enum(AGENT_PROBLEMS),
  text: text(AGENT_PROBLEM_LENGTH),
  since: time,
});
export type AgentProblem = z.infer<typeof AgentProblem>;

/** All that is wrong now; it replaces what was reported before. */
const agentProblems = z.array(AgentProblem).max(AGENT_PROBLEMS_LIMIT);

const hello = z.object({
  type: z.literal("hello"),
  protocol: z.int(),
  agent_version: text(64),
  /** null when no restic was found; `restic_problem` then says what was looked for. */
  restic_version: text(64).nullable(),
  restic_problem: text(500).optional(),
  // A code that is newer than this server is none.
  restic_problem_code: z.enum(RESTIC_PROBLEMS).optional().catch(undefined),
  /** Kinds of streams that it knows (stream.ts); one that does not say knows none. */
  stream_kinds: z.array(text(50)).max(50).optional(),
  /** Which run of the agent this is. One that does not say counts as a new one each time. */
  instance: instance.optional(),
  hostname: text(255),
  os: text(32),
  arch: text(32),
  /** Milliseconds since 1970, as all times in messages. */
  boot_time: time.nullable(),
  clock: time,
  /** The version of the plan that the agent holds; 0 for none. */
  plan_version: z.int().min(0),
  /** Without it the machine's owner forbids nothing. */
  brakes: Brakes.optional(),
  /** Every job that the agent has queued, runs, or has ended without the server's acknowledgement. */
  jobs: z.array(id).max(10_000),
  /** Of the running system (Linux): another one says that nothing which ran before runs now. */
  boot_id: text(64).optional(),
  /**
   * The list of jobs was damaged or gone, and the machine has not been started again since: a job that `jobs` does not name may
   * still run here.
   */
  ledger_lost: z.boolean().optional(),
  problems: agentProblems.optional(),
});
export type Hello = z.infer<typeof hello>;

const heartbeat = z.object({
  type: z.literal("heartbeat"),
  /** The agent's wall clock. */
  clock: time.optional(),
});

/** Where a job comes from that the agent's own clock started. The server learns of it by its first report. */
export const Origin = z.object({
  kind: z.literal("backup"),
  repository_id: id,
  schedule_id: id,
  source_group_id: id,
  source_group_name: storedGroupName,
  /** The fire time that the job stands for. */
  scheduled_at: time,
  /** The machine was asleep, off, or the run before was interrupted. */
  catch_up: z.boolean(),
  /** 1 for the first try. */
  attempt: z.int().min(1).max(100),
});
export type Origin = z.infer<typeof Origin>;

const jobStarted = z.object({
  type: z.literal("job.started"),
  seq,
  job_id: id,
  origin: Origin.optional(),
  at: time,
  restic_version: text(64).nullable(),
  bandwidth_up_kib_per_s: bandwidthLimit,
  bandwidth_down_kib_per_s: bandwidthLimit,
});

const jobProgress = z.object({
  type: z.literal("job.progress"),
  job_id: id,
  progress: Progress,
});

export const Line = z.object({
  at: time,
  stream: z.enum(LINE_STREAMS),
  // The hottest field: jobs/lines.ts deals with NUL.
  text: z.string().max(LINE_LENGTH_LIMIT + 100),
});
export type Line = z.infer<typeof Line>;

const logStream = z.object({
  type: z.literal("log.stream"),
  seq,
  job_id: id,
  /** The number of the first of these lines in its job; numbers count from 1. */
  first_line: z.int().min(1).max(1_000_000_000),
  lines: z.array(Line).min(1).max(LINES_PER_BATCH),
});
export type LogStream = z.infer<typeof logStream>;

export const RepositoryLock = z.object({
  id: lockId,
  at: time,
  exclusive: z.boolean(),
  hostname: text(255),
  username: text(255).nullable(),
  pid: z.int().nullable(),
});
export type RepositoryLock = z.infer<typeof RepositoryLock>;

export const RepositoryStats = z.object({
  /** Bytes in the repository. */
  total_size: amount,
  total_file_count: amount.optional(),
  snapshots_count: amount.optional(),
  /** Bytes that a restore of all snapshots would write; beside total_size it shows what deduplication saves. */
  restore_size: amount.optional(),
  locks: z.array(RepositoryLock).max(100).optional(),
});
export type RepositoryStats = z.infer<typeof RepositoryStats>;

const repoStats = z.object({
  type: z.literal("repo.stats"),
  seq,
  job_id: id,
  repository_id: id,
  stats: RepositoryStats,
});

/** Unlock: the locks that are there afterwards. */
const repoLocks = z.object({
  type: z.literal("repo.locks"),
  seq,
  job_id: id,
  repository_id: id,
  locks: z.array(RepositoryLock).max(100),
});

const jobFinished = z.object({
  type: z.literal("job.finished"),
  seq,
  job_id: id,
  at: time,
  status: z.enum(END_STATUSES),
  exit_code: z.int().nullable(),
  /** One sentence for people; always there unless the job succeeded without warnings. */
  reason: text(2000).nullable(),
  /** What a program needs to know of the reason: wrong_password, no_repository, locked, … */
  reason_code: text(64).nullable(),
  warnings: z.int().min(0),
  summary: Summary.nullable(),
  /** Which repository the job found at which normalised address. */
  opened: z.object({ restic_id: ResticId, address: text(4096) }).optional(),
  /** How long it ran by a clock that nobody sets, in milliseconds. */
  duration_ms: z.int().min(0).optional(),
  /** A scheduled job that ended before it began (skipped, or the agent was stopped) is told by this alone. */
  origin: Origin.optional(),
  /** What the kinds add. */
  ...fieldsOfAll("result"),
});
export type JobFinished = z.infer<typeof jobFinished>;
export type JobStarted = z.infer<typeof jobStarted>;

export const Snapshot = z.object({
  id: z.string().regex(/^[0-9a-f]{8,64}$/),
  time,
  tags: z.array(text(200)).max(100),
  paths: z.array(text(4096)).max(500),
  hostname: text(255),
  username: text(255).nullable(),
  parent: z.string().regex(/^[0-9a-f]{8,64}$/).nullable(),
  /** restic from 0.17 knows these. */
  files: amount.nullable(),
  bytes: amount.nullable(),
  bytes_added: amount.nullable(),
});
export type Snapshot = z.infer<typeof Snapshot>;

/**
 * The list of this host's snapshots, in parts; it takes effect with the last one. With `whole` it is that of all hosts in
 * the repository, which only a maintenance job may hand in.
 */
const snapshotsReport = z.object({
  type: z.literal("snapshots.report"),
  seq,
  whole: z.boolean().optional(),
  job_id: id.optional(),
  repository_id: id,
  report_id: id,
  taken_at: time,
  part: z.int().min(1),
  parts: z.int().min(1).max(1000),
  snapshots: z.array(Snapshot).max(SNAPSHOTS_PER_PART),
});
export type SnapshotsReport = z.infer<typeof snapshotsReport>;

const planAck = z.object({ type: z.literal("plan.ack"), plan_version: z.int() });

/** As in hello, when it changes afterwards. */
const problems = z.object({ type: z.literal("problems"), problems: agentProblems });

export const AgentMessage = z.discriminatedUnion("type", [
  hello,
  heartbeat,
  jobStarted,
  jobProgress,
  logStream,
  repoStats,
  repoLocks,
  jobFinished,
  snapshotsReport,
  planAck,
  problems,
  streamEnd,
  error,
]);
export type AgentMessage = z.infer<typeof AgentMessage>;

/** What the agent keeps on disk until the server has acknowledged it. */
export type Report = Extract<AgentMessage, { seq: number }>;
/** A report before the journal has numbered it. */
export type NewReport = Report extends infer R ? R extends Report ? Omit<R, "seq"> : never : never;
