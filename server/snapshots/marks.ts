// What tells a person whether a snapshot is worth restoring: the job that made it, whether it is whole, whether it is much smaller than
// the one before, whether it is pinned and whether retention counts it. The one place that defines these words.
import { sql } from "kysely";
import { filesOf, type Summary } from "../../shared/job.ts";
import type { SnapshotMarks } from "../../shared/shapes/snapshot.ts";
import type { Db } from "../database/open.ts";
import { samePlaces } from "../retention/pins.ts";

/** A snapshot as a list holds it. */
export interface ListRow {
  id: string;
  repository_id: string;
  /** In whose list it is. */
  host_id: string | null;
  files: number | null;
  bytes: number | null;
}

export interface Marks extends SnapshotMarks {
  /** Of its job. */
  warnings: number | null;
  /** The one before, where this one is much smaller. */
  before: { id: string } & Sizes | null;
}

interface Sizes {
  files: number | null;
  bytes: number | null;
}

interface JobOfSnapshot {
  id: string;
  status: string;
  warnings: number;
  reason_code: string | null;
  accepted_at: number | null;
  started_at: number | null;
  finished_at: number | null;
  duration_ms: number | null;
  summary: string | null;
}

/** Less than half of the files or of the bytes. What is not known of either is not compared. */
export function isMuchSmaller(one: Sizes, before: Sizes): boolean {
  const isHalf = (a: number | null, b: number | null) => a !== null && b !== null && a * 2 < b;
  return isHalf(one.files, before.files) || isHalf(one.bytes, before.bytes);
}

/** Its job had warnings, or did not succeed and nobody has said that this is right. */
export function isIncomplete(job: Pick<JobOfSnapshot, "status" | "warnings" | "accepted_at">) {
  return job.warnings > 0 || (job.status !== "succeeded" && job.accepted_at === null);
}

/** The marks of each, in the same order. */
export async function marksOf(db: Db, rows: ListRow[]): Promise<Marks[]> {
  if (rows.length === 0) return [];
  const keys = JSON.stringify(rows.map(({ id, repository_id, host_id }, n) => ({
    n,
    id,
    repository: repository_id,
    host: host_id,
  })));
  const befores = await beforesOf(db, keys);
  const jobs = await jobsOf(db, keys);
  const sizesBefore = await sizesOf(db, rows, befores);
  const pins = await pinsOf(db, keys);
  const claims = await claimsOf(db, keys);
  return rows.map((row, n) => {
    const job = jobs.get(n);
    const sizes = withSummary(row, job);
    const before = sizesBefore.get(n);
    const pin = pins.get(n) ?? null;
    const isSmaller = before !== undefined && isMuchSmaller(sizes, before);
    const isLess = job?.reason_code === "less_than_usual" && job.accepted_at === null;
    return {
      ...sizes,
      job_id: job?.id ?? null,
      seconds: job ? secondsOf(job) : null,
      warnings: job?.warnings ?? null,
      incomplete: job ? isIncomplete(job) : null,
      much_smaller: isSmaller || isLess,
      before: isSmaller ? before : null,
      pinned: pin !== null,
      pin,
      ours: claims.get(n) === "ours",
      withheld: claims.get(n) === "withheld",
    };
  });
}

/** What restic before 0.17 leaves out of its list, the job has. */
function withSummary({ files, bytes }: Sizes, job: JobOfSnapshot | undefined): Sizes {
  if (!job?.summary || (files !== null && bytes !== null)) return { files, bytes };
  const summary = JSON.parse(job.summary) as Summary;
  return { files: files ?? filesOf(summary), bytes: bytes ?? summary.bytes_processed };
}

function secondsOf({ duration_ms, started_at, finished_at }: JobOfSnapshot): number | null {
  if (duration_ms !== null) return duration_ms / 1000;
  return started_at === null || finished_at === null
    ? null
    : Math.max(0, finished_at - started_at) / 1000;
}

/** Of the host in whose list it is: others say of it what they like. Of several that report one snapshot the first. */
async function jobsOf(db: Db, keys: string): Promise<Map<number, JobOfSnapshot>> {
  const { rows } = await sql<JobOfSnapshot & { n: number }>`
    select key.value ->> 'n' as n, jobs.id, status, warnings, reason_code, accepted_at, started_at, finished_at,
      duration_ms, summary
    from json_each(${keys}) as key join jobs on jobs.snapshot_id = key.value ->> 'id'
      and jobs.host_id = key.value ->> 'host' and jobs.repository_id = key.value ->> 'repository'
    order by jobs.number desc`.execute(db);
  return new Map(rows.map(({ n, ...job }) => [n, job]));
}

