import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

const STATEMENTS = [
  `alter table source_groups add column snapshot_tag text not null default ''`,
  `update source_groups set snapshot_tag = name`,
  `create unique index source_groups_by_tag on source_groups(host_id, snapshot_tag)`,
  `alter table source_groups add column usual_share_percent integer not null default 50`,
  `alter table source_groups add column accepted_sources text not null default '[]'`,
  `alter table source_groups add column usual_since integer not null default 0`,
  `alter table source_groups add column forgotten_at integer`,
  // A duration of nothing kept nothing; without it the policy says what it always meant.
  `update source_groups set retention = json_remove(retention, '$.keep_within')
     where json_extract(retention, '$.keep_within') not glob '*[1-9]*'`,
  `create table used_tags (
     host_id text not null references hosts(id) on delete cascade, tag text not null collate nocase,
     primary key (host_id, tag)
   ) strict, without rowid`,
  `insert or ignore into used_tags (host_id, tag) select host_id, name from source_groups`,
  `insert or ignore into used_tags (host_id, tag)
     select host_id, source_group_name from jobs where source_group_name is not null`,
  `alter table hosts add column contact_before integer`,
  `alter table hosts add column contact_since integer`,
  `alter table jobs add column began_at integer`,
  `alter table jobs add column window_from integer`,
  `alter table jobs add column known_before integer`,
  `alter table jobs add column withheld text`,
  `alter table jobs add column sources text`,
  `alter table jobs add column accepted_at integer`,
  `alter table jobs add column accepted_by text`,
  `create table known_snapshots (
     number integer primary key, repository_id text not null references repositories(id) on delete cascade,
     snapshot_id text not null, host_id text not null, seen_at integer not null,
     unique (repository_id, snapshot_id)
   ) strict`,
  `create table taken_lists (
     number integer primary key, host_id text not null references hosts(id) on delete cascade,
     report_id text not null, unique (host_id, report_id)
   ) strict`,
  `create table schedule_credits (
     schedule_id text not null references schedules(id) on delete cascade, source_group_id text not null,
     credit integer not null, credited_until integer not null, primary key (schedule_id, source_group_id)
   ) strict, without rowid`,
  `create table snapshot_claims (
     number integer primary key, repository_id text not null references repositories(id) on delete cascade,
     snapshot_id text not null, host_id text not null references hosts(id) on delete cascade, source_group_id text,
     job_id text, time integer not null, hostname text, tags text, confirmed integer not null default 0,
     withheld integer not null default 0, good integer not null default 1, kept integer not null default 0,
     listed integer not null default 0, adopted_by text, forget_job_id text, unique (repository_id, snapshot_id, job_id)
   ) strict`,
  `create index snapshot_claims_of_group on snapshot_claims(source_group_id, repository_id)`,
  `create index snapshot_claims_of_host on snapshot_claims(host_id, repository_id)`,
  `create index snapshot_claims_of_job on snapshot_claims(job_id)`,
  `create table repository_snapshots (
     repository_id text not null references repositories(id) on delete cascade, report_id text not null, id text not null,
     time integer not null, tags text not null, paths text not null, hostname text not null, files integer,
     bytes integer, primary key (repository_id, report_id, id)
   ) strict, without rowid`,
  `alter table repositories add column listing_report_id text`,
  `alter table repositories add column listing_at integer`,
  `create table ungoverned_kept (
     repository_id text not null references repositories(id) on delete cascade, hostname text not null,
     tags text not null, kept_by text not null, kept_at integer not null,
     primary key (repository_id, hostname, tags)
   ) strict, without rowid`,
  // What was in a list before the update is known, and what a job of a group made is that group's.
  `insert or ignore into known_snapshots (repository_id, snapshot_id, host_id, seen_at)
     select hosts.repository_id, snapshots.id, hosts.id, coalesce(hosts.snapshots_refreshed_at, 0)
     from snapshots join hosts on hosts.id = snapshots.host_id and hosts.snapshots_report_id = snapshots.report_id
     order by snapshots.time`,
  `insert into snapshot_claims (repository_id, snapshot_id, host_id, source_group_id, job_id, time, hostname, tags,
       confirmed, good, listed, kept)
     select hosts.repository_id, snapshots.id, hosts.id, source_groups.id, jobs.id, coalesce(jobs.started_at, snapshots.time),
       snapshots.hostname, snapshots.tags, 1, jobs.warnings = 0, 1,
       coalesce(jobs.finished_at < maintenance.last_success_at, 0)
     from snapshots join hosts on hosts.id = snapshots.host_id and hosts.snapshots_report_id = snapshots.report_id
     join jobs on jobs.snapshot_id = snapshots.id and jobs.host_id = hosts.id and jobs.kind = 'backup'
       and jobs.status = 'succeeded'
     join source_groups on source_groups.id = jobs.source_group_id
     left join maintenance on maintenance.repository_id = hosts.repository_id and maintenance.kind = 'forget'
     where length(snapshots.id) = 64
     group by hosts.repository_id, snapshots.id having count(*) = 1`,
];

export const retention: Migration = {
  async up(db: Kysely<unknown>) {
    for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
  },
};
