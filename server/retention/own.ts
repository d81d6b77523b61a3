// The snapshots that a policy is worked out over.
import type { Db } from "../database/open.ts";
import type { Transaction } from "kysely";
import type { Tables } from "../database/tables.ts";
import { pinnedAmong } from "./pins.ts";

export interface OwnSnapshot {
  /** Of its claim: of two of one moment, the later claim is the newer snapshot. */
  number: number;
  id: string;
  time: number;
  hostname: string;
  /** JSON, as the list has them. */
  tags: string;
  isGood: boolean;
  wasKept: boolean;
  isAdopted: boolean;
  isPinned: boolean;
}

/** Of a group in a repository, the newest first: confirmed, there, not withheld, and claimed once. */
export async function ownSnapshots(
  db: Db | Transaction<Tables>,
  groupId: string,
  repositoryId: string,
): Promise<OwnSnapshot[]> {
  const rows = await db.selectFrom("snapshot_claims as claim").selectAll("claim")
    .where("claim.source_group_id", "=", groupId).where("claim.repository_id", "=", repositoryId)
    .where("confirmed", "=", 1).where("withheld", "=", 0).where("listed", "=", 1)
    .where(({ not, exists, selectFrom }) =>
      not(exists(
        selectFrom("snapshot_claims as other").select("other.number")
          .whereRef("other.repository_id", "=", "claim.repository_id")
          .whereRef("other.snapshot_id", "=", "claim.snapshot_id")
          .whereRef("other.number", "!=", "claim.number").where("other.confirmed", "=", 1),
      ))
    ).orderBy("claim.time", "desc").orderBy("claim.number", "desc").execute();
  const pinned = await pinnedAmong(db, repositoryId, rows.map((row) => row.snapshot_id));
  return rows.map((row) => ({
    number: row.number,
    id: row.snapshot_id,
    time: row.time,
    hostname: row.hostname ?? "",
    tags: row.tags ?? "[]",
    isGood: row.good === 1,
    wasKept: row.kept === 1,
    isAdopted: row.job_id === null,
    isPinned: pinned.has(row.snapshot_id),
  }));
}
