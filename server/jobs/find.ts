import { apiLimits } from "../../shared/bandwidth.ts";
import type { Selectable } from "kysely";
import type { JobStatus } from "../../shared/job.ts";
import { type Job as JobShape, RestoreAsked } from "../../shared/shapes/job.ts";
import type { JobsTable } from "../database/tables.ts";
import { AppError } from "../errors.ts";
import { numberCursor, type Page, type PageInput, pageOf } from "../paging.ts";
import type { Server } from "../server.ts";
import { isDryRun, requestOf } from "./request.ts";
import type { JobKind } from "../../shared/job_kinds/all.ts";

export type JobRow = Selectable<JobsTable>;

/** As the API shows it, with what the server needs besides. */
export interface Job extends JobShape {
  number: number;
  host_online: boolean;
}

export interface JobFilter {
  host?: string;
  repository?: string;
  kind?: JobKind;
  status?: JobStatus;
}

export async function findJobRow({ db }: Server, id: string): Promise<JobRow | undefined> {
  // Without its host it is only there until it has been removed.
  return await db.selectFrom("jobs").innerJoin("hosts", "hosts.id", "jobs.host_id")
    .selectAll("jobs").where("jobs.id", "=", id).executeTakeFirst();
}

export async function getJobRow(server: Server, id: string): Promise<JobRow> {
  const row = await findJobRow(server, id);
  if (!row) throw new AppError("not_found", "There is no such job.");
  return row;
}

export async function getJob(server: Server, id: string): Promise<Job> {
  const row = await jobRows(server).where("jobs.id", "=", id).executeTakeFirst();
  if (!row) throw new AppError("not_found", "There is no such job.");
  return toJob(server, row);
}

/** The newest first. */
export async function listJobs(
  server: Server,
  filter: JobFilter,
  input: PageInput,
): Promise<Page<Job>> {
  let query = jobRows(server).orderBy("jobs.number", "desc").limit(input.limit + 1);
  const before = numberCursor(input);
  if (before !== null) query = query.where("jobs.number", "<", before);
  if (filter.host) query = query.where("jobs.host_id", "=", filter.host);
  if (filter.repository) query = query.where("jobs.repository_id", "=", filter.repository);
  if (filter.kind) query = query.where("jobs.kind", "=", filter.kind);
  if (filter.status) query = query.where("jobs.status", "=", filter.status);
  return pageOf(await query.execute(), input, (row) => row.number, (row) => toJob(server, row));
}

function jobRows({ db }: Server) {
  return db.selectFrom("jobs").innerJoin("hosts", "hosts.id", "jobs.host_id")
    .selectAll("jobs").select("hosts.name as host_name");
}

function toJob(server: Server, row: JobRow & { host_name: string }): Job {
  return {
    id: row.id,
    number: row.number,
    host_id: row.host_id,
    host_name: row.host_name,
    host_online: server.agents.isOnline(row.host_id),
    repository_id: row.repository_id,
    kind: row.kind,
    status: row.status,
    actor: { kind: row.actor_kind, id: row.actor_id, name: row.actor_name },
    schedule_id: row.schedule_id,
    source_group_id: row.source_group_id,
    source_group_name: row.source_group_name,
    scheduled_at: row.scheduled_at,
    created_at: row.created_at,
    started_at: row.started_at,
    finished_at: row.finished_at,
    host_started_at: row.said_started_at,
    host_finished_at: row.said_finished_at,
    finished_received_at: row.finished_received_at,
    duration_seconds: durationOf(row),
    cancel_requested_at: row.cancel_requested_at,
    waiting: row.status === "queued" && row.dispatched_at === null,
    restic_version: row.restic_version,
    exit_code: row.exit_code,
    reason: row.reason,
    reason_code: row.reason_code,
    warnings: row.warnings,
    ...apiLimits(row),
    progress: row.status === "running" ? server.progress.get(row.id) ?? null : null,
    summary: row.summary === null ? null : JSON.parse(row.summary),
    attempt: row.attempt,
    catch_up: row.catch_up === 1,
    dry_run: isDryRun(row),
    forgotten: row.kind === "forget" && row.result !== null ? JSON.parse(row.result) : null,
    restore: row.kind === "restore" ? restoreOf(row) : null,
    withheld: row.withheld,
    accepted_at: row.accepted_at,
    accepted_by: row.accepted_by,
    lines_cut: row.lines_cut,
    lines_removed_at: row.lines_removed_at,
  };
}

/** What is restored, and what it came to. */
function restoreOf(row: JobRow): JobShape["restore"] {
  const { snapshot, items_count, first_items, target, overwrite, verify } = requestOf(
    row,
    RestoreAsked,
  );
  return {
    snapshot_id: snapshot,
    items_count,
    first_items,
    target,
    overwrite,
    verify,
    result: row.result === null ? null : JSON.parse(row.result),
  };
}

/** By the agent's monotonic clock where it told; never negative. */
function durationOf({ duration_ms, started_at, finished_at }: JobRow): number | null {
  if (started_at === null || finished_at === null) return null;
  return Math.max(0, duration_ms ?? finished_at - started_at) / 1000;
}
