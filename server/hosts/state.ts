// What a host's stored facts mean for the reader's question: am I safe, and if not, what do I do now?
import type { JobStatus } from "../../shared/job.ts";
import type { AgentProblemKind, ResticProblemCode } from "../../shared/protocol.ts";
import { type Problem, problem, type ProblemCode } from "../../shared/problems.ts";
import { CLOCK_WRONG } from "./skew.ts";
import type { MaintenanceProblem } from "../repositories/problems.ts";
import type { HostProblem } from "../../shared/shapes/host.ts";
import type { HostState } from "../../shared/shapes/host.ts";

export interface HostFacts {
  online: boolean;
  running: boolean;
  created_at: number;
  last_seen_at: number | null;
  restic_version: string | null;
  restic_problem: string | null;
  restic_problem_code: ResticProblemCode | null;
  restic_problem_since: number | null;
  repository_ready_at: number | null;
  repository_job_failed: boolean;
  repository_job_id: string | null;
  repository_job_finished_at: number | null;
  last_backup_job_id: string | null;
  last_backup_at: number | null;
  last_backup_status: JobStatus | null;
  last_backup_warnings: number;
  last_backup_reason: string | null;
  last_backup_reason_code: string | null;
  last_success_at: number | null;
  /** What is wrong with its repository's maintenance, whatever its backups say. */
  maintenance_problems: MaintenanceProblem[];
  /** Since when another repository than before is at its address, and nobody has said yet which one is right. */
  repository_changed_at: number | null;
  /** Since when a reinstalled machine has it and nobody has said that its data is restored. */
  on_hold_since: number | null;
  /** How far its clock is ahead, in milliseconds, and since when that is wrong. */
  clock_skew_ms: number | null;
  clock_wrong_since: number | null;
  /** Since when two machines use its identity. */
  doubted_since: number | null;
  /** What its agent reports of itself. */
  agent_problems: Pick<HostProblem, "kind" | "text" | "received_at">[];
}

export interface HostHealth {
  state: HostState;
  /** Empty when nothing is wrong; otherwise what is, the worst first. */
  problems: Problem[];
  /** 0 is fine; the higher, the more urgent. */
  urgency: number;
}

/** Without a schedule of its own to measure by, a host that was not backed up for this long needs someone. */
export const STALE_HOURS = 26;
const HOUR = 3_600_000;

/** From here on a problem needs a person; below it is worth knowing. */
export const NEEDS_SOMEBODY = 15;

/** What a host can have. */
export type HostProblemCode = Exclude<
  ProblemCode,
  "no_admin_credential" | "maintenance_host_not_named" | "maintenance_hosts_wait"
>;

/** In which order a person should learn of them. */
const URGENCY: Record<HostProblemCode, number> = {
  two_machines: 95,
  restic_missing: 90,
  restic_too_old: 90,
  init_failed: 80,
  backup_overdue: 70,
  backup_failed: 65,
  backup_interrupted: 65,
  nothing_saved: 65,
  on_hold: 48,
  repository_id_changed: 45,
  forget_failed: 40,
  prune_failed: 40,
  check_failed: 40,
  no_maintenance_host: 40,
  lease_not_ended: 40,
  state_put_aside: 30,
  state_not_writable: 30,
  plan_refused: 30,
  clock_skew: 30,
  backup_warnings: 20,
  less_than_usual: 20,
  not_backed_up_yet: NEEDS_SOMEBODY,
  host_offline: 10,
  never_connected: 10,
};
/** A host that was never backed up has nothing yet that grows old: below one whose last backup failed. */
const FIRST_BACKUP_OVERDUE = 60;

function urgencyOf(found: Problem<HostProblemCode>): number {
  const isFirst = found.code === "backup_overdue" && found.params.last_success_at === null;
  return isFirst ? FIRST_BACKUP_OVERDUE : URGENCY[found.code];
}

/** `now` in milliseconds by the server's clock. */
export function healthOf(facts: HostFacts, now: number): HostHealth {
  const problems = [...problemsOf(facts, now)].sort((a, b) => urgencyOf(b) - urgencyOf(a));
  const [worst] = problems;
  return { state: stateOf(facts, problems), problems, urgency: worst ? urgencyOf(worst) : 0 };
}

