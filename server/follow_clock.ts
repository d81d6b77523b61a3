// When the machine's clock was set, all that is due, expires or grows old in the database moves along with it, in one
// transaction: a session that had three hours left has three hours left. What happened keeps its time.
import { sql, type Transaction } from "kysely";
import { spanInWords } from "../shared/span.ts";
import { recordAudit } from "./audit/record.ts";
import type { StoredClock } from "./clock.ts";
import type { Database } from "./database/open.ts";
import type { Tables } from "./database/tables.ts";
import { type Server, SYSTEM } from "./server.ts";

/** What is due or expires: it has as long to go as before, also after the machine slept. */
const DUE: Partial<Record<keyof Tables, string[]>> = {
  sessions: ["created_at", "last_seen_at", "expires_at"],
  setup_links: ["created_at", "expires_at"],
  api_tokens: ["expires_at"],
  login_tries: ["at"],
  known_networks: ["last_login_at"],
  enrollment_tokens: ["created_at", "expires_at"],
  pending_hosts: ["first_seen_at", "last_seen_at", "expires_at"],
  rejected_keys: ["rejected_at", "expires_at"],
  hosts: ["contact_before", "contact_since"],
  schedule_credits: ["credited_until"],
};

/**
 * What grows old: how long ago it was decides about green and red, and what retention keeps. Only a clock that was wrong by a day or
 * more moves it: after a machine slept it is as old as it is, and what a day is cannot always be told from a clock that was set.
 */
const PAST: Partial<Record<keyof Tables, string[]>> = {
  hosts: ["created_at", "last_seen_at", "last_backup_at", "last_success_at"],
  maintenance: ["last_at", "last_success_at", "failing_since"],
  repository_ids: ["first_seen_at", "other_at", "answered_at"],
  snapshot_losses: ["noticed_at"],
  snapshot_claims: ["time"],
  known_snapshots: ["seen_at"],
};
const WRONG_CLOCK = 86_400_000;

/** What an earlier run left; undefined at the very first start. */
export async function readClock({ db }: Pick<Database, "db">): Promise<StoredClock | undefined> {
  return await db.selectFrom("clock").select(["wall", "uptime", "ran"]).executeTakeFirst();
}

/** Run every second, and before anything else at the start. Answers by how many milliseconds the clock was set. */
export async function followClock(server: Server): Promise<number> {
  if (server.clock.look().whole === 0) return 0;
  let jump = 0;
  try {
    await server.db.transaction().execute(async (tx) => {
      // Asked again: of two at once, one follows.
      const { whole, set } = server.clock.look();
      jump = Math.round(whole);
      if (jump === 0) return;
      for (const [table, columns] of Object.entries(DUE)) await move(tx, table, columns, jump);
      await movePast(tx, Math.round(set));
      server.clock.follow(jump);
      await storeIn(tx, server.clock.toStore());
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
    server.clock.follow(-jump);
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

async function movePast(tx: Transaction<Tables>, set: number): Promise<void> {
  if (set === 0) return;
  // Whose snapshot is held against when it began.
  await sql`update jobs set began_at = began_at + ${set}, window_from = window_from + ${set}
    where status in ('queued', 'running')`.execute(tx);
  if (Math.abs(set) < WRONG_CLOCK) return;
  for (const [table, columns] of Object.entries(PAST)) await move(tx, table, columns, set);
}

/** Run every ten seconds and at the end, so that the next run can tell a clock that was set from time that passed. */
export async function storeClock(server: Pick<Server, "db" | "clock">): Promise<void> {
  await storeIn(server.db, server.clock.toStore());
}

async function storeIn(db: Server["db"] | Transaction<Tables>, clock: StoredClock): Promise<void> {
  const row = {
    wall: Math.round(clock.wall),
    uptime: Math.round(clock.uptime),
    ran: Math.round(clock.ran),
  };
  await db.insertInto("clock").values({ id: 1, ...row })
    .onConflict((conflict) => conflict.column("id").doUpdateSet(row)).execute();
}

async function move(
  tx: Transaction<Tables>,
  table: string,
  columns: string[],
  jump: number,
): Promise<void> {
  const sets = columns.map((column) => sql`${sql.ref(column)} = ${sql.ref(column)} + ${jump}`);
  await sql`update ${sql.table(table)} set ${sql.join(sets)}`.execute(tx);
}
