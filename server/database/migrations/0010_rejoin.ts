import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

const STATEMENTS = [
  `alter table hosts add column on_hold_since integer`,
  `alter table hosts add column awaits_agent integer not null default 0`,
  `update hosts set awaits_agent = 1 where last_seen_at is null`,
  `alter table enrollment_tokens add column rejoins_host_id text references hosts(id) on delete cascade`,
  `create index enrollment_tokens_by_host on enrollment_tokens(rejoins_host_id)`,
];

export const rejoin: Migration = {
  async up(db: Kysely<unknown>) {
    for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
  },
};
