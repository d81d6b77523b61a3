// How much the repository holds, and who holds a lock in it.
import { z } from "zod";
import type { RepositoryLock } from "../../shared/protocol.ts";
import { parseObject } from "./errors.ts";
import { ended, failed, type Outcome } from "./outcome.ts";
import { count } from "./progress.ts";
import { runRestic, type Task } from "./run.ts";

const LOCKS_READ = 20;

const Lock = z.object({
  time: z.string(),
  exclusive: z.boolean(),
  hostname: z.string(),
  username: z.string().optional(),
  pid: z.int().optional(),
});

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
      locks: await readLocks(task),
    },
  });
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

/** The locks of others: our own commands hold none while they list. */
async function readLocks(task: Task): Promise<RepositoryLock[]> {
  const ids: string[] = [];
  await runRestic(task, {
    args: ["list", "locks", "--no-lock"],
    wholeMs: task.limits.lookMs,
    onOut: (line) => /^[0-9a-f]{64}$/.test(line) && ids.push(line),
  });
  const locks: RepositoryLock[] = [];
  for (const id of ids.slice(0, LOCKS_READ)) {
    let text = "";
    await runRestic(task, {
      args: ["cat", "lock", id, "--no-lock"],
      wholeMs: task.limits.lookMs,
      onOut: (line) => text += line,
    });
    const lock = Lock.safeParse(parseObject(text));
    if (lock.success) locks.push(toLock(id, lock.data));
  }
  return locks;
}

function toLock(id: string, lock: z.infer<typeof Lock>): RepositoryLock {
  return {
    id,
    at: Math.max(0, Date.parse(lock.time) || 0),
    exclusive: lock.exclusive,
    hostname: lock.hostname.slice(0, 255),
    username: lock.username?.slice(0, 255) ?? null,
    pid: lock.pid ?? null,
  };
}
