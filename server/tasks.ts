// Everything that happens by the clock, in one table.
import { CLOSE, OFFLINE_AFTER_SECONDS } from "../shared/protocol.ts";
import { closeQuietly } from "./connected_agents.ts";
import { followClock, storeClock } from "./follow_clock.ts";
import { cleanUpRemovedHosts } from "./hosts/clean_up.ts";
import { dispatchAll } from "./jobs/dispatch.ts";
import { endLeasesOfGone, endLostJobs } from "./jobs/reconcile.ts";
import { removeOldLines } from "./jobs/remove_old_lines.ts";
import { endTooLongWaits } from "./jobs/wait.ts";
import { startDueMaintenance } from "./maintenance/due.ts";
import { sweepPendingHosts } from "./pending_hosts/sweep.ts";
import { forgetOldDays } from "./quotas/day.ts";
import type { Server } from "./server.ts";
import { sweepGuesses } from "./users/guesses.ts";
import { removeExpiredSessions } from "./users/sessions.ts";
import { onDisconnect } from "./hosts/hello.ts";
import { noteLastSeen } from "./hosts/note_last_seen.ts";
import { removeOldEnrolmentTokens } from "./enrolment/remove_old.ts";

export interface Task {
  name: string;
  everySeconds: number;
  run(server: Server): Promise<void>;
}

const TASKS: Task[] = [
  {
    name: "follow the machine's clock",
    everySeconds: 1,
    run: async (s) => void await followClock(s),
  },
  { name: "note what the clock says", everySeconds: 10, run: storeClock },
  { name: "close silent agents", everySeconds: 10, run: closeSilentAgents },
  { name: "note when agents were heard", everySeconds: 60, run: noteLastSeen },
  { name: "end lost jobs", everySeconds: 60, run: endLostJobs },
  { name: "end leases of what is gone", everySeconds: 60, run: endLeasesOfGone },
  { name: "send jobs that have waited long enough", everySeconds: 60, run: dispatchAll },
  { name: "start due maintenance", everySeconds: 30, run: startDueMaintenance },
  { name: "end jobs that wait too long", everySeconds: 60, run: endTooLongWaits },
  { name: "probe the database", everySeconds: 5, run: probeStorage },
  { name: "tend the reserve of the disk", everySeconds: 5, run: ({ disk }) => disk.tend() },
  { name: "remove what removed hosts left", everySeconds: 10, run: cleanUpRemovedHosts },
  { name: "remove old lines", everySeconds: 60, run: removeOldLines },
  { name: "forget quotas of old days", everySeconds: 3600, run: forgetOldDays },
  { name: "remove expired pending hosts", everySeconds: 60, run: sweepPendingHosts },
  { name: "remove expired sessions", everySeconds: 3600, run: removeExpiredSessions },
  { name: "remove old guesses of passwords", everySeconds: 600, run: sweepGuesses },
  { name: "hold the audit against its head", everySeconds: 60, run: ({ audit }) => audit.check() },
  { name: "remove old enrolment tokens", everySeconds: 3600, run: removeOldEnrolmentTokens },
];

/** A run that has not ended by then is waited for no longer, so that what hangs once does not stay undone for good. */
const LONGEST_MS = 600_000;

/** Runs each task at its pace until the server closes. A task that fails is logged and tried again. */
export function startTasks(server: Server, tasks = TASKS, longestMs = LONGEST_MS): void {
  for (const task of tasks) {
    let begun: number | undefined;
    const run = async () => {
      const mine = begun = performance.now();
      try {
        await task.run(server);
      } catch (error) {
        // What the storage does is in the log once, not once per task.
        const level = server.storage.asAppError(error) ? "debug" : "error";
        server.log[level](`task ${task.name}: ${error}`);
      } finally {
        if (begun === mine) begun = undefined;
      }
    };
    const timer = setInterval(() => {
      if (begun !== undefined && performance.now() - begun < longestMs) return;
      if (begun !== undefined) server.log.error(`task ${task.name}: it hangs; started anew`);
      run();
    }, task.everySeconds * 1000);
    server.closing.addEventListener("abort", () => clearInterval(timer), { once: true });
  }
}

/** So that a lock or a disk that fails shows before someone wants to save something. */
async function probeStorage({ storage }: Server): Promise<void> {
  await storage.isWritable(1000);
}

/** A peer that vanished without a word keeps its socket open for minutes: close() alone does not free it. */
export async function closeSilentAgents(server: Server): Promise<void> {
  for (const agent of server.agents) {
    if (server.clock.ran() - agent.heardRan < OFFLINE_AFTER_SECONDS * 1000) continue;
    closeQuietly(agent.socket, CLOSE.silent, `nothing was heard for ${OFFLINE_AFTER_SECONDS} s`);
    await onDisconnect(server, agent);
  }
}
