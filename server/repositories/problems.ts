// What is wrong with a repository, and with it with each of its hosts.
import { sql } from "kysely";
import { hasEnded } from "../../shared/job.ts";
import { type Problem, problem, type ProblemCode } from "../../shared/problems.ts";
import type { Server } from "../server.ts";
import type { MaintenanceKind } from "../../shared/job_kinds/all.ts";

const DAY = 86_400_000;

/** A failure that lasts this long is no accident any more. */
const STUCK_AFTER = 7 * DAY;

const FAILED = {
  forget: "forget_failed",
  prune: "prune_failed",
  check: "check_failed",
} as const satisfies Record<MaintenanceKind, ProblemCode>;

/** What a repository's maintenance can have, and with it each of its hosts. */
export type MaintenanceProblem = Problem<
  typeof FAILED[MaintenanceKind] | "no_maintenance_host" | "lease_not_ended"
>;

/** Of each repository that needs someone: why, backups may be green all the while. */
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

/** Longer than an agent is away when its machine is started again. */
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
