import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";
import { networksOf } from "../../network.ts";

// What rests on an API token ends with it, so each of these rows says on which one it rests (depends_on_token).
const STATEMENTS = [
  "alter table users add column disabled_at integer",
  "alter table users add column depends_on_token text",
  "alter table sessions add column id text",
  "alter table sessions add column address text",
  "update sessions set id = lower(substr(h, 1, 8) || '-' || substr(h, 9, 4) || '-4' || substr(h, 14, 3) || '-8' || " +
  "substr(h, 18, 3) || '-' || substr(h, 21, 12)) from (select token_hash as t, hex(randomblob(16)) as h from sessions) " +
  "where token_hash = t",
  "create unique index sessions_by_id on sessions(id)",
  "alter table api_tokens add column depends_on_token text",
  "alter table enrollment_tokens add column created_by_id text",
  "alter table enrollment_tokens add column depends_on_token text",
  "update enrollment_tokens set created_by_id = (select id from users where username = created_by)",
  `create table setup_links (
    token_hash blob primary key, user_id text references users(id) on delete cascade, created_by_id text,
    depends_on_token text, created_at integer not null, expires_at integer not null
  ) strict, without rowid`,
  `create table known_networks (
    user_id text not null references users(id) on delete cascade, network text not null,
    last_login_at integer not null, primary key (user_id, network)
  ) strict, without rowid`,
  "create table login_tries (number integer primary key, key text not null, at integer not null) strict",
  "create index login_tries_by_key on login_tries(key, at)",
  "alter table audit add column mac blob",
  "create table audit_chain (begun_at integer not null) strict",
  "drop trigger audit_is_never_changed",
  // Rows of before are given their place in the chain once.
  `create trigger audit_is_never_changed before update on audit
    when old.mac is not null or new.mac is null or old.id is not new.id or old.at is not new.at
      or old.actor_kind is not new.actor_kind or old.actor_id is not new.actor_id
      or old.actor_name is not new.actor_name or old.action is not new.action
      or old.target_kind is not new.target_kind or old.target_id is not new.target_id
      or old.target_name is not new.target_name or old.address is not new.address
      or old.detail is not new.detail
    begin select raise(abort, 'the audit is append-only'); end`,
];

export const usersAndAudit: Migration = {
  async up(db: Kysely<unknown>) {
    for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
    await rememberNetworks(db);
  },
};

/** Whoever signed in before is not a stranger to the limits afterwards: the audit says from where. */
async function rememberNetworks(db: Kysely<unknown>): Promise<void> {
  const { rows } = await sql<{ user_id: string; address: string; at: number }>`
    select actor_id as user_id, address, max(at) as at from audit
    where action = 'login' and address is not null and actor_id in (select id from users)
    group by actor_id, address order by at desc limit 5000`.execute(db);
  for (const { user_id, address, at } of rows) {
    await sql`insert into known_networks (user_id, network, last_login_at)
      values (${user_id}, ${networksOf(address)[0]!.network}, ${at}) on conflict do nothing`
      .execute(db);
  }
}
