import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

const STATEMENTS = [
  `alter table source_groups add column pre_hook_sealed blob`,
  `alter table source_groups add column post_hook_sealed blob`,
  `alter table source_groups add column hook_timeout_seconds integer not null default 3600`,
  `alter table hosts add column pre_hook_default_sealed blob`,
  `alter table hosts add column post_hook_default_sealed blob`,
  `alter table hosts add column bandwidth_windows text not null default '[]'`,
];

export const hooksAndWindows: Migration = {
  async up(db: Kysely<unknown>) {
    for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
  },
};
