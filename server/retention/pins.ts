// Snapshots that a person pinned: rows of ours, which no list and no agent changes. A pin belongs to a repository and an id, and holds for
// each repository here that is the same place: one address, or one id that restic gave it. That an agent lies about such an id can
// only keep more.
import { type RawBuilder, sql, type Transaction } from "kysely";
import type { Db } from "../database/open.ts";
import type { Tables } from "../database/tables.ts";
import type { ForgetOrder } from "../../shared/job_kinds/forget.ts";
import type { SnapshotPin } from "../../shared/shapes/snapshot.ts";

type Reader = Db | Transaction<Tables>;

/** The ids of the repositories that are the same place as this one, itself among them: a query of one column. */
export function samePlaces(repositoryId: string | RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`(select other.id from repositories as own
      join repositories as other on other.url_normalised = own.url_normalised
      where own.id = ${repositoryId}
    union select other.repository_id from repository_ids as own
      join repository_ids as other on other.restic_id = own.restic_id
      where own.repository_id = ${repositoryId})`;
}

/** Which of these ids are pinned there. */
export async function pinnedAmong(
  db: Reader,
  repositoryId: string,
  ids: string[],
): Promise<Set<string>> {
  if (ids.length === 0) return new Set();
  const { rows } = await sql<{ id: string }>`select snapshot_id as id from snapshot_pins
    where repository_id in ${samePlaces(repositoryId)}
      and snapshot_id in (select value from json_each(${JSON.stringify(ids)}))`.execute(db);
  return new Set(rows.map(({ id }) => id));
}

/** Who pinned it, when and why; null when nobody has. */
export async function findPin(
  db: Reader,
  { repository_id, id }: { repository_id: string; id: string },
): Promise<SnapshotPin | null> {
  const row = await db.selectFrom("snapshot_pins")
    .select(["pinned_by as by", "pinned_at as at", "reason"])
    .where("snapshot_id", "=", id)
    .where(sql<boolean>`repository_id in ${samePlaces(repository_id)}`)
    .orderBy("pinned_at").limit(1).executeTakeFirst();
  return row ?? null;
}

/** The orders without what is pinned: the last look before they are sent, whoever named the ids. */
export async function withoutPinned(
  tx: Reader,
  repositoryId: string,
  orders: ForgetOrder[],
): Promise<ForgetOrder[]> {
  const pinned = await pinnedAmong(tx, repositoryId, removedBy(orders));
  if (pinned.size === 0) return orders;
  return orders.map((order) => ({
    ...order,
    snapshots: order.snapshots.map((place) => ({
      ...place,
      remove: place.remove.filter((id) => !pinned.has(id)),
    })),
  }));
}

/** The ids that the orders remove. */
export function removedBy(orders: ForgetOrder[]): string[] {
  return orders.flatMap(({ snapshots }) => snapshots.flatMap(({ remove }) => remove));
}

/** The forget whose order removes it and that has not ended, also one that is only on its way: a pin comes too late for it. */
export async function forgetUnderWay(
  db: Reader,
  { repository_id, id }: { repository_id: string; id: string },
): Promise<string | undefined> {
  const row = await db.selectFrom("forget_removals as removal")
    .innerJoin("jobs", "jobs.id", "removal.job_id").select("jobs.id")
    .where("removal.snapshot_id", "=", id)
    .where(sql<boolean>`removal.repository_id in ${samePlaces(repository_id)}`)
    .where("jobs.status", "in", ["queued", "running"]).executeTakeFirst();
  return row?.id;
}
