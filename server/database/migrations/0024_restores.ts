import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

const STATEMENTS = [
  // Beside the row of the job, which lists of jobs read.
  `create table restore_items (
    job_number integer primary key references jobs (number) on delete cascade,
    items text not null
  ) strict`,
  `create table restore_drafts (
    id text primary key,
    user_id text not null references users (id) on delete cascade,
    repository_id text not null,
    snapshot_id text not null,
    items text not null,
    choice text not null,
    created_at integer not null,
    expires_at integer not null
  ) strict`,
  `create index restore_drafts_by_user on restore_drafts (user_id)`,
  `create index restore_drafts_by_expiry on restore_drafts (expires_at)`,
];

/** What a restore writes, and restores that a person has not started yet. */
export const restores: Migration = {
  async up(db: Kysely<unknown>) {
    for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
  },
};
