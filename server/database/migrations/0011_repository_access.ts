import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

const STATEMENTS = [
  `alter table repositories add column certificate_authority text`,
  `alter table repositories add column options text not null default '{}'`,
];

export const repositoryAccess: Migration = {
  async up(db: Kysely<unknown>) {
    for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
  },
};
