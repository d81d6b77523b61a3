// Plain unlock: removes only locks whose holder is provably dead. `--remove-all` is never used here.
import { ended, type Outcome } from "./outcome.ts";
import { runRestic, type Task } from "./run.ts";

export async function unlock(task: Task): Promise<Outcome> {
  const run = await runRestic(task, { args: ["unlock"], wholeMs: task.limits.lookMs });
  return run.failure ?? ended("succeeded", null, null, run.exit.code);
}
