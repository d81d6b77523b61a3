// Rows put straight into a test server's database, many at once.
import type { Insertable } from "kysely";
import type {
  BackupDaysTable,
  HostsTable,
  JobLinesTable,
  JobsTable,
  SnapshotsTable,
  SourceGroupsTable,
  Tables,
} from "../../server/database/tables.ts";
import { fingerprintOf } from "../../shared/announce.ts";
import { LINE_STREAMS, type LineStream } from "../../shared/job.ts";
import { newId } from "../../shared/new_id.ts";
import { sha256 } from "../../server/random.ts";
import type { TestServer } from "./start_server.ts";

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
export const GIB = 2 ** 30;
/** SQLite takes 32,766 values in one statement. */
const VALUES = 30_000;

export interface SeededHost {
  id: string;
  name: string;
  bearer: string;
  groupId: string;
}

type Row<T> = Partial<Insertable<T>>;

const randomHex = (bytes: number) => crypto.getRandomValues(new Uint8Array(bytes)).toHex();

async function insert(
  { server }: TestServer,
  table: keyof Tables,
  rows: Record<string, unknown>[],
): Promise<void> {
  const step = Math.floor(VALUES / Object.keys(rows[0] ?? { none: 0 }).length);
  for (let from = 0; from < rows.length; from += step) {
    await server.db.insertInto(table).values(rows.slice(from, from + step) as never).execute();
  }
}

/** A repository that was made long ago; returns its id. */
export async function seedRepository(
  test: TestServer,
  name: string,
  url: string,
  sizeBytes: number | null,
): Promise<string> {
  const { body, status } = await test.api("alice", "POST", "/api/repositories", {
    name,
    url,
    password: "a repository password",
    is_new: false,
  });
  if (status !== 201) throw new Error(JSON.stringify(body));
  const now = test.server.now();
  await test.server.db.updateTable("repositories").set({
    initialised_at: now - 90 * DAY,
    total_size: sizeBytes,
    stats_at: sizeBytes === null ? null : now - HOUR,
  }).where("id", "=", body.id).execute();
  return body.id;
}

/** Hosts whose repository is ready, each with one source group. */
export async function seedHosts(
  test: TestServer,
  rows: (Row<HostsTable> & { name: string; repository_id: string })[],
  group: Row<SourceGroupsTable> = {},
): Promise<SeededHost[]> {
  const now = test.server.now();
  const seeded = rows.map((row) => ({
    id: newId(),
    name: row.name,
    bearer: `rma_${newId()}`,
    groupId: newId(),
  }));
  await insert(
    test,
    "hosts",
    rows.map((row, i) => ({
      id: seeded[i]!.id,
      snapshot_host: row.name,
      bearer_hash: sha256(seeded[i]!.bearer),
      tags: "[]",
      repository_ready_at: now - 90 * DAY,
      plan_version: 1,
      applied_plan_version: 1,
      hostname: row.name,
      os: "linux",
      arch: "x86_64",
      agent_version: "0.1.0",
      restic_version: "0.18.0",
      restic_problem: null,
      last_seen_at: now - 3 * HOUR,
      last_backup_job_id: null,
      last_backup_at: null,
      last_backup_status: null,
      last_backup_warnings: 0,
      last_backup_reason: null,
      last_success_at: null,
      snapshots_report_id: null,
      snapshots_refreshed_at: null,
      snapshots_count: null,
      created_at: now - 90 * DAY,
      ...row,
    })),
  );
  await insert(
    test,
    "source_groups",
    seeded.map(({ id, groupId }) => ({
      id: groupId,
      host_id: id,
      name: "system",
      snapshot_tag: "system",
      includes: JSON.stringify(["/etc", "/home", "/srv"]),
      excludes: JSON.stringify(["*.tmp", "/home/*/.cache"]),
      retention: JSON.stringify({ keep_last: 7, keep_daily: 14, keep_weekly: 8 }),
      retry_max: 2,
      retry_backoff_seconds: 60,
      created_at: now - 90 * DAY,
      updated_at: now - 90 * DAY,
      ...group,
    })),
  );
  return seeded;
}

