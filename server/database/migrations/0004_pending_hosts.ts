import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

const STATEMENTS = [
  `create table pending_hosts (
     id text primary key, hostname text not null, os text not null, arch text not null, agent_version text not null,
     restic_version text, public_key blob not null unique check (length(public_key) = 32),
     fingerprint text not null, announced_from_ip text not null, announced_from_network text not null,
     first_seen_at integer not null, last_seen_at integer not null, proven_at integer, expires_at integer not null
   ) strict`,
  `create index pending_hosts_by_expiry on pending_hosts(expires_at)`,
  `create index pending_hosts_by_fingerprint on pending_hosts(fingerprint)`,
  `create table accepted_keys (
     pending_id text primary key, host_id text not null references hosts(id) on delete cascade,
     public_key blob not null, accepted_at integer not null
   ) strict, without rowid`,
  `create index accepted_keys_of_host on accepted_keys(host_id)`,
  `create index accepted_keys_by_key on accepted_keys(public_key)`,
  `create table rejected_keys (
     id text primary key, fingerprint text not null unique, hostname text not null, announced_from_ip text not null,
     rejected_by text not null, rejected_at integer not null, expires_at integer not null
   ) strict, without rowid`,
  `create index rejected_keys_by_expiry on rejected_keys(expires_at)`,
];

export const pendingHosts: Migration = {
  async up(db: Kysely<unknown>) {
    for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
  },
};
