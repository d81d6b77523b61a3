import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

const STATEMENTS = [
  `create table clock (
     id integer primary key check (id = 1), wall integer not null, uptime integer not null, ran integer not null
   ) strict`,
  // By server.clock.ran(): how long nothing was heard of a host while the server ran.
  `alter table hosts add column heard_ran integer`,
  `alter table jobs add column dispatched_ran integer`,
  // To which boot of the machine and to which run of its agent the job was sent.
  `alter table leases add column boot_id text`,
  `alter table leases add column run text`,
];

/** Time that does not depend on a clock that somebody sets, and leases that no time ends. */
export const clockAndLeases: Migration = {
  async up(db: Kysely<unknown>) {
    for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
  },
};
