import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

const STATEMENTS = [
  `alter table jobs add column lines_stored integer not null default 0`,
  `alter table jobs add column line_bytes integer not null default 0`,
  `alter table jobs add column lines_seen integer not null default 0`,
  `alter table jobs add column lines_cut integer not null default 0`,
  `alter table jobs add column cut_marks integer not null default 0`,
  `alter table jobs add column lines_removed_at integer`,
  `alter table jobs add column waited_ms integer not null default 0`,
  `alter table jobs add column received_at integer`,
  `update jobs set received_at = max(created_at, coalesce(finished_at, created_at))`,
  // Ended jobs receive no lines; of those that are open what they have counts.
  `update jobs set
     lines_stored = (select count(*) from job_lines where job_number = jobs.number),
     line_bytes = (select coalesce(sum(octet_length(text)), 0) from job_lines where job_number = jobs.number),
     lines_seen = (select coalesce(max(n), 0) from job_lines where job_number = jobs.number)
     where status in ('queued', 'running') or reason_code = 'presumed'`,
  `create index jobs_by_line_age on jobs(status, received_at) where lines_removed_at is null`,
  `create table host_days (
     host_id text not null references hosts(id) on delete cascade, day integer not null,
     lines integer not null default 0, line_bytes integer not null default 0, jobs integer not null default 0,
     audit_rows integer not null default 0, new_snapshots integer not null default 0, primary key (host_id, day)
   ) strict, without rowid`,
  `create table host_cuts (
     host_id text not null references hosts(id) on delete cascade, day integer not null, kind text not null,
     primary key (host_id, day, kind)
   ) strict, without rowid`,
  `alter table hosts add column snapshots_cut integer not null default 0`,
  `create table removed_hosts (host_id text primary key, removed_at integer not null) strict, without rowid`,
  `create table line_ages (outcome text primary key, removed_until integer not null) strict, without rowid`,
];

/** What each host and job has taken of its quotas, and what is removed in steps. */
export const quotas: Migration = {
  async up(db: Kysely<unknown>) {
    for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
  },
};
