import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

// Hooks that are there were written for a shell that goes on after an error: those keep it, new ones stop.
const STATEMENTS = [
  `alter table source_groups add column hook_stop_at_error integer not null default 1
     check (hook_stop_at_error in (0, 1))`,
  `update source_groups set hook_stop_at_error = 0
     where pre_hook_sealed is not null or post_hook_sealed is not null`,
  `alter table hosts add column hook_stop_at_error_default integer not null default 1
     check (hook_stop_at_error_default in (0, 1))`,
  `update hosts set hook_stop_at_error_default = 0
     where pre_hook_default_sealed is not null or post_hook_default_sealed is not null`,
];

export const hookStopAtError: Migration = {
  async up(db: Kysely<unknown>) {
    for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
  },
};