type Before = { id: string } & Sizes;

/** So many before one are looked at: a list in which each has other tags would be gone through for each of them. */
const LOOKED_BACK = 100;

/** The one before of the same host name and tags in the same list; without tags, of the same paths. */
export async function beforesOf(db: Db, keys: string): Promise<Map<number, Before>> {
  const { rows } = await sql<{ n: number; before: string | null }>`
    select key.value ->> 'n' as n, (select json_object('id', id, 'files', files, 'bytes', bytes) from (
        select * from snapshots as before where before.host_id = s.host_id and before.report_id = s.report_id
          and before.hostname = s.hostname and before.time <= s.time and (before.time, before.id) < (s.time, s.id)
          order by before.time desc, before.id desc limit ${LOOKED_BACK}) as before
        where before.tags = s.tags and (s.tags <> '[]' or before.paths = s.paths)
        order by time desc, id desc limit 1) as before
    from json_each(${keys}) as key join hosts on hosts.id = key.value ->> 'host'
      join snapshots as s on s.host_id = hosts.id and s.report_id = hosts.snapshots_report_id
        and s.id = key.value ->> 'id'
    union all
    select key.value ->> 'n' as n, (select json_object('id', id, 'files', files, 'bytes', bytes) from (
        select * from repository_snapshots as before where before.repository_id = w.repository_id
          and before.report_id = w.report_id and before.hostname = w.hostname
          and before.time <= w.time and (before.time, before.id) < (w.time, w.id)
          order by before.time desc, before.id desc limit ${LOOKED_BACK}) as before
        where before.tags = w.tags and (w.tags <> '[]' or before.paths = w.paths)
        order by time desc, id desc limit 1) as before
    from json_each(${keys}) as key join repositories on repositories.id = key.value ->> 'repository'
      join repository_snapshots as w on w.repository_id = repositories.id
        and w.report_id = repositories.listing_report_id and w.id = key.value ->> 'id'
    where key.value ->> 'host' is null`.execute(db);
  return new Map(
    rows.flatMap(({ n, before }) => before === null ? [] : [[n, JSON.parse(before)]]),
  );
}

/** The same with what their jobs know. */
async function sizesOf(
  db: Db,
  rows: ListRow[],
  befores: Map<number, Before>,
): Promise<Map<number, Before>> {
  const keys = [...befores].map(([n, { id }]) => ({
    n,
    id,
    repository: rows[n]!.repository_id,
    host: rows[n]!.host_id,
  }));
  const jobs = await jobsOf(db, JSON.stringify(keys));
  return new Map(
    [...befores].map(([n, before]) => [n, { ...before, ...withSummary(before, jobs.get(n)) }]),
  );
}

async function pinsOf(db: Db, keys: string): Promise<Map<number, SnapshotMarks["pin"]>> {
  const { rows } = await sql<{ n: number; by: string; at: number; reason: string }>`
    select key.value ->> 'n' as n, pinned_by as "by", pinned_at as "at", reason
    from json_each(${keys}) as key join snapshot_pins as pin on pin.snapshot_id = key.value ->> 'id'
    where pin.repository_id in ${samePlaces(sql<string>`key.value ->> 'repository'`)}
    order by pinned_at desc`.execute(db);
  return new Map(rows.map(({ n, ...pin }) => [n, pin]));
}

/** "ours", "withheld", or nothing: claimed by no job or by more than one. */
async function claimsOf(db: Db, keys: string): Promise<Map<number, "ours" | "withheld">> {
  const { rows } = await sql<{ n: number; state: "ours" | "withheld" }>`
    select key.value ->> 'n' as n, case when max(withheld) = 1 then 'withheld' else 'ours' end as state
    from json_each(${keys}) as key join snapshot_claims as claim
      on claim.repository_id = key.value ->> 'repository' and claim.snapshot_id = key.value ->> 'id'
    where claim.confirmed = 1 and claim.source_group_id is not null
    group by n having count(*) = 1`.execute(db);
  return new Map(rows.map(({ n, state }) => [n, state]));
}
