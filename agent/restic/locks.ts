// The end of what a killed restic of this host left, and the list of locks for a repository's health.
import type { RunContext } from "./context.ts";
import type { RepositoryLock } from "../../shared/protocol.ts";
import { listLocks } from "./lock_list.ts";
import type { Outcome } from "./outcome.ts";
import { unlock } from "./unlock.ts";

const TRIES = 3;
const PAUSE_MS = 1000;
const STILL_THERE =
  "A lock of this host is still there: its process lives, or another one has got its number. It is tried again before the next job that writes.";

/**
 * Plain `unlock`, until no lock of this host is left. restic takes a lock as alive as long as there is a process with its
 * number: Windows keeps the number of one that was killed for a moment, and any system may give it to another process.
 */
export async function removeLocksOfDead(
  context: RunContext,
  evenWhenStopped = false,
): Promise<{ outcome: Outcome; isClear: boolean }> {
  for (let tries = 1;; tries++) {
    const outcome = await unlock(context, evenWhenStopped);
    if (outcome.status !== "succeeded") return { outcome, isClear: false };
    const locks = await readLocks(context, evenWhenStopped);
    const isClear = locks?.every(({ hostname }) => hostname !== Deno.hostname()) ?? false;
    if (isClear || tries === TRIES) {
      if (!isClear) context.lines.add("agent", STILL_THERE);
      return { outcome, isClear };
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

/** undefined when the list cannot be had. */
export async function readLocks(
  context: RunContext,
  evenWhenStopped = false,
): Promise<RepositoryLock[] | undefined> {
  const list = await listLocks(context, evenWhenStopped);
  return list.failure ? undefined : list.locks;
}
