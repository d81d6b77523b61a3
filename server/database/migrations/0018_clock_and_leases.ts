import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

const STATEMENTS = [
  `create table clock (
     id integer primary key check (id = 1), wall integer, uptime integer, ran integer not null,
     left_out integer not null default 0
   ) strict`,
  // By server.clock.ran(): how long nothing was heard of a host while the server ran.
  `alter table hosts add column heard_ran integer`,
  `alter table jobs add column dispatched_ran integer`,
  // To which boot of the machine and to which run of its agent the job was sent.
  `alter table leases add column boot_id text`,
  `alter table leases add column run text`,
  // started_at and finished_at are the server's time; what the host's clock said, and when the server heard of it, stays beside them.
  `alter table jobs add column said_started_at integer`,
  `alter table jobs add column said_finished_at integer`,
  `alter table jobs add column finished_received_at integer`,
  `alter table jobs add column duration_ms integer`,
  `alter table hosts add column clock_skew_ms integer`,
];

/** Time that does not depend on a clock that somebody sets, and leases that no time ends. */
export const clockAndLeases: Migration = {
  async up(db: Kysely<unknown>) {
    for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
  },
};
