// A repository that is locked is waited for: another host backs up, or forget, prune or check is at work. A lock whose
// holder is dead goes by plain `unlock`.
import type { JobContext } from "../jobs/context.ts";
import type { Outcome } from "./outcome.ts";
import { unlock } from "./unlock.ts";

/** Does the work again while the repository is locked, as long as the limit allows. */
export async function whenUnlocked(
  job: JobContext,
  work: () => Promise<Outcome>,
): Promise<Outcome> {
  const { lockWaitMs, lockRetryMs } = job.timeouts;
  const until = performance.now() + lockWaitMs;
  for (let tries = 1;; tries++) {
    const outcome = await work();
    if (outcome.reason_code !== "locked" || job.control.stopped) return outcome;
    // Removes what restic itself calls stale: its process is gone, or it is older than half an hour.
    if (tries === 1) {
      await unlock(job);
      continue;
    }
    if (performance.now() + lockRetryMs > until) return outcome;
    job.lines.add(
      "agent",
      `${outcome.reason} Trying again in ${Math.round(lockRetryMs / 1000)} s.`,
    );
    await job.control.pause(lockRetryMs);
  }
}
