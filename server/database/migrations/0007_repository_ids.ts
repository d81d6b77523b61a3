import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

const STATEMENTS = [
  // A job may hold more than one lease: of its address, of the place on its host, of the repository's own id.
  `alter table leases add column address text`,
  `create table repository_ids (
    repository_id text not null references repositories(id) on delete cascade,
    host_id text references hosts(id) on delete cascade,
    restic_id text not null, first_seen_at integer not null, answered_at integer,
    rejected_id text,
    other_id text, other_host_id text, other_host_name text, other_at integer
  ) strict`,
  `create unique index repository_ids_by_place on repository_ids(repository_id, coalesce(host_id, ''))`,
  `create index repository_ids_by_id on repository_ids(restic_id)`,
];

export const repositoryIds: Migration = {
  async up(db: Kysely<unknown>) {
    for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
  },
};
