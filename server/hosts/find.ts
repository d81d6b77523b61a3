import type { Selectable } from "kysely";
import { apiLimits, apiWindow, type LimitWindow } from "../../shared/bandwidth.ts";
import { deceptionIn } from "../../shared/deceptive_name.ts";
import type { JobStatus, Progress } from "../../shared/job.ts";
import type { Problem } from "../../shared/problems.ts";
import type { HostsTable } from "../database/tables.ts";
import { AppError } from "../errors.ts";
import type { Page, PageInput } from "../paging.ts";
import { numberCursor } from "../paging.ts";
import type { Server } from "../server.ts";
import { schedulesOf } from "../schedules/find.ts";
import { shownProblems } from "./agent_problems.ts";
import { healthOf, NEEDS_SOMEBODY } from "./state.ts";
import { type MaintenanceProblem, maintenanceProblems } from "../repositories/problems.ts";
import type { Host as HostShape, RunningJob as RunningShape } from "../../shared/shapes/host.ts";

/** A host as the server works with it: its problems are data, and what runs has its whole progress. */
export interface Host extends Omit<HostShape, "problems" | "problem_details" | "running"> {
  /** What is wrong, the worst first. */
  problems: Problem[];
  urgency: number;
  running: RunningJob[];
}

export interface RunningJob extends Omit<RunningShape, "percent"> {
  progress: Progress | null;
}

export interface HostFilter {
  search?: string;
  state?: string;
  tag?: string;
  sort?: "worst" | "name" | "last_backup";
}

type Row = Selectable<HostsTable> & {
  repository_name: string;
  repository_size: number | null;
  repository_job_status: JobStatus | null;
  repository_job_finished_at: number | null;
  repository_changed_at: number | null;
};

/** Every host as it stands now, in one query for the hosts and one for what runs. */
export async function allHosts(server: Server): Promise<Host[]> {
  return await assemble(server, await hostRows(server).execute() as Row[]);
}

export async function listHosts(
  server: Server,
  filter: HostFilter,
  input: PageInput,
): Promise<Page<Host> & { total: number }> {
  const found = (await allHosts(server)).filter((host) => matches(host, filter));
  found.sort(ORDERS[filter.sort ?? "name"]);
  const from = numberCursor(input) ?? 0;
  const to = from + input.limit;
  return {
    items: await withSchedules(server, found.slice(from, to)),
    next_cursor: to < found.length ? String(to) : null,
    total: found.length,
  };
}

export async function findHost(server: Server, id: string): Promise<Host | undefined> {
  const rows = await hostRows(server).where("hosts.id", "=", id).execute() as Row[];
  return (await withSchedules(server, await assemble(server, rows, id)))[0];
}

/** The next fire times cost too much to be worked out for a whole fleet at every look. */
async function withSchedules(server: Server, hosts: Host[]): Promise<Host[]> {
  const schedules = await schedulesOf(server, hosts.map((host) => host.id));
  return hosts.map((host) => {
    const enabled = (schedules.get(host.id) ?? []).filter((schedule) => schedule.enabled);
    const next = enabled.flatMap((schedule) => schedule.next_run_at ?? []);
    return {
      ...host,
      next_run_at: next.length > 0 ? Math.min(...next) : null,
      schedule: enabled.length === 1 ? { last_run: enabled[0]!.last_run } : null,
    };
  });
}

export async function getHost(server: Server, id: string): Promise<Host> {
  const host = await findHost(server, id);
  if (!host) throw new AppError("not_found", "There is no such host.");
  return host;
}

const ORDERS: Record<NonNullable<HostFilter["sort"]>, (a: Host, b: Host) => number> = {
  name: (a, b) => byName(a, b),
  worst: (a, b) => b.urgency - a.urgency || byName(a, b),
  last_backup: (a, b) => (b.last_backup?.at ?? 0) - (a.last_backup?.at ?? 0) || byName(a, b),
};

function byName(a: Host, b: Host): number {
  const [x, y] = [a.name.toLowerCase(), b.name.toLowerCase()];
  return x < y ? -1 : x > y ? 1 : 0;
}

function matches(host: Host, filter: HostFilter): boolean {
  if (filter.tag && !host.tags.includes(filter.tag)) return false;
  if (filter.state && !isIn(filter.state, host)) return false;
  const wanted = filter.search?.trim().toLowerCase();
  if (!wanted) return true;
  return [host.name, host.hostname, host.os, ...host.tags].some((text) =>
    text.toLowerCase().includes(wanted)
  );
}

/** The same hosts that the fleet's summary counts under that word. */
function isIn(state: string, host: Host): boolean {
  if (state === "attention") return host.urgency >= NEEDS_SOMEBODY;
  if (state === "offline") return !host.online;
  return host.state === state;
}

