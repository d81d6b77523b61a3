// What a repository needs from time to time, and whether it got it.
import { type Selectable, sql } from "kysely";
import { nextRun } from "../../shared/cron.ts";
import { hasEnded, type JobStatus } from "../../shared/job.ts";
import { type Problem, problem, type ProblemCode } from "../../shared/problems.ts";
import type { MaintenanceTable } from "../database/tables.ts";
import type { Server } from "../server.ts";
import { usesAdminCredential } from "./admin_credential.ts";
import { listMaintenanceHosts, noHostBecause } from "./hosts.ts";
import { MAINTENANCE_KINDS, type MaintenanceKind } from "../../shared/job_kinds/all.ts";

type OffCode = "no_admin_credential" | "maintenance_host_not_named" | "maintenance_hosts_wait";

export interface MaintenanceTask {
  kind: MaintenanceKind;
  enabled: boolean;
  cron: string;
  read_data_percent: number | null;
  next_run_at: number | null;
  last_run: { job_id: string; at: number; status: JobStatus; reason: string | null } | null;
  last_success_at: number | null;
  failing_since: number | null;
  /** Why it does not run although it is enabled. */
  off_because: Problem<OffCode> | null;
  /** Only admins start it now. */
  uses_admin_credential: boolean;
}

export interface RepositoryLock {
  id: string;
  at: number;
  exclusive: boolean;
  hostname: string;
  username: string | null;
  pid: number | null;
}

const DAY = 86_400_000;
/** A failure that lasts this long is no accident any more. */
const STUCK_AFTER = 7 * DAY;
/** A lock that restic itself would call stale: it refreshes its own every five minutes. */
export const STALE_LOCK_AFTER = 30 * 60_000;

export async function listMaintenance(
  server: Server,
  repositoryId: string,
): Promise<MaintenanceTask[]> {
  const rows = await server.db.selectFrom("maintenance").selectAll()
    .where("repository_id", "=", repositoryId).execute();
  const repository = await server.db.selectFrom("repositories").select(["admin_set", "updated_at"])
    .where("id", "=", repositoryId).executeTakeFirst();
  const { admin_set, updated_at } = repository ?? { admin_set: 0, updated_at: 0 };
  const noHost = noHostBecause(await listMaintenanceHosts(server.db, repositoryId), { updated_at });
  const noCredential = problem("no_admin_credential", updated_at, {});
  return MAINTENANCE_KINDS.flatMap((kind) => {
    const row = rows.find((each) => each.kind === kind);
    if (!row) return [];
    const uses_admin_credential = usesAdminCredential({ admin_set }, kind);
    const off_because = uses_admin_credential ? noHost : kind === "prune" ? noCredential : null;
    return [toTask(server, row, { off_because, uses_admin_credential })];
  });
}

function toTask(
  server: Server,
  row: Selectable<MaintenanceTable>,
  { off_because, uses_admin_credential }: Pick<
    MaintenanceTask,
    "off_because" | "uses_admin_credential"
  >,
): MaintenanceTask {
  return {
    kind: row.kind,
    enabled: row.enabled === 1,
    cron: row.cron,
    read_data_percent: row.read_data_percent,
    next_run_at: row.enabled === 1 && !off_because ? nextRun(row.cron, server.now()) : null,
    last_run: row.last_job_id
      ? {
        job_id: row.last_job_id,
        at: row.last_at!,
        status: row.last_status!,
        reason: row.last_reason,
      }
      : null,
    last_success_at: row.last_success_at,
    failing_since: row.failing_since,
    off_because,
    uses_admin_credential,
  };
}

export async function listLocks({ db }: Server, repositoryId: string): Promise<RepositoryLock[]> {
  const rows = await db.selectFrom("repository_locks").selectAll()
    .where("repository_id", "=", repositoryId).orderBy("at").execute();
  return rows.map(({ repository_id: _, exclusive, ...lock }) => ({
    ...lock,
    exclusive: exclusive === 1,
  }));
}

/** When somebody last looked which locks are there: with the repository's size, or by an unlock that came through. */
export async function locksSeenAt({ db }: Server, repositoryId: string): Promise<number | null> {
  const { stats_at } = await db.selectFrom("repositories").select("stats_at")
    .where("id", "=", repositoryId).executeTakeFirstOrThrow();
  const unlock = await db.selectFrom("jobs").select("finished_at")
    .where("repository_id", "=", repositoryId).where("kind", "=", "unlock")
    .where("finished_at", "is not", null)
    .where((is) => is.or([is("status", "=", "succeeded"), is("reason_code", "=", "locked")]))
    .orderBy("number", "desc").limit(1).executeTakeFirst();
  const times = [stats_at, unlock?.finished_at].filter((at) => at !== null && at !== undefined);
  return times.length > 0 ? Math.max(...times) : null;
}

