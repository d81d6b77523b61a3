// Who holds a lock in the repository, and the end of what a killed restic of this host left.
import { z } from "zod";
import type { RepositoryLock } from "../../shared/protocol.ts";
import { parseObject } from "./errors.ts";
import type { Outcome } from "./outcome.ts";
import { runRestic, type Task } from "./run.ts";
import { unlock } from "./unlock.ts";

const LOCKS_READ = 20;

const Lock = z.object({
  time: z.string(),
  exclusive: z.boolean(),
  hostname: z.string(),
  username: z.string().optional(),
  pid: z.int().optional(),
});

const TRIES = 3;
const PAUSE_MS = 1000;
const STILL_THERE =
  "A lock of this host is still there: its process lives, or another one has got its number. It is tried again before the next job that writes.";

/**
 * Plain `unlock`, until no lock of this host is left. restic takes a lock as alive as long as there is a process with its
 * number: Windows keeps the number of one that was killed for a moment, and any system may give it to another process.
 */
export async function removeLocksOfDead(
  task: Task,
  evenWhenStopped = false,
): Promise<{ outcome: Outcome; isClear: boolean }> {
  for (let tries = 1;; tries++) {
    const outcome = await unlock(task, evenWhenStopped);
    if (outcome.status !== "succeeded") return { outcome, isClear: false };
    const locks = await readLocks(task, evenWhenStopped);
    const isClear = locks?.every(({ hostname }) => hostname !== Deno.hostname()) ?? false;
    if (isClear || tries === TRIES) {
      if (!isClear) task.lines.add("agent", STILL_THERE);
      return { outcome, isClear };
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

/** The commands that list hold no lock themselves. undefined when the list cannot be had. */
export async function readLocks(
  task: Task,
  evenWhenStopped = false,
): Promise<RepositoryLock[] | undefined> {
  const ids: string[] = [];
  const list = await runRestic(task, {
    args: ["list", "locks", "--no-lock"],
    wholeMs: task.limits.lookMs,
    evenWhenStopped,
    onOut: (line) => /^[0-9a-f]{64}$/.test(line) && ids.push(line),
  });
  if (list.failure) return undefined;
  const locks: RepositoryLock[] = [];
  for (const id of ids.slice(0, LOCKS_READ)) {
    let text = "";
    await runRestic(task, {
      args: ["cat", "lock", id, "--no-lock"],
      wholeMs: task.limits.lookMs,
      evenWhenStopped,
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
