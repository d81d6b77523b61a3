// The mark that everything which a job starts has in its environment and hands on to what it starts itself: it stays, however a
// process detaches itself, and it is found also where the ledger was lost.
import { createHash } from "node:crypto";

export const MARK = "RM_PROCESS_MARK";
/** What started it. */
export const PHASES = ["pre", "post", "restic"] as const;
export type Phase = typeof PHASES[number];

/** Of this state folder on this machine: two agents on one machine must not end each other's processes. */
export function folderKey(stateDir: string): string {
  let place = stateDir;
  try {
    const { dev, ino } = Deno.statSync(stateDir);
    place = `${dev}:${ino}`;
  } catch {
    // Its path has to do.
  }
  return createHash("sha256").update(place).digest("hex").slice(0, 16);
}

/** For the environment of a hook or of restic. */
export function markOf(stateDir: string, jobId: string, phase: Phase): Record<string, string> {
  if (Deno.build.os === "windows") return {};
  return { [MARK]: `${folderKey(stateDir)}.${jobId}.${phase}` };
}