const FAILED = {
  forget: "forget_failed",
  prune: "prune_failed",
  check: "check_failed",
} as const satisfies Record<MaintenanceKind, ProblemCode>;

/** What a repository's maintenance can have, and with it each of its hosts. */
export type MaintenanceProblem = Problem<
  typeof FAILED[MaintenanceKind] | "no_maintenance_host" | "lease_not_ended"
>;

/** Of each repository that needs somebody: why, backups may be green all the while. */
export async function maintenanceProblems(
  server: Server,
): Promise<Map<string, MaintenanceProblem[]>> {
  const found = [
    ...await longFailing(server),
    ...await withoutMaintenanceHost(server),
    ...await lostLeases(server),
  ];
  const problems = new Map<string, MaintenanceProblem[]>();
  for (const { repositoryId, why } of found) {
    problems.set(repositoryId, [...problems.get(repositoryId) ?? [], why]);
  }
  return problems;
}

interface Found {
  repositoryId: string;
  why: MaintenanceProblem;
}

async function longFailing({ db, now }: Server): Promise<Found[]> {
  const rows = await db.selectFrom("maintenance").select([
    "repository_id",
    "kind",
    "failing_since",
    "last_job_id as job_id",
    "last_reason as reason",
    "last_reason_code as reason_code",
  ])
    .where("enabled", "=", 1).where("failing_since", "<", now() - STUCK_AFTER).execute();
  return rows.map(({ repository_id, kind, failing_since, ...failure }) => {
    const since = failing_since!;
    const days = Math.floor((now() - since) / DAY);
    return { repositoryId: repository_id, why: problem(FAILED[kind], since, { days, ...failure }) };
  });
}

/** Longer than an agent is away when its machine is started anew. */
const LEASE_WITHOUT_HOST = 30 * 60_000;

/** Leases of which nobody can say whether their holder's work goes on. */
async function lostLeases(server: Server): Promise<Found[]> {
  const rows = await server.db.selectFrom("leases").innerJoin("jobs", "jobs.id", "leases.job_id")
    .innerJoin("hosts", "hosts.id", "jobs.host_id")
    .select(["jobs.repository_id", "jobs.id as job_id", "jobs.kind", "status", "finished_at"])
    .select(["hosts.id", "hosts.name", "hosts.created_at", "last_seen_at", "heard_ran"])
    .distinct().execute();
  const isAway = ({ id, heard_ran }: { id: string; heard_ran: number | null }) =>
    !server.agents.isOnline(id) && server.clock.ran() - (heard_ran ?? 0) > LEASE_WITHOUT_HOST;
  return rows.filter((row) => hasEnded(row.status) || isAway(row))
    .map(({ repository_id, job_id, kind, id: host_id, name: host_name, ...row }) => {
      const silent = (row.last_seen_at ?? row.created_at) + LEASE_WITHOUT_HOST;
      const since = hasEnded(row.status) ? row.finished_at ?? silent : silent;
      const why = problem("lease_not_ended", since, { job_id, kind, host_id, host_name });
      return { repositoryId: repository_id, why };
    });
}

/** Repositories whose retention or prune is on and needs the admin credential, which no host that was heard lately may hold. */
async function withoutMaintenanceHost({ db, now }: Server): Promise<Found[]> {
  const heard = sql<number>`coalesce(hosts.last_seen_at, hosts.created_at)`;
  const rows = await db.selectFrom("repositories")
    .select(({ selectFrom }) => [
      "repositories.id",
      "updated_at",
      selectFrom("maintenance_hosts").innerJoin(
        "hosts",
        (join) =>
          join.onRef("hosts.id", "=", "maintenance_hosts.host_id")
            .onRef("hosts.repository_id", "=", "maintenance_hosts.repository_id"),
      )
        .select(sql<number | null>`max(${heard})`.as("at"))
        .whereRef("maintenance_hosts.repository_id", "=", "repositories.id")
        .where("waits_since", "is", null).as("heard_at"),
    ])
    .where("admin_set", "=", 1)
    .where(({ exists, selectFrom }) =>
      exists(
        selectFrom("maintenance").select("kind").whereRef("repository_id", "=", "repositories.id")
          .where("enabled", "=", 1).where("kind", "in", ["forget", "prune"]),
      )
    ).execute();
  return rows.filter(({ heard_at }) => heard_at === null || heard_at <= now() - STUCK_AFTER)
    .map(({ id, updated_at, heard_at }) => {
      const since = heard_at === null ? updated_at : heard_at + STUCK_AFTER;
      return { repositoryId: id, why: problem("no_maintenance_host", since, {}) };
    });
}
