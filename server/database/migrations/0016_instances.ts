import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

/** Which runs of an agent have used a host's identity, and whether two machines do. */
export const instances: Migration = {
  async up(db: Kysely<unknown>) {
    await sql`create table host_instances (
      host_id text not null references hosts (id) on delete cascade,
      instance_hash blob not null,
      number integer not null,
      first_seen_at integer not null,
      last_seen_at integer not null,
      superseded integer not null default 0,
      hostname text not null,
      os text not null,
      arch text not null,
      agent_version text not null,
      boot_time integer,
      address text,
      primary key (host_id, instance_hash)
    ) strict`.execute(db);
    await sql`create index host_instances_by_number on host_instances (host_id, number)`.execute(
      db,
    );
    await sql`alter table hosts add column doubted_since integer`.execute(db);
    await sql`alter table hosts add column chosen_instance_hash blob`.execute(db);
    await sql`alter table hosts add column next_bearer_hash blob`.execute(db);
    await sql`create unique index hosts_next_bearer on hosts (next_bearer_hash)
      where next_bearer_hash is not null`.execute(db);
  },
};
