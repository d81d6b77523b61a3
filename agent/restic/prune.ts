import type { JobContext } from "../jobs/context.ts";
import { ended, failed, type Outcome } from "./outcome.ts";
import { capArguments, runRestic } from "./run.ts";
import { stats } from "./stats.ts";

/** Removes data that no snapshot needs any more; then tells the repository's new size. */
export async function prune(job: JobContext): Promise<Outcome> {
  if (!job.order.admin_access) {
    return failed(
      "no_admin_credential",
      "Prune needs the admin credential of the repository.",
      null,
    );
  }
  const run = await runRestic(job, { args: ["prune", ...capArguments(job)] });
  if (run.failure) return run.failure;
  await stats(job);
  return ended("succeeded", null, null, run.exit.code);
}
