import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

const STATEMENTS = [
  // With what was known of the snapshot then, so that a pinned one that is gone can still be named. No reference to its host, which it outlives.
  `create table snapshot_pins (
     repository_id text not null references repositories(id) on delete cascade, snapshot_id text not null,
     pinned_by text not null, pinned_at integer not null, reason text not null, host_id text, time integer not null,
     hostname text not null, username text, tags text not null, paths text not null, files integer, bytes integer,
     bytes_added integer, primary key (snapshot_id, repository_id)
   ) strict, without rowid`,
  `create table forget_removals (
     job_id text not null references jobs(id) on delete cascade, snapshot_id text not null, repository_id text not null,
     primary key (snapshot_id, job_id)
   ) strict, without rowid`,
  `create index forget_removals_of_job on forget_removals(job_id)`,
  // Lists of all hosts by time, and whose lists hold a snapshot.
  `create index snapshots_by_time on snapshots(time, id)`,
  `create index snapshots_by_id on snapshots(id)`,
  `create index snapshots_of_host on snapshots(host_id, report_id, hostname, time)`,
  `create index repository_snapshots_by_time on repository_snapshots(time, id)`,
  `create index repository_snapshots_of_host on repository_snapshots(repository_id, report_id, hostname, time)`,
];

/** Snapshots that a person pinned, what a forget was ordered to remove, and lists of snapshots of all hosts. */
export const pins: Migration = {
  async up(db: Kysely<unknown>) {
    for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
  },
};
