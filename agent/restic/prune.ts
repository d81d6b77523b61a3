import type { AgentKind } from "../jobs/kind.ts";
import { whenUnlocked } from "./locked.ts";
import { onSameRepository } from "./repository_id.ts";
import type { JobContextOf } from "../jobs/context.ts";
import { ended, failed, type Outcome } from "./outcome.ts";
import { capArguments, runRestic } from "./run.ts";
import { measure } from "./stats.ts";

export const prune: AgentKind<"prune"> = {
  run: (job) => onSameRepository(job, () => whenUnlocked(job, () => removeData(job))),
};

/** Removes data that no snapshot needs any more; then tells the repository's new size. */
async function removeData(job: JobContextOf<"prune">): Promise<Outcome> {
  if (!job.order.admin_access) {
    return failed(
      "no_admin_credential",
      "Prune needs the admin credential of the repository.",
      null,
    );
  }
  const run = await runRestic(job, { args: ["prune", ...capArguments(job)] });
  if (run.failure) return run.failure;
  await measure(job);
  return ended("succeeded", null, null, run.exit.code);
}