/** Backups that ended, in the order given; returns their ids. */
export async function seedJobs(
  test: TestServer,
  rows: (Row<JobsTable> & { host_id: string; repository_id: string; created_at: number })[],
): Promise<string[]> {
  const ids = rows.map(() => newId());
  await insert(
    test,
    "jobs",
    rows.map((row, i) => ({
      id: ids[i],
      kind: "backup",
      status: "succeeded",
      actor_kind: "user",
      actor_id: test.users.olive.id,
      actor_name: "olive",
      source_group_id: null,
      source_group_name: "system",
      schedule_id: null,
      scheduled_at: null,
      dispatched_at: row.created_at,
      cancel_requested_at: null,
      started_at: row.created_at + 1000,
      finished_at: row.created_at + 3 * MINUTE,
      restic_version: "0.18.0",
      exit_code: 0,
      reason: null,
      reason_code: null,
      warnings: 0,
      bandwidth_up_kib_per_s: null,
      bandwidth_down_kib_per_s: null,
      summary: JSON.stringify({
        snapshot_id: randomHex(32),
        files_new: 12,
        files_changed: 31,
        files_unmodified: 48_211,
        bytes_added: 214 * 2 ** 20,
        bytes_processed: 38 * GIB,
        seconds: 171,
      }),
      ...row,
    })),
  );
  return ids;
}

/** Backs its group up at these times; returns the schedule's id. */
export async function seedSchedule(
  test: TestServer,
  host: SeededHost,
  cron: string,
): Promise<string> {
  const { body, status } = await test.api("alice", "POST", `/api/hosts/${host.id}/schedules`, {
    cron,
    source_group_ids: [host.groupId],
  });
  if (status !== 201) throw new Error(JSON.stringify(body));
  return body.id;
}

export async function seedLines(
  test: TestServer,
  jobId: string,
  lines: { stream?: LineStream; text: string }[],
): Promise<void> {
  const { number, created_at } = await test.server.db.selectFrom("jobs")
    .select(["number", "created_at"]).where("id", "=", jobId).executeTakeFirstOrThrow();
  const rows = lines.map(({ stream = "stdout", text }, i): Insertable<JobLinesTable> => ({
    job_number: number,
    line: i + 1,
    at: created_at + 1000 + i * 7,
    stream: LINE_STREAMS.indexOf(stream),
    text,
  }));
  await insert(test, "job_lines", rows as never);
}

/** The list that is in force, the newest first. */
export async function seedSnapshots(
  test: TestServer,
  hostId: string,
  rows: (Row<SnapshotsTable> & { time: number })[],
): Promise<void> {
  const reportId = newId();
  await insert(
    test,
    "snapshots",
    rows.map((row) => ({
      host_id: hostId,
      report_id: reportId,
      id: randomHex(32),
      tags: JSON.stringify(["system"]),
      paths: JSON.stringify(["/etc", "/home", "/srv"]),
      hostname: "machine",
      username: "root",
      parent: null,
      files: 48_254,
      bytes: 38 * GIB,
      bytes_added: 214 * 2 ** 20,
      ...row,
    })),
  );
  await test.server.db.updateTable("hosts").set({
    snapshots_report_id: reportId,
    snapshots_refreshed_at: test.server.now() - HOUR,
    snapshots_count: rows.length,
  }).where("id", "=", hostId).execute();
}

/** Thirty letters, today's last: `+` backed up, `!` with warnings, `x` failed, `.` none. */
export async function seedDays(test: TestServer, hostId: string, days: string): Promise<void> {
  const today = Math.floor(test.server.now() / DAY);
  const rows = [...days].flatMap((letter, i): Insertable<BackupDaysTable>[] =>
    letter === "." ? [] : [{
      host_id: hostId,
      day: today - days.length + 1 + i,
      succeeded: Number(letter === "+"),
      warned: Number(letter === "!"),
      failed: Number(letter === "x"),
    }]
  );
  await insert(test, "backup_days", rows as never);
}

/** Machines that wait, stored past what an announcement may say; returns their ids. */
export async function seedPendingHosts(
  { server }: TestServer,
  rows: Partial<Insertable<Tables["pending_hosts"]>>[],
): Promise<string[]> {
  const now = server.now();
  const full = rows.map((row, n) => {
    const public_key = crypto.getRandomValues(new Uint8Array(32));
    return {
      id: newId(),
      hostname: `pc-${n}`,
      os: "linux",
      arch: "x86_64",
      agent_version: "0.1.0",
      restic_version: null,
      public_key,
      fingerprint: fingerprintOf(public_key),
      announced_from_ip: "203.0.113.7",
      announced_from_network: "203.0.113.7",
      first_seen_at: now,
      last_seen_at: now,
      proven_at: null,
      expires_at: now + HOUR,
      ...row,
    };
  });
  await server.db.insertInto("pending_hosts").values(full).execute();
  return full.map(({ id }) => id);
}
