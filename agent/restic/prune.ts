import { ended, failed, type Outcome } from "./outcome.ts";
import { capArguments, runRestic, type Task } from "./run.ts";
import { stats } from "./stats.ts";

/** Removes data that no snapshot needs any more; then tells the repository's new size. */
export async function prune(task: Task): Promise<Outcome> {
  if (!task.order.admin_access) {
    return failed(
      "no_admin_credential",
      "Prune needs the admin credential of the repository.",
      null,
    );
  }
  const run = await runRestic(task, { args: ["prune", ...capArguments(task)] });
  if (run.failure) return run.failure;
  await stats(task);
  return ended("succeeded", null, null, run.exit.code);
}
