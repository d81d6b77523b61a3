import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

export const fsSnapshots: Migration = {
  async up(db: Kysely<unknown>) {
    await sql`alter table source_groups add column use_fs_snapshot integer not null default 0
      check (use_fs_snapshot in (0, 1))`.execute(db);
  },
};