function stateOf(facts: HostFacts, problems: Problem[]): HostState {
  if (facts.doubted_since !== null) return "bad";
  if (facts.running) return "run";
  if (problems.some(({ severity }) => severity === "critical")) return "bad";
  if (!facts.online) return "off";
  return problems.length > 0 ? "warn" : "ok";
}

function* problemsOf(facts: HostFacts, now: number): Generator<Problem<HostProblemCode>> {
  if (facts.doubted_since !== null) yield problem("two_machines", facts.doubted_since, {});
  if (facts.online && !facts.restic_version) yield resticProblem(facts);
  if (facts.repository_job_failed && !facts.repository_ready_at) {
    const since = facts.repository_job_finished_at ?? facts.created_at;
    yield problem("init_failed", since, { job_id: facts.repository_job_id });
  }
  yield* backupProblems(facts, now);
  if (facts.repository_changed_at !== null) {
    yield problem("repository_id_changed", facts.repository_changed_at, {});
  }
  if (facts.on_hold_since !== null) yield problem("on_hold", facts.on_hold_since, {});
  for (const { kind, text, received_at } of facts.agent_problems) {
    yield problem(CODE_OF_AGENT_PROBLEM[kind], received_at, { text });
  }
  const { clock_skew_ms: skew_ms } = facts;
  if (skew_ms !== null && Math.abs(skew_ms) >= CLOCK_WRONG) {
    yield problem("clock_skew", facts.clock_wrong_since ?? lastKnown(facts), { skew_ms });
  }
  yield* facts.maintenance_problems;
  if (facts.online) return;
  const { last_seen_at } = facts;
  if (last_seen_at === null) yield problem("never_connected", facts.created_at, {});
  else yield problem("host_offline", last_seen_at, { last_seen_at });
}

const CODE_OF_AGENT_PROBLEM = {
  state_damaged: "state_put_aside",
  state_not_writable: "state_not_writable",
  plan_refused: "plan_refused",
} as const satisfies Record<AgentProblemKind, ProblemCode>;

/** Of what was noted before it was noted since when. */
function lastKnown({ last_seen_at, created_at }: HostFacts): number {
  return last_seen_at ?? created_at;
}

function resticProblem(facts: HostFacts): Problem<HostProblemCode> {
  const since = facts.restic_problem_since ?? lastKnown(facts);
  // An agent that does not say which has found none.
  return problem(facts.restic_problem_code ?? "restic_missing", since, {
    text: facts.restic_problem,
  });
}

function* backupProblems(facts: HostFacts, now: number): Generator<Problem<HostProblemCode>> {
  const { last_success_at } = facts;
  const from = last_success_at ?? facts.created_at;
  const isOverdue = now - from > STALE_HOURS * HOUR;
  if (isOverdue) {
    const hours = Math.floor((now - from) / HOUR);
    yield problem("backup_overdue", from + STALE_HOURS * HOUR, { last_success_at, hours });
  }
  const code = codeOfLastBackup(facts);
  if (code) {
    yield problem(code, facts.last_backup_at ?? facts.created_at, {
      job_id: facts.last_backup_job_id,
      reason: facts.last_backup_reason,
      reason_code: facts.last_backup_reason_code,
      warnings: facts.last_backup_warnings,
    });
  }
  const hasFailed = facts.last_backup_status === "failed" ||
    facts.last_backup_status === "interrupted";
  if (facts.online && !last_success_at && !hasFailed && !isOverdue) {
    yield problem("not_backed_up_yet", facts.created_at, {});
  }
}

type BackupCode =
  | "backup_failed"
  | "backup_interrupted"
  | "nothing_saved"
  | "backup_warnings"
  | "less_than_usual";

function codeOfLastBackup(facts: HostFacts): BackupCode | undefined {
  const reason = facts.last_backup_reason_code;
  switch (facts.last_backup_status) {
    case "interrupted":
      return "backup_interrupted";
    case "failed":
      return reason === "nothing_saved" ? "nothing_saved" : "backup_failed";
    case "succeeded":
      if (facts.last_backup_warnings === 0) return undefined;
      return reason === "less_than_usual" ? "less_than_usual" : "backup_warnings";
    default:
      return undefined;
  }
}
