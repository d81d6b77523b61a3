// Whether a scheduled run that failed is tried again, and when.
import type { Origin } from "../../shared/protocol.ts";
import type { Agent } from "../agent.ts";
import type { Outcome } from "../restic/outcome.ts";

/** What may be gone in a while. A wrong password is not, nor a certificate, a host key or another program at that address. */
const PASSING = new Set([
  "locked",
  "unreachable",
  "unknown_name",
  "restic_failed",
  "killed",
  "not_verified",
  "pre_hook_failed",
]);
const LONGEST_WAIT_MS = 24 * 3_600_000;

export interface Retry {
  origin: Origin;
  dueAt: number;
  /** For the log of the run that failed. */
  sentence: string;
}

/** The next try, or undefined when there is none. */
export function retryOf(
  agent: Agent,
  origin: Origin | undefined,
  outcome: Outcome,
): Retry | undefined {
  if (!origin || outcome.status !== "failed" || !PASSING.has(outcome.reason_code ?? "")) {
    return undefined;
  }
  const group = agent.plan.schedule?.source_groups.find(({ id }) => id === origin.source_group_id);
  const tries = (group?.retry_max ?? 0) + 1;
  if (!group || origin.attempt >= tries) return undefined;
  const wait = Math.min(
    group.retry_backoff_seconds * 1000 * 2 ** (origin.attempt - 1),
    LONGEST_WAIT_MS,
  );
  const dueAt = agent.timers.now + wait;
  const at = new Date(dueAt).toISOString().slice(0, 19).replace("T", " ");
  return {
    origin: { ...origin, attempt: origin.attempt + 1 },
    dueAt,
    sentence: `This was try ${origin.attempt} of ${tries}; the next begins at ${at} UTC.`,
  };
}
