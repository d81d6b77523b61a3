import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

export const lastPolicy: Migration = {
  async up(db: Kysely<unknown>) {
    await sql`alter table source_groups add column forgotten_retention text`.execute(db);
  },
};
