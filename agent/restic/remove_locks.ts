// Removal of every lock, also of living ones: only for an order that names the locks which an admin has seen and the machine
// that holds them, and only while exactly such locks are there. The one place that may say --remove-all.
import type { OrderOf } from "../../shared/protocol.ts";
import type { JobContext } from "../jobs/context.ts";
import { listLocks, type LockList, reportLocks, stillThere } from "./lock_list.ts";
import { lockInWords } from "./lock_words.ts";
import { ended, failed, type Outcome } from "./outcome.ts";
import { runRestic } from "./run.ts";
import { removedInWords } from "./unlock.ts";

type RemoveAll = NonNullable<OrderOf<"unlock">["remove_all"]>;

export async function removeAllLocks(job: JobContext, confirmed: RemoveAll): Promise<Outcome> {
  // Right before: what came in between belongs to someone who works there now.
  const before = await listLocks(job);
  if (before.failure) return before.failure;
  reportLocks(job, before);
  const refusal = whyNot(before, confirmed);
  if (refusal) return failed("locks_changed", `${refusal} Nothing was removed.`, null);
  for (const lock of before.locks) job.lines.add("agent", `To be removed: ${lockInWords(lock)}.`);
  const { failure, exit } = await runRestic(job, {
    args: ["unlock", "--remove-all"],
    mayRemoveAll: true,
    wholeMs: job.timeouts.lookMs,
  });
  if (failure) return failure;
  const after = await listLocks(job);
  if (after.failure) return after.failure;
  reportLocks(job, after);
  if (after.ids.length > 0) return stillThere(after);
  const removed = removedInWords(before.locks, before.ids.length);
  return ended("succeeded", null, removed, exit.code);
}

/** Why it may not be done; undefined when it may. */
function whyNot(list: LockList, { hostname, locks }: RemoveAll): string | undefined {
  const other = list.locks.find((lock) => lock.hostname !== hostname);
  if (other) {
    return `Another machine than the one that was typed holds a lock: ${lockInWords(other)}.`;
  }
  const newer = list.ids.find((id) => !locks.includes(id));
  if (newer === undefined) return undefined;
  const lock = list.locks.find(({ id }) => id === newer);
  return `A lock has come since they were looked at: ${
    lock ? lockInWords(lock) : newer.slice(0, 8)
  }.`;
}
