import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

/** Who may hold what: hosts for the admin credential, repositories for operators, roots and repositories of each host. */
export const trust: Migration = {
  async up(db: Kysely<unknown>) {
    await sql`alter table repositories add column open_to_operators integer not null default 0`
      .execute(db);
    await sql`alter table hosts add column approved_roots text not null default '[]'`.execute(db);
    await sql`alter table hosts add column approved_repository_ids text not null default '[]'`
      .execute(db);
    await sql`alter table enrollment_tokens
      add column may_hold_admin_credential integer not null default 0`.execute(db);
    await sql`create table maintenance_hosts (
      repository_id text not null references repositories (id) on delete cascade,
      host_id text not null references hosts (id) on delete cascade,
      named_by text not null,
      named_at integer not null,
      waits_since integer,
      primary key (repository_id, host_id)
    ) strict`.execute(db);
    // What is in force stays allowed.
    await sql`update hosts set
      approved_repository_ids = json_array(repository_id),
      approved_roots = (select json_group_array(path) from (
        select distinct value as path from source_groups, json_each(source_groups.includes)
        where source_groups.host_id = hosts.id order by path))`.execute(db);
    // The only host of a repository has held the credential until now. One that joined again waits for an admin's word.
    await sql`insert into maintenance_hosts (repository_id, host_id, named_by, named_at, waits_since)
      select repository_id, min(id), 'restic-manager', unixepoch() * 1000, min(on_hold_since)
      from hosts group by repository_id having count(*) = 1`.execute(db);
  },
};
