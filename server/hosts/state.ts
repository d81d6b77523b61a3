// What a host's stored facts mean for the reader's question: am I safe, and if not, what do I do now?
import type { JobStatus } from "../../shared/job.ts";
import { skewInWords } from "./skew.ts";

/** ok: backed up lately · warn: look at it · bad: not backed up · run: a job is going · off: not connected. */
export type HostState = "ok" | "warn" | "bad" | "run" | "off";

export interface HostFacts {
  online: boolean;
  running: boolean;
  created_at: number;
  last_seen_at: number | null;
  restic_version: string | null;
  restic_problem: string | null;
  repository_ready_at: number | null;
  repository_job_failed: boolean;
  last_backup_at: number | null;
  last_backup_status: JobStatus | null;
  last_backup_warnings: number;
  last_backup_reason: string | null;
  last_success_at: number | null;
  /** What has been wrong with its repository's upkeep for long, whatever its backups say. */
  maintenance_problem: string | null;
  /** Another repository than before is at its address, and nobody has said yet which one is right. */
  repository_changed: boolean;
  /** Since when a reinstalled machine has it and nobody has said that its data is restored. */
  on_hold_since: number | null;
  /** How far its clock is ahead, in milliseconds. */
  clock_skew_ms: number | null;
  /** Since when two machines use its identity. */
  doubted_since: number | null;
  /** What its agent reports of itself. */
  agent_problems: string[];
}

export interface HostHealth {
  state: HostState;
  /** Empty when nothing is wrong; otherwise what is, the worst first. */
  problems: string[];
  /** 0 is fine; the higher, the more urgent. */
  urgency: number;
}

/** Without a schedule of its own to measure by, a host that was not backed up for this long needs somebody. */
export const STALE_HOURS = 26;
const HOUR = 3_600_000;
export const ON_HOLD =
  "joined again: schedules are paused and retention is on hold until you say that its data is restored";

export function healthOf(facts: HostFacts, now: number): HostHealth {
  const found = [...problemsOf(facts, now)].sort((a, b) => b.urgency - a.urgency);
  const urgency = found[0]?.urgency ?? 0;
  return {
    state: stateOf(facts, urgency),
    problems: found.map((problem) => problem.text),
    urgency,
  };
}

const BAD = 50;
/** From here on a problem needs a person; below it is worth knowing. */
export const NEEDS_SOMEBODY = 15;

function stateOf(facts: HostFacts, urgency: number): HostState {
  if (facts.doubted_since !== null) return "bad";
  if (facts.running) return "run";
  if (urgency >= BAD) return "bad";
  if (!facts.online) return "off";
  return urgency > 0 ? "warn" : "ok";
}

function* problemsOf(facts: HostFacts, now: number): Generator<{ text: string; urgency: number }> {
  if (facts.doubted_since !== null) {
    yield {
      text: "two machines use its identity: say on its page which one is right",
      urgency: 95,
    };
  }
  if (facts.online && !facts.restic_version) {
    yield { text: facts.restic_problem ?? "restic not found on this host", urgency: 90 };
  }
  if (facts.repository_job_failed && !facts.repository_ready_at) {
    yield { text: "its repository could not be made or opened", urgency: 80 };
  }
  const { last_backup_status: status, last_success_at: success } = facts;
  const failed = status === "failed" || status === "interrupted";
  const silent = now - (success ?? facts.created_at);
  if (silent > STALE_HOURS * HOUR) {
    const hours = Math.floor(silent / HOUR);
    const age = hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} days`;
    yield { text: `no ${success ? "" : "first "}backup for ${age}`, urgency: success ? 70 : 60 };
  }
  if (failed) yield { text: `last backup ${status}${tail(facts)}`, urgency: 65 };
  else if (status === "succeeded" && facts.last_backup_warnings > 0) {
    yield { text: `last backup succeeded with warnings${tail(facts)}`, urgency: 20 };
  }
  if (facts.repository_changed) {
    yield {
      text:
        "another repository than before is at its address: say on the repository's page which one is right",
      urgency: 45,
    };
  }
  if (facts.on_hold_since !== null) yield { text: ON_HOLD, urgency: 48 };
  const [reported, ...others] = facts.agent_problems;
  if (reported !== undefined) {
    const more = others.length > 0 ? ` (and ${others.length} more)` : "";
    yield { text: `its agent reports: ${cut(reported)}${more}`, urgency: 30 };
  }
  const skew = skewInWords(facts.clock_skew_ms);
  if (skew) yield { text: `its clock is ${skew}`, urgency: 30 };
  if (facts.maintenance_problem) yield { text: facts.maintenance_problem, urgency: 40 };
  if (!facts.online) {
    yield { text: facts.last_seen_at ? "offline" : "has not connected yet", urgency: 10 };
  } else if (!success && !failed && silent <= STALE_HOURS * HOUR) {
    yield { text: "not backed up yet", urgency: 15 };
  }
}

/** As much as a list of hosts has room for; the host's page has all of it. */
function cut(text: string): string {
  const end = text.replace(/\.$/, "");
  return end.length > 120 ? `${end.slice(0, 119).toWellFormed()}…` : end;
}

function tail(facts: HostFacts): string {
  return facts.last_backup_reason ? `: ${facts.last_backup_reason}` : "";
}
