// Which locks are in the repository, and whose.
import type { RunContext } from "./context.ts";
import type { JobContext } from "../jobs/context.ts";
import { z } from "zod";
import type { RepositoryLock } from "../../shared/protocol.ts";
import { parseObject } from "./errors.ts";
import { lockInWords, plural } from "./lock_words.ts";
import { failed, type Outcome } from "./outcome.ts";
import { runRestic } from "./run.ts";

const LOCKS_READ = 20;

const Lock = z.object({
  time: z.string(),
  exclusive: z.boolean(),
  hostname: z.string(),
  username: z.string().optional(),
  pid: z.int().optional(),
});

export interface LockList {
  failure?: undefined;
  ids: string[];
  /** Those that could be read, at most 20. */
  locks: RepositoryLock[];
}

/** The commands that list hold no lock themselves. */
export async function listLocks(
  context: RunContext,
  evenWhenStopped = false,
): Promise<LockList | { failure: Outcome }> {
  const ids: string[] = [];
  const list = await runRestic(context, {
    args: ["list", "locks", "--no-lock"],
    wholeMs: context.timeouts.lookMs,
    evenWhenStopped,
    onOut: (line) => /^[0-9a-f]{64}$/.test(line) && ids.push(line),
  });
  if (list.failure) return { failure: list.failure };
  const locks: RepositoryLock[] = [];
  for (const id of ids.slice(0, LOCKS_READ)) {
    let text = "";
    await runRestic(context, {
      args: ["cat", "lock", id, "--no-lock"],
      wholeMs: context.timeouts.lookMs,
      evenWhenStopped,
      onOut: (line) => text += line,
    });
    const lock = Lock.safeParse(parseObject(text));
    if (lock.success) locks.push(toLock(id, lock.data));
  }
  return { ids, locks };
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

export function reportLocks(job: JobContext, { locks }: LockList): void {
  const { order, repository } = job;
  job.report({ type: "repo.locks", job_id: order.job_id, repository_id: repository.id, locks });
}

/** The end of a job that leaves locks: whose they are and how old. */
export function stillThere({ ids, locks }: LockList): Outcome {
  const named = locks.slice(0, 5).map((lock) => lockInWords(lock));
  const more = ids.length - named.length;
  const rest = more > 0 && named.length > 0 ? `; and ${more} more` : "";
  const what = named.length > 0 ? `${named.join("; ")}${rest}` : "they could not be read";
  return failed("locked", `${plural(ids.length, "lock")} left: ${what}.`, null);
}
