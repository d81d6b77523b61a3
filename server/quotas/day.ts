// What a host has taken of its daily quotas, apart from lines (line_use.ts).
import { sql, type Transaction } from "kysely";
import { type Act, recordAudit } from "../audit/record.ts";
import type { Db } from "../database/open.ts";
import type { Tables } from "../database/tables.ts";
import { type Actor, type Server, SYSTEM } from "../server.ts";

const DAY = 86_400_000;

type Counted = "jobs" | "audit_rows" | "new_snapshots";

/** The day of UTC by the server's clock. */
export function today(server: Pick<Server, "now">): number {
  return Math.floor(server.now() / DAY);
}

/**
 * Takes up to `wanted` of what is left of a host's day, and returns how many it got. In a transaction that fails nothing is
 * taken.
 */
export async function take(
  server: Server,
  tx: Db | Transaction<Tables>,
  of: { hostId: string; what: Counted; wanted: number; most: number },
): Promise<number> {
  const { hostId, what, wanted, most } = of;
  const column = sql.ref(what);
  const day = today(server);
  const row = await tx.selectFrom("host_days").select(what).where("host_id", "=", hostId)
    .where("day", "=", day).executeTakeFirst();
  const got = Math.max(0, Math.min(wanted, most - (row?.[what] ?? 0)));
  if (got === 0) return 0;
  await sql`insert into host_days (host_id, day, ${column}) values (${hostId}, ${day}, ${got})
    on conflict do update set ${column} = ${column} + ${got}`.execute(tx);
  return got;
}

export interface Cut {
  hostId: string;
  /** What was cut: one row in the audit for each a host and day. */
  kind: string;
  /** In words, for the audit. */
  what: string;
  jobId?: string;
}

/** Says once a day in the audit that something of a host was cut. */
export async function auditCut(
  server: Server,
  tx: Db | Transaction<Tables>,
  { hostId, kind, what, jobId }: Cut,
): Promise<void> {
  const host = await tx.selectFrom("hosts").select("name").where("id", "=", hostId)
    .executeTakeFirst();
  if (!host) return;
  const { numInsertedOrUpdatedRows } = await tx.insertInto("host_cuts")
    .values({ host_id: hostId, day: today(server), kind })
    .onConflict((conflict) => conflict.doNothing()).executeTakeFirst();
  if (!numInsertedOrUpdatedRows) return;
  server.log.warn(`${host.name}: ${what}`);
  await recordAudit(tx, server.now(), SYSTEM, {
    action: "host.cut",
    target: { kind: "host", id: hostId, name: host.name },
    detail: { what, ...(jobId ? { job_id: jobId } : {}) },
  });
}

/**
 * What an agent caused goes into the audit up to the host's quota of the day; that the rest is left out is one more row.
 * Call this instead of recordAudit wherever an agent can repeat what leads there.
 */
export async function auditOfHost(
  server: Server,
  tx: Db | Transaction<Tables>,
  hostId: string,
  { actor, act }: { actor: Actor; act: Act },
): Promise<void> {
  const most = server.settings.quotas.auditRowsPerDay;
  const got = await take(server, tx, { hostId, what: "audit_rows", wanted: 1, most });
  if (got > 0) return await recordAudit(tx, server.now(), actor, act);
  await auditCut(server, tx, {
    hostId,
    kind: "audit_rows_per_day",
    what:
      `More than ${most} rows of this host in the audit today (RM_AUDIT_ROWS_PER_HOST_DAY): the rest is left out.`,
  });
}

/** Once a day: what is known of days that are over. */
export async function forgetOldDays(server: Server): Promise<void> {
  const before = today(server) - 30;
  await server.db.deleteFrom("host_days").where("day", "<", before).execute();
  await server.db.deleteFrom("host_cuts").where("day", "<", before).execute();
}
