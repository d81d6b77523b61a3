// The snapshot with which another one is compared when nobody says with which: the one that restic took as its parent, else the one before it with
// its host name and tags (without tags: its paths) in the same list.
import { sql } from "kysely";
import type { Server } from "../server.ts";
import type { FoundSnapshot } from "./get.ts";
import { beforesOf } from "./marks.ts";

/** Its id; undefined where no list in force has one. */
export async function snapshotBefore(
  { db }: Pick<Server, "db">,
  { id, repository_id, source }: FoundSnapshot,
): Promise<string | undefined> {
  const host = source?.id ?? null;
  const { rows: [parent] } = await sql<{ id: string }>`
    select parent.id from hosts join snapshots as s on s.host_id = hosts.id and s.report_id = hosts.snapshots_report_id
      join snapshots as parent on parent.host_id = s.host_id and parent.report_id = s.report_id and parent.id = s.parent
    where hosts.id = ${host} and s.id = ${id}`.execute(db);
  if (parent) return parent.id;
  const keys = JSON.stringify([{ n: 0, id, repository: repository_id, host }]);
  return (await beforesOf(db, keys)).get(0)?.id;
}
