// How much of what hosts say of snapshots is kept: so many of a host's list, so much of each, one unfinished list, and so many
// that nobody had heard of a day.
import { Buffer } from "node:buffer";
import { sql, type Transaction } from "kysely";
import type { Snapshot } from "../../shared/protocol.ts";
import type { Tables } from "../database/tables.ts";
import { auditCut, take } from "../quotas/day.ts";
import { noteKnown } from "../retention/claims.ts";
import type { Server } from "../server.ts";

const PATHS_BYTES = 8192;
const TAGS_BYTES = 4096;

/** The first of a list whose JSON is no longer than this. */
export function atMost<T>(list: T[], bytes: number): T[] {
  let left = bytes;
  const end = list.findIndex((each) => (left -= Buffer.byteLength(JSON.stringify(each)) + 1) < 0);
  return end < 0 ? list : list.slice(0, end);
}

/** As much of a snapshot's texts as is kept. */
export function textsOf({ tags, paths }: Pick<Snapshot, "tags" | "paths">) {
  return {
    tags: JSON.stringify(atMost(tags, TAGS_BYTES)),
    paths: JSON.stringify(atMost(paths, PATHS_BYTES)),
  };
}

/** A list that is being handed in. */
export interface OpenList {
  reportId: string;
  count: number;
  cut: number;
}

/** Lists that are being handed in, by host: counted here, since counting the rows again for each part takes longer. */
export class OpenLists {
  readonly #lists = new Map<string, OpenList>();

  get(key: string, reportId: string): OpenList | undefined {
    const list = this.#lists.get(key);
    return list?.reportId === reportId ? { ...list } : undefined;
  }

  set(key: string, list: OpenList): void {
    this.#lists.set(key, list);
  }

  delete(key: string): void {
    this.#lists.delete(key);
  }
}

/**
 * Remembers in which order snapshots were first heard of, as many as a host may make known a day. What is left out is heard of
 * with the next list.
 */
export async function noteNew(
  server: Server,
  tx: Transaction<Tables>,
  seen: { repositoryId: string; hostId: string; ids: string[]; most: number },
): Promise<void> {
  const { repositoryId, hostId, ids, most } = seen;
  const { rows } = await sql<{ id: string }>`select value as id from json_each(${
    JSON.stringify(ids)
  }) where not exists (select 1 from known_snapshots
      where repository_id = ${repositoryId} and snapshot_id = value)`.execute(tx);
  if (rows.length === 0) return;
  const got = await take(server, tx, {
    hostId,
    what: "new_snapshots",
    wanted: rows.length,
    most,
  });
  const known = rows.slice(0, got).map(({ id }) => id);
  if (known.length > 0) await noteKnown(tx, { repositoryId, hostId, at: server.now(), ids: known });
  if (got === rows.length) return;
  await auditCut(server, tx, {
    hostId,
    kind: "new_snapshots_per_day",
    what:
      `The lists of this host held more than ${most} new snapshots today (RM_SNAPSHOTS_PER_HOST): the rest is not counted yet.`,
  });
}

/** Rows of lists that were begun and never finished. Each range is found by the key alone. */
export async function dropUnfinished(
  tx: Transaction<Tables>,
  of: { table: "snapshots" | "repository_snapshots"; ownerId: string; keep: string[] },
): Promise<void> {
  const owner = sql.ref(of.table === "snapshots" ? "host_id" : "repository_id");
  const edges = [...new Set(of.keep)].sort();
  for (let n = 0; n <= edges.length; n++) {
    const after = n === 0 ? sql`` : sql`and report_id > ${edges[n - 1]}`;
    const before = n === edges.length ? sql`` : sql`and report_id < ${edges[n]}`;
    await sql`delete from ${sql.table(of.table)} where ${owner} = ${of.ownerId} ${after} ${before}`
      .execute(tx);
  }
}