function hostRows({ db }: Server) {
  return db.selectFrom("hosts")
    .innerJoin("repositories", "repositories.id", "hosts.repository_id")
    .leftJoin("jobs", "jobs.id", "hosts.repository_job_id")
    .selectAll("hosts")
    .select((query) =>
      query.selectFrom("repository_ids").select(({ fn }) => fn.min("other_at").as("at"))
        .where("other_id", "is not", null)
        .whereRef("repository_ids.repository_id", "=", "hosts.repository_id")
        .where((where) =>
          where.or([
            where("repository_ids.host_id", "is", null),
            where("repository_ids.host_id", "=", where.ref("hosts.id")),
          ])
        ).as("repository_changed_at")
    )
    .select([
      "repositories.name as repository_name",
      "repositories.total_size as repository_size",
      "jobs.status as repository_job_status",
      "jobs.finished_at as repository_job_finished_at",
    ]);
}

async function assemble(server: Server, rows: Row[], onlyHost?: string): Promise<Host[]> {
  if (rows.length === 0) return [];
  const open = await openJobs(server, onlyHost);
  const problems = await maintenanceProblems(server);
  return rows.map((row) =>
    toHost(server, row, open.get(row.id) ?? [], problems.get(row.repository_id) ?? [])
  );
}

async function openJobs(server: Server, onlyHost?: string): Promise<Map<string, RunningJob[]>> {
  let query = server.db.selectFrom("jobs")
    .select(["id", "host_id", "kind", "status", "source_group_name", "started_at", "created_at"])
    .where("status", "in", ["queued", "running"]).orderBy("number");
  if (onlyHost) query = query.where("host_id", "=", onlyHost);
  const byHost = new Map<string, RunningJob[]>();
  for (const { host_id, ...job } of await query.execute()) {
    const list = byHost.get(host_id) ?? [];
    list.push({ ...job, progress: server.progress.get(job.id) ?? null });
    byHost.set(host_id, list);
  }
  return byHost;
}

function toHost(
  server: Server,
  row: Row,
  running: RunningJob[],
  maintenance_problems: MaintenanceProblem[],
): Host {
  const online = server.agents.isOnline(row.id);
  const repository_state = repositoryState(row);
  const agent_problems = shownProblems(row.agent_problems);
  const health = healthOf({
    ...row,
    online,
    running: isAtWork(online, running),
    repository_job_failed: repository_state === "failed",
    maintenance_problems,
    agent_problems,
  }, server.now());
  return {
    id: row.id,
    name: row.name,
    snapshot_host: row.snapshot_host,
    ...machineOf(row),
    brakes: row.brakes === null ? null : JSON.parse(row.brakes),
    tags: JSON.parse(row.tags),
    online,
    ...health,
    agent_problems,
    last_seen_at: row.last_seen_at,
    on_hold_since: row.on_hold_since,
    doubted_since: row.doubted_since,
    time_zone: row.time_zone,
    repository_id: row.repository_id,
    repository_name: row.repository_name,
    approved_roots: JSON.parse(row.approved_roots),
    approved_repository_ids: JSON.parse(row.approved_repository_ids),
    repository_state,
    repository_ready_at: row.repository_ready_at,
    repository_job_id: row.repository_job_id,
    ...apiLimits(row),
    bandwidth_windows: (JSON.parse(row.bandwidth_windows) as LimitWindow[]).map(apiWindow),
    plan_version: row.plan_version,
    applied_plan_version: row.applied_plan_version,
    last_backup: lastBackup(row),
    last_success_at: row.last_success_at,
    snapshots_count: row.snapshots_count,
    snapshots_cut: row.snapshots_cut,
    snapshots_refreshed_at: row.snapshots_refreshed_at,
    repository_size: row.repository_size,
    next_run_at: null,
    schedule: null,
    running,
    created_at: row.created_at,
  };
}

/** As its agent said it last. */
function machineOf(row: Row) {
  return {
    hostname: row.hostname,
    hostname_warning: deceptionIn(row.hostname)?.sentence ?? null,
    os: row.os,
    arch: row.arch,
    agent_version: row.agent_version,
    restic_version: row.restic_version,
    restic_problem: row.restic_problem,
    protocol_version: row.protocol_version,
    boot_time: row.boot_time,
    clock_skew_seconds: inSeconds(row.clock_skew_ms),
  };
}

/** What was running when the connection went away is not known to run. */
function isAtWork(online: boolean, running: RunningJob[]): boolean {
  return online && running.some((job) => job.status === "running");
}

function inSeconds(ms: number | null): number | null {
  return ms === null ? null : Math.round(ms / 1000);
}

function lastBackup(row: Row): Host["last_backup"] {
  if (row.last_backup_job_id === null) return null;
  return {
    job_id: row.last_backup_job_id,
    at: row.last_backup_at!,
    status: row.last_backup_status!,
    warnings: row.last_backup_warnings,
    reason: row.last_backup_reason,
  };
}

function repositoryState(row: Row): Host["repository_state"] {
  const status = row.repository_job_status;
  if (status === "queued" || status === "running") return "working";
  if (row.repository_ready_at !== null) return "ready";
  return status === null ? "none" : "failed";
}
