import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

const STATEMENTS = [
  `create table schedules (
     id text primary key, host_id text not null references hosts(id) on delete cascade, cron text not null,
     enabled integer not null, created_at integer not null, updated_at integer not null
   ) strict`,
  `create index schedules_of_host on schedules(host_id)`,
  `create table schedule_groups (
     schedule_id text not null references schedules(id) on delete cascade,
     source_group_id text not null references source_groups(id), position integer not null,
     primary key (schedule_id, source_group_id)
   ) strict, without rowid`,
  `create index schedule_groups_of_group on schedule_groups(source_group_id)`,
  `alter table jobs add column attempt integer not null default 1`,
  `alter table jobs add column catch_up integer not null default 0`,
  `alter table jobs add column request text`,
  `alter table jobs add column result text`,
  `alter table jobs add column snapshot_id text`,
  `create index jobs_of_schedule on jobs(schedule_id, number) where schedule_id is not null`,
  `create index jobs_of_snapshot on jobs(snapshot_id) where snapshot_id is not null`,
  `update jobs set snapshot_id = summary ->> 'snapshot_id' where summary is not null`,
  `alter table repositories add column admin_set integer not null default 0`,
  `alter table repositories add column admin_username text`,
  `alter table repositories add column admin_rest_password_sealed blob`,
  `alter table repositories add column admin_environment_sealed blob`,
  `alter table repositories add column restore_size integer`,
  `alter table repositories add column snapshots_count integer`,
  `create table repository_locks (
     repository_id text not null references repositories(id) on delete cascade, id text not null, at integer not null,
     exclusive integer not null, hostname text not null, username text, pid integer,
     primary key (repository_id, id)
   ) strict, without rowid`,
  `create table maintenance (
     repository_id text not null references repositories(id) on delete cascade, kind text not null,
     enabled integer not null, cron text not null, read_data_percent real, next_part integer not null default 1,
     considered_at integer not null, last_job_id text, last_at integer, last_status text, last_reason text,
     last_success_at integer, failing_since integer, primary key (repository_id, kind)
   ) strict, without rowid`,
  `insert into maintenance (repository_id, kind, enabled, cron, read_data_percent, considered_at)
     select id, 'forget', 1, '0 3 * * *', null, created_at from repositories`,
  `insert into maintenance (repository_id, kind, enabled, cron, read_data_percent, considered_at)
     select id, 'prune', 1, '0 4 * * 0', null, created_at from repositories`,
  `insert into maintenance (repository_id, kind, enabled, cron, read_data_percent, considered_at)
     select id, 'check', 1, '0 5 1 * *', 5, created_at from repositories`,
  `create table snapshot_losses (
     host_id text not null references hosts(id) on delete cascade, noticed_at integer not null,
     count integer not null, newest_time integer not null, primary key (host_id, noticed_at)
   ) strict, without rowid`,
];

export const schedulesAndMaintenance: Migration = {
  async up(db: Kysely<unknown>) {
    for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
  },
};
