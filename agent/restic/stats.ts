// How much the repository holds, and who holds a lock in it.
import { parseObject } from "./errors.ts";
import { readLocks } from "./locks.ts";
import { ended, failed, type Outcome } from "./outcome.ts";
import { count } from "./progress.ts";
import { runRestic, type Task } from "./run.ts";
import { listWhole, reportWhole } from "./snapshots.ts";

export async function stats(task: Task): Promise<Outcome> {
  const raw = await sizes(task, "raw-data");
  if (raw.failure) return raw.failure;
  const restored = await sizes(task, "restore-size");
  const total_size = count(raw.answer.total_size);
  task.lines.add("stdout", `${total_size} bytes in the repository`);
  task.report({
    type: "repo.stats",
    job_id: task.order.job_id,
    repository_id: task.repository.id,
    stats: {
      total_size,
      total_file_count: count(raw.answer.total_file_count),
      snapshots_count: count(raw.answer.snapshots_count),
      ...(restored.failure ? {} : { restore_size: count(restored.answer.total_size) }),
      locks: await readLocks(task) ?? [],
    },
  });
  const whole = await listWhole(task);
  if (!whole.failure) reportWhole(task, whole.snapshots);
  return ended("succeeded", null, null, 0);
}

type Sizes =
  | { answer: Record<string, unknown>; failure?: undefined }
  | { answer?: undefined; failure: Outcome };

async function sizes(task: Task, mode: string): Promise<Sizes> {
  let answer: Record<string, unknown> | undefined;
  const run = await runRestic(task, {
    args: ["stats", "--mode", mode, "--json"],
    onOut: (line) => {
      const value = line.startsWith("{") ? parseObject(line) : undefined;
      if (value && "total_size" in value) answer = value;
      else task.lines.add("stdout", line);
    },
  });
  if (run.failure) return { failure: run.failure };
  if (answer) return { answer };
  const reason = "restic ended without telling the sizes.";
  return { failure: failed("no_stats", reason, run.exit.code) };
}
