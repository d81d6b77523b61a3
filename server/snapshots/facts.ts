// What is known of a snapshot beside its list: the job that made it, whether it is whole, pinned, and counted by retention.
import type { SnapshotPin } from "../../shared/shapes/snapshot.ts";
import type { Server } from "../server.ts";
import type { FoundSnapshot } from "./get.ts";
import { type Marks, marksOf } from "./marks.ts";

export interface SnapshotFacts
  extends Pick<Marks, "incomplete" | "much_smaller" | "before" | "files" | "bytes"> {
  job: { id: string; warnings: number; seconds: number | null } | null;
  /** A job of ours made it, and a person has not said yet that it is right. */
  withheld: boolean;
  pin: SnapshotPin | null;
}

/** The job is one of the host in whose list the snapshot is: others say of it what they like. */
export async function snapshotFacts(
  { db }: Server,
  snapshot: FoundSnapshot,
): Promise<SnapshotFacts> {
  const [marks] = await marksOf(db, [{ ...snapshot, host_id: snapshot.source?.id ?? null }]);
  const { job_id, seconds, warnings, withheld, pin, incomplete, much_smaller, before } = marks!;
  return {
    job: job_id === null ? null : { id: job_id, warnings: warnings ?? 0, seconds },
    withheld,
    pin,
    incomplete,
    much_smaller,
    before,
    files: marks!.files,
    bytes: marks!.bytes,
  };
}
