// When the machine's clock was set, all that is due, expires or grows old in the database moves along with it, in one
// transaction: a session that had three hours left has three hours left. What happened keeps its time.
import { sql, type Transaction } from "kysely";
import { spanInWords } from "../shared/span.ts";
import { recordAudit } from "./audit/record.ts";
import type { StoredClock } from "./clock.ts";
import type { Database } from "./database/open.ts";
import type { Tables } from "./database/tables.ts";
import { type Server, SYSTEM } from "./server.ts";

interface Moved {
  table: keyof Tables;
  columns: string[];
  /** Which tells when the row was written, where that is none of these. */
  written?: string;
  where?: string;
}

/** What is due or expires: it has as long to go as before, also after the machine slept. The first column tells when a row was written. */
const DUE: Moved[] = [
  { table: "sessions", columns: ["created_at", "last_seen_at", "expires_at"] },
  { table: "setup_links", columns: ["created_at", "expires_at"] },
  { table: "api_tokens", columns: ["expires_at"], written: "created_at" },
  { table: "login_tries", columns: ["at"] },
  { table: "known_networks", columns: ["last_login_at"] },
  { table: "restore_drafts", columns: ["created_at", "expires_at"] },
  { table: "enrolment_tokens", columns: ["created_at", "expires_at"] },
  { table: "pending_hosts", columns: ["last_seen_at", "first_seen_at", "expires_at"] },
  { table: "rejected_keys", columns: ["rejected_at", "expires_at"] },
  { table: "hosts", columns: ["contact_since", "contact_before"] },
  { table: "schedules", columns: ["created_at"] },
  { table: "schedule_credits", columns: ["credited_until"] },
];

/**
 * What grows old: how long ago it was decides about green and red, and what is kept. Only a clock that was wrong by a day or
 * more moves it: after a machine slept it is as old as it is, and what is less cannot always be told from that.
 */
const PAST: Moved[] = [
  {
    table: "hosts",
    columns: [
      "created_at",
      "last_seen_at",
      "last_backup_at",
      "last_success_at",
      "restic_problem_since",
      "clock_wrong_since",
    ],
  },
  { table: "maintenance", columns: ["last_at", "last_success_at", "failing_since"] },
  { table: "repository_ids", columns: ["first_seen_at", "other_at", "answered_at"] },
  { table: "snapshot_losses", columns: ["noticed_at"] },
  { table: "snapshot_claims", columns: ["time"] },
  { table: "known_snapshots", columns: ["seen_at"] },
  // After which their lines go.
  { table: "jobs", columns: ["received_at"], where: "lines_removed_at is null" },
  { table: "line_ages", columns: ["removed_until"] },
];
const WRONG_CLOCK = 86_400_000;

/** Of jobs that go on: a snapshot is held against when its job began, and no end comes before its order. */
const OPEN: Moved = {
  table: "jobs",
  columns: ["created_at", "dispatched_at", "started_at", "began_at", "window_from"],
  where: "status in ('queued', 'running')",
};

/** What an earlier run left; undefined at the very first start. */
export async function readClock({ db }: Pick<Database, "db">): Promise<StoredClock | undefined> {
  return await db.selectFrom("clock").select(["wall", "uptime", "ran"]).executeTakeFirst();
}

/** Run every second, and before anything else at the start. Returns by how many milliseconds the clock was set. */
export async function followClock(server: Server): Promise<number> {
  if (server.clock.look().whole === 0) return 0;
  let putBack = () => {};
  let jump = 0;
  try {
    await server.db.transaction().execute(async (tx) => {
      // Asked again: of two at once, one follows.
      const { whole, set, since } = server.clock.look();
      jump = Math.round(whole);
      if (jump === 0) return;
      putBack = server.clock.keep();
      for (const each of DUE) await move(tx, each, jump, since);
      const left = await movePast(tx, Math.round(set), since);
      server.clock.follow(jump);
      await storeIn(tx, { ...server.clock.toStore(), left_out: left });
      await recordAudit(tx, server.now(), SYSTEM, {
        action: "clock.set",
        detail: {
          seconds: Math.round(jump / 1000),
          slept_seconds: Math.round((whole - set) / 1000),
        },
      });
    });
  } catch (error) {
    // Nothing was moved: time goes on as before until it can be.
    putBack();
    throw error;
  }
  if (jump === 0) return 0;
  for (const agent of server.agents) if (agent.skew !== undefined) agent.skew += jump;
  server.log.warn(
    `The machine's clock was set ${jump > 0 ? "forwards" : "back"} by ${
      spanInWords(jump)
    }, or the machine slept; what is due moved along.`,
  );
  return jump;
}

/** Returns what is left to be moved when more has come together. */
async function movePast(
  tx: Transaction<Tables>,
  set: number,
  since: number | undefined,
): Promise<number> {
  if (set !== 0) await move(tx, OPEN, set, since);
  const before = await tx.selectFrom("clock").select("left_out").executeTakeFirst();
  const all = (before?.left_out ?? 0) + set;
  if (Math.abs(all) < WRONG_CLOCK) return all;
  for (const each of PAST) await move(tx, each, all, since);
  return 0;
}

/** Run every ten seconds and at the end, so that the next run can tell a clock that was set from time that passed. */
export async function storeClock(server: Pick<Server, "db" | "clock">): Promise<void> {
  await storeIn(server.db, server.clock.toStore());
}

async function storeIn(
  db: Server["db"] | Transaction<Tables>,
  clock: { wall: number; uptime: number; ran: number; left_out?: number },
): Promise<void> {
  const row = {
    wall: Math.round(clock.wall),
    uptime: Math.round(clock.uptime),
    ran: Math.round(clock.ran),
    ...(clock.left_out === undefined ? {} : { left_out: clock.left_out }),
  };
  await db.insertInto("clock").values({ id: 1, ...row })
    .onConflict((conflict) => conflict.column("id").doUpdateSet(row)).execute();
}

/** With `since` only times of the wrong clock: those from then on, and what expires in rows that were written from then on. */
async function move(
  tx: Transaction<Tables>,
  { table, columns, written = columns[0]!, where }: Moved,
  by: number,
  since: number | undefined,
): Promise<void> {
  const sets = columns.map((column) => {
    const own = sql.ref(column);
    if (since === undefined) return sql`${own} = ${own} + ${by}`;
    const told = sql.ref(column === "expires_at" ? written : column);
    return sql`${own} = case when ${told} >= ${since} then ${own} + ${by} else ${own} end`;
  });
  const which = where ? sql`where ${sql.raw(where)}` : sql``;
  await sql`update ${sql.table(table)} set ${sql.join(sets)} ${which}`.execute(tx);
}
