// The job that removes locks: of dead processes, or all that an admin has seen.
import type { AgentKind } from "../jobs/kind.ts";
import { removeAllLocks } from "./remove_locks.ts";
import { removedInWords, unlock as removeLocks } from "./unlock.ts";
import type { JobContextOf } from "../jobs/context.ts";
import { listLocks, reportLocks, stillThere } from "./lock_list.ts";
import type { Outcome } from "./outcome.ts";
import { lockInWords } from "./lock_words.ts";

export const unlock: AgentKind<"unlock"> = {
  run: (job) => job.order.remove_all ? removeAllLocks(job, job.order.remove_all) : removeStale(job),
};

/** Says what it removed, and fails with whose locks it left. */
async function removeStale(job: JobContextOf<"unlock">): Promise<Outcome> {
  const before = await listLocks(job);
  if (before.failure) return before.failure;
  const outcome = await removeLocks(job);
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
