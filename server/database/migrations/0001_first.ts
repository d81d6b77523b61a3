import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

const STATEMENTS = `
create table users (
  id text primary key, username text not null collate nocase unique, password_hash text not null,
  role text not null, created_at integer not null
) strict;

create table sessions (
  token_hash blob primary key, user_id text not null references users(id) on delete cascade,
  created_at integer not null, last_seen_at integer not null, expires_at integer not null
) strict, without rowid;
create index sessions_of_user on sessions(user_id);

create table api_tokens (
  id text primary key, user_id text not null references users(id) on delete cascade, name text not null,
  token_hash blob not null unique, created_at integer not null, expires_at integer, last_used_at integer
) strict;
create index api_tokens_of_user on api_tokens(user_id);

create table repositories (
  id text primary key, name text not null collate nocase unique, url text not null, url_normalised text not null,
  password_sealed blob not null, username text, rest_password_sealed blob, environment_sealed blob,
  environment_names text not null default '[]', append_only integer not null default 0, is_new integer not null,
  initialised_at integer, total_size integer, stats_at integer, created_at integer not null, updated_at integer not null
) strict;
create index repositories_by_url on repositories(url_normalised);

create table hosts (
  id text primary key, name text not null collate nocase unique, snapshot_host text not null unique,
  bearer_hash blob not null unique, enrolment_key_hash blob, tags text not null default '[]',
  time_zone text not null default 'UTC', repository_id text not null references repositories(id),
  repository_ready_at integer, repository_job_id text, bandwidth_up_kbps integer, bandwidth_down_kbps integer,
  plan_version integer not null default 1, applied_plan_version integer not null default 0,
  hostname text not null, os text not null, arch text not null, agent_version text not null, restic_version text,
  restic_problem text, protocol_version integer, boot_time integer, last_seen_at integer,
  last_backup_job_id text, last_backup_at integer, last_backup_status text,
  last_backup_warnings integer not null default 0, last_backup_reason text, last_success_at integer,
  snapshots_report_id text, snapshots_refreshed_at integer, snapshots_count integer, created_at integer not null
) strict;
create index hosts_of_repository on hosts(repository_id);

create table source_groups (
  id text primary key, host_id text not null references hosts(id) on delete cascade, name text not null collate nocase,
  includes text not null, excludes text not null, retention text not null, retry_max integer not null,
  retry_backoff_seconds integer not null, created_at integer not null, updated_at integer not null,
  unique (host_id, name)
) strict;

create table enrollment_tokens (
  id text primary key, token_hash blob not null unique, host_name text not null, tags text not null,
  initial_paths text not null, repository_id text not null references repositories(id) on delete cascade,
  created_by text not null, created_at integer not null, expires_at integer not null, used_at integer, host_id text
) strict;

create table jobs (
  number integer primary key, id text not null unique, host_id text not null references hosts(id) on delete cascade,
  repository_id text not null, kind text not null, status text not null, actor_kind text not null, actor_id text,
  actor_name text not null, source_group_id text, source_group_name text, schedule_id text, scheduled_at integer,
  created_at integer not null, dispatched_at integer, cancel_requested_at integer, started_at integer,
  finished_at integer, restic_version text, exit_code integer, reason text, reason_code text,
  warnings integer not null default 0, bandwidth_up_kbps integer, bandwidth_down_kbps integer, summary text
) strict;
create index jobs_of_host on jobs(host_id, number);
create index jobs_of_repository on jobs(repository_id, number);
create index jobs_of_group on jobs(source_group_id, number) where source_group_id is not null;
create index jobs_by_status on jobs(status, number);
create index jobs_by_kind on jobs(kind, number);
create index jobs_open on jobs(host_id) where status in ('queued', 'running');

create table job_lines (
  job_number integer not null references jobs(number) on delete cascade, n integer not null, at integer not null,
  stream integer not null, text text not null, primary key (job_number, n)
) strict, without rowid;

create table leases (
  repository_url text primary key, job_id text not null references jobs(id) on delete cascade,
  acquired_at integer not null
) strict, without rowid;

create table snapshots (
  host_id text not null references hosts(id) on delete cascade, report_id text not null, id text not null,
  time integer not null, tags text not null, paths text not null, hostname text not null, username text, parent text,
  files integer, bytes integer, bytes_added integer, primary key (host_id, report_id, id)
) strict, without rowid;

create table backup_days (
  host_id text not null references hosts(id) on delete cascade, day integer not null,
  succeeded integer not null default 0, warned integer not null default 0, failed integer not null default 0,
  primary key (host_id, day)
) strict, without rowid;

create table audit (
  id integer primary key, at integer not null, actor_kind text not null, actor_id text, actor_name text not null,
  action text not null, target_kind text, target_id text, target_name text, address text, detail text not null
) strict;
create index audit_by_action on audit(action, id);
create index audit_by_actor on audit(actor_name, id);
create index audit_by_target on audit(target_id, id);
create trigger audit_is_never_changed before update on audit
  begin select raise(abort, 'the audit is append-only'); end;
create trigger audit_is_never_removed before delete on audit
  begin select raise(abort, 'the audit is append-only'); end`;

export const first: Migration = {
  async up(db: Kysely<unknown>) {
    // A trigger's body holds a semicolon of its own: a statement ends at a semicolon that ends its line.
    for (const statement of STATEMENTS.split(/;\n(?=create|\ncreate)/)) {
      await sql.raw(statement).execute(db);
    }
  },
};
