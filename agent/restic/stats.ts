// How much the repository holds.
import { parseObject } from "./errors.ts";
import { ended, failed, type Outcome } from "./outcome.ts";
import { count } from "./progress.ts";
import { runRestic, type Task } from "./run.ts";

export async function stats(task: Task): Promise<Outcome> {
  let answer: Record<string, unknown> | undefined;
  const run = await runRestic(task, {
    args: ["stats", "--mode", "raw-data", "--json"],
    onOut: (line) => {
      const value = line.startsWith("{") ? parseObject(line) : undefined;
      if (value && "total_size" in value) answer = value;
      else task.lines.add("stdout", line);
    },
  });
  if (run.failure) return run.failure;
  if (!answer) return failed("no_stats", "restic ended without telling the sizes.", run.exit.code);
  const total_size = count(answer.total_size);
  task.lines.add("stdout", `${total_size} bytes in the repository`);
  task.report({
    type: "repo.stats",
    job_id: task.order.job_id,
    repository_id: task.repository.id,
    stats: {
      total_size,
      total_file_count: count(answer.total_file_count),
      snapshots_count: count(answer.snapshots_count),
    },
  });
  return ended("succeeded", null, null, run.exit.code);
}
