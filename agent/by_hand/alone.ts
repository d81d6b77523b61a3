// One restore by hand at a time on a machine: two would write into one folder, and the first to end would open it while the other one
// still writes there as root. restic of one that was killed is ended before the next begins.
import { join } from "node:path";
import { findMarkedNow } from "../jobs/marked.ts";
import { untilDead } from "../jobs/orphans.ts";
import { AlreadyRunning, holdFile } from "../single.ts";

export const BY_HAND_LOCK = "restore_by_hand.lock";

/**
 * What the restic of a restore by hand is recognised by. Not the state folder, as with jobs: an agent that starts ends what an earlier
 * agent left there. A path at which there is never anything, so that it is the same before the lock was made and after.
 */
export function markedAs(stateDir: string): string {
  let folder = stateDir;
  try {
    folder = Deno.realPathSync(stateDir);
  } catch {
    // It is not there: nor is anything that was marked.
  }
  return join(folder, "restore by hand");
}

/** Holds it until it is disposed or the process ends, however it ends. Throws AlreadyRunning. */
export async function holdByHand(
  stateDir: string,
  isOver: () => boolean,
): Promise<{ ended: number } & Disposable> {
  const held = holdFile(stateDir, BY_HAND_LOCK);
  if (!held) {
    throw new AlreadyRunning(
      `Another restore by hand is running on this machine (it holds ${
        join(stateDir, BY_HAND_LOCK)
      }).`,
    );
  }
  const left = findMarkedNow(markedAs(stateDir));
  for (const { pid } of left) kill(pid);
  for (const { pid, name } of left) await untilDead({ pid, path: name, verb: "" }, isOver);
  return { ended: left.length, [Symbol.dispose]: () => held[Symbol.dispose]() };
}

function kill(pid: number): void {
  try {
    Deno.kill(pid, "SIGKILL");
  } catch {
    // It has ended meanwhile.
  }
}
