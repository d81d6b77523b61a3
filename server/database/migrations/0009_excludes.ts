import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

const STATEMENTS = [
  `alter table source_groups add column iexcludes text not null default '[]'`,
  `alter table source_groups add column exclude_if_present text not null default '[]'`,
  `alter table source_groups add column exclude_larger_than text`,
  `alter table source_groups add column exclude_caches integer not null default 0`,
  `alter table source_groups add column one_file_system integer not null default 0`,
];

export const excludes: Migration = {
  async up(db: Kysely<unknown>) {
    for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
  },
};
