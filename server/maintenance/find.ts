// What a repository needs from time to time, and whether it got it.
import type { Selectable } from "kysely";
import { nextRun } from "../../shared/cron.ts";
import { type Problem, problem } from "../../shared/problems.ts";
import type { MaintenanceTable } from "../database/tables.ts";
import type { Server } from "../server.ts";
import { usesAdminCredential } from "./admin_credential.ts";
import { MAINTENANCE_KINDS } from "../../shared/job_kinds/all.ts";
import { listMaintenanceHosts, noHostBecause } from "../repositories/maintenance_hosts.ts";
import type { RepositoryLock } from "../../shared/shapes/maintenance.ts";
import type { MaintenanceTask as TaskShape } from "../../shared/shapes/maintenance.ts";

type OffCode = "no_admin_credential" | "maintenance_host_not_named" | "maintenance_hosts_wait";

/** As the API shows it, but for why it does not run, which is data. */
export interface MaintenanceTask extends Omit<TaskShape, "off_because" | "off_problem"> {
  /** Why it does not run although it is enabled. */
  off_because: Problem<OffCode> | null;
}

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

/** When someone last looked which locks are there: with the repository's size, or by an unlock that came through. */
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
