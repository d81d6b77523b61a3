import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

/** What an agent reports of itself, shown until a person has seen it. */
export const agentProblems: Migration = {
  async up(db: Kysely<unknown>) {
    await sql.raw(`alter table hosts add column agent_problems text not null default '[]'`).execute(
      db,
    );
  },
};
