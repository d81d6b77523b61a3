// Plain unlock: removes only locks whose holder is provably dead.
import type { RunContext } from "./context.ts";
import type { RepositoryLock } from "../../shared/protocol.ts";
import { ended, type Outcome } from "./outcome.ts";
import { runRestic } from "./run.ts";
import { lockInWords, plural } from "./lock_words.ts";

export async function unlock(context: RunContext, evenWhenStopped = false): Promise<Outcome> {
  const wholeMs = context.timeouts.lookMs;
  const run = await runRestic(context, { args: ["unlock"], wholeMs, evenWhenStopped });
  return run.failure ?? ended("succeeded", null, null, run.exit.code);
}

/** "Removed 2 locks: …", or that there was none. */
export function removedInWords(removed: RepositoryLock[], count: number): string {
  if (count === 0) return "There was no lock.";
  const named = removed.slice(0, 5).map((lock) => lockInWords(lock)).join("; ");
  return `Removed ${plural(count, "lock")}${named ? `: ${named}` : ""}.`;
}
