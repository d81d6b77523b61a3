// What this machine still knows of the backups that made its snapshots: the reports that no server has acknowledged. While the server is
// gone these are all the newest ones.
import { join } from "node:path";
import type { JobFinished } from "../../shared/protocol.ts";
import { reportOf } from "../journal/entry.ts";
import { listSegments, readSegment } from "../journal/segment.ts";

/** How many warnings the backup of a snapshot had; undefined where that is not known here. */
export type KnownWarnings = (snapshotId: string) => number | undefined;

/** Reads the journal without touching it: an agent may be writing there. Never throws. */
export function readKnownWarnings(stateDir: string): KnownWarnings {
  const known = segmentsOf(stateDir).flatMap(endsIn).flatMap(({ summary, status, warnings }) =>
    summary?.snapshot_id
      // One that did not succeed left something out, whether it counted that or not.
      ? [{ id: summary.snapshot_id, warnings: status === "succeeded" ? warnings : warnings || 1 }]
      : []
  );
  // restic 0.14 says eight digits of the id.
  return (snapshotId) => known.findLast(({ id }) => snapshotId.startsWith(id))?.warnings;
}

function segmentsOf(stateDir: string): string[] {
  try {
    return listSegments(join(stateDir, "journal"));
  } catch {
    // There is none: nothing is known.
    return [];
  }
}

function endsIn(path: string): JobFinished[] {
  try {
    return readSegment(path).entries.filter(({ type }) => type === "job.finished")
      .map((entry) => reportOf(entry) as JobFinished);
  } catch {
    // The agent has removed it since, or it is damaged, which the agent says: what was in it is not known.
    return [];
  }
}
