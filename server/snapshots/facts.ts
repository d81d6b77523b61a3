// What is known of a snapshot beside its list: the job that made it, and whether retention counts it.
import type { Server } from "../server.ts";
import type { FoundSnapshot } from "./get.ts";

export interface SnapshotFacts {
  job: { id: string; warnings: number; seconds: number | null } | null;
  /** A job of ours made it, and a person has not said yet that it is right. */
  withheld: boolean;
}

/** The job is one of the host in whose list the snapshot is: others say of it what they like. */
export async function snapshotFacts(
  { db }: Server,
  { id, source, repository_id }: FoundSnapshot,
): Promise<SnapshotFacts> {
  const job = source && await db.selectFrom("jobs")
    .select(["id", "warnings", "started_at", "finished_at"])
    .where("snapshot_id", "=", id).where("host_id", "=", source.id)
    .where("repository_id", "=", repository_id).executeTakeFirst();
  const withheld = await db.selectFrom("snapshot_claims").select("number")
    .where("repository_id", "=", repository_id).where("snapshot_id", "=", id)
    .where("confirmed", "=", 1).where("withheld", "=", 1).executeTakeFirst();
  return {
    job: job
      ? {
        id: job.id,
        warnings: job.warnings,
        seconds: job.started_at === null || job.finished_at === null
          ? null
          : Math.max(0, job.finished_at - job.started_at) / 1000,
      }
      : null,
    withheld: withheld !== undefined,
  };
}
