// Plain unlock: removes only locks whose holder is provably dead. `--remove-all` is never used here.
import { ended, type Outcome } from "./outcome.ts";
import { runRestic, type Task } from "./run.ts";

export async function unlock(task: Task, evenWhenStopped = false): Promise<Outcome> {
  const wholeMs = task.limits.lookMs;
  const run = await runRestic(task, { args: ["unlock"], wholeMs, evenWhenStopped });
  return run.failure ?? ended("succeeded", null, null, run.exit.code);
}
