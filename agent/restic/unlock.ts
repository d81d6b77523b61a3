// Plain unlock: removes only locks whose holder is provably dead.
import type { RunContext } from "./context.ts";
import type { JobContext } from "../jobs/context.ts";
import type { RepositoryLock } from "../../shared/protocol.ts";
import { listLocks, reportLocks, stillThere } from "./lock_list.ts";
import { ended, type Outcome } from "./outcome.ts";
import { runRestic } from "./run.ts";
import { lockInWords, plural } from "./lock_words.ts";

export async function unlock(context: RunContext, evenWhenStopped = false): Promise<Outcome> {
  const wholeMs = context.limits.lookMs;
  const run = await runRestic(context, { args: ["unlock"], wholeMs, evenWhenStopped });
  return run.failure ?? ended("succeeded", null, null, run.exit.code);
}

/** The job: says what it removed, and fails with whose locks it left. */
export async function unlockJob(job: JobContext): Promise<Outcome> {
  const before = await listLocks(job);
  if (before.failure) return before.failure;
  const outcome = await unlock(job);
  if (outcome.status !== "succeeded") return outcome;
  const after = await listLocks(job);
  if (after.failure) return after.failure;
  reportLocks(job, after);
  const left = new Set(after.ids);
  const removed = before.locks.filter(({ id }) => !left.has(id));
  for (const lock of removed) job.lines.add("agent", `Removed: ${lockInWords(lock)}.`);
  if (after.ids.length > 0) return stillThere(after);
  return { ...outcome, reason: removedInWords(removed, before.ids.length) };
}

/** "Removed 2 locks: …", or that there was none. */
export function removedInWords(removed: RepositoryLock[], count: number): string {
  if (count === 0) return "There was no lock.";
  const named = removed.slice(0, 5).map((lock) => lockInWords(lock)).join("; ");
  return `Removed ${plural(count, "lock")}${named ? `: ${named}` : ""}.`;
}
