// What a removed host leaves behind: its jobs with their lines, and its snapshots. The host itself is gone at once for everybody;
// these rows stay without a host, which no page and no report finds, and go in steps that nobody feels, also after a restart.
import { sql, type Transaction } from "kysely";
import type { Tables } from "../database/tables.ts";
import { ROWS_PER_STEP, stepwise } from "../quotas/stepwise.ts";
import type { Server } from "../server.ts";

/** Too many to go at once. Everything else that belongs to a host goes with it. */
const LATER = ["jobs", "snapshots"];

/** In the transaction that removes the host, with references off: what cascades would do, except for what comes later. */
export async function leaveToCleanUp(
  server: Server,
  tx: Transaction<Tables>,
  hostId: string,
): Promise<void> {
  await tx.insertInto("removed_hosts").values({ host_id: hostId, removed_at: server.now() })
    .execute();
  // What ran holds nothing up any more.
  await tx.updateTable("jobs").set({ status: "interrupted", finished_at: server.now() })
    .where("host_id", "=", hostId).where("status", "in", ["queued", "running"]).execute();
  await sql`delete from leases where job_id in (select id from jobs where host_id = ${hostId})`
    .execute(tx);
  await removeWithChildren(tx, { table: "hosts", where: sql`id = ${hostId}` });
}

interface Rows {
  table: string;
  where: ReturnType<typeof sql>;
}

/** Read from the database itself, so that a table which is added later is not forgotten here. */
async function removeWithChildren(tx: Transaction<Tables>, rows: Rows): Promise<void> {
  const { rows: children } = await sql<{ table: string; column: string; key: string }>`
    select tables.name as "table", keys."from" as "column", coalesce(keys."to", 'id') as "key"
    from sqlite_schema as tables join pragma_foreign_key_list(tables.name) as keys
    where tables.type = 'table' and keys."table" = ${rows.table}`.execute(tx);
  for (const { table, column, key } of children) {
    if (LATER.includes(table)) continue;
    const owners = sql`select ${sql.ref(key)} from ${sql.table(rows.table)} where ${rows.where}`;
    const where = sql`${sql.ref(column)} in (${owners})`;
    await removeWithChildren(tx, { table, where });
  }
  await sql`delete from ${sql.table(rows.table)} where ${rows.where}`.execute(tx);
}

/** Goes on with what removed hosts have left. */
export async function cleanUpRemovedHosts(server: Server): Promise<void> {
  const hosts = await server.db.selectFrom("removed_hosts").select("host_id").execute();
  for (const { host_id } of hosts) {
    if (!await stepwise(server, (sqlite) => removeSome(sqlite, host_id))) return;
  }
}

type Sqlite = Server["database"]["sqlite"];

/** What a job costs beside its lines. */
const JOB_COST = 20;

/** One step. Returns false when nothing is left. */
function removeSome(sqlite: Sqlite, hostId: string): boolean {
  const next = sqlite.prepare("select number from jobs where host_id = ? limit 1");
  let left = ROWS_PER_STEP;
  while (left > 0) {
    const job = next.get(hostId) as { number: number } | undefined;
    if (!job) return removeSnapshots(sqlite, hostId);
    const removed = removeLines(sqlite, job.number, left);
    // The job goes last: its number may be given again, and must then have no lines.
    if (removed < left) sqlite.prepare("delete from jobs where number = ?").run(job.number);
    left -= removed + JOB_COST;
  }
  return true;
}

function removeSnapshots(sqlite: Sqlite, hostId: string): boolean {
  const { changes } = sqlite.prepare(
    `delete from snapshots where host_id = ?1 and (report_id, id) in
       (select report_id, id from snapshots where host_id = ?1 limit ${ROWS_PER_STEP})`,
  ).run(hostId);
  if (changes > 0) return true;
  sqlite.prepare("delete from removed_hosts where host_id = ?").run(hostId);
  return false;
}

/** The first lines of a job; returns how many went. */
export function removeLines(
  sqlite: Sqlite,
  jobNumber: number,
  most: number = ROWS_PER_STEP,
): number {
  return Number(
    sqlite.prepare(
      `delete from job_lines where job_number = ?1 and line in
         (select line from job_lines where job_number = ?1 order by line limit ?2)`,
    ).run(jobNumber, most).changes,
  );
}
