import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

const STATEMENTS = [
  // Machines that wait are asked to prove their keys anew: what was proven before was not for whom.
  `update pending_hosts set proven_at = null`,
  `alter table pending_hosts add column dialled text`,
  `alter table pending_hosts add column plain_http integer not null default 0`,
  `alter table pending_hosts add column revision integer not null default 1`,
  `alter table hosts add column brakes text`,
];

export const proofsAndBrakes: Migration = {
  async up(db: Kysely<unknown>) {
    for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
  },
};
