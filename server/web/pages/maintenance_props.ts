// Maintenance, locks and the admin credential as a repository's page shows them.
import type { MaintenanceProps } from "../../../templates/repositories/maintenance.tsx";
import {
  listLocks,
  listMaintenance,
  locksSeenAt,
  STALE_LOCK_AFTER,
} from "../../maintenance/find.ts";
import { leaseHolders } from "../../jobs/release_lease.ts";
import { getRepository } from "../../repositories/find.ts";
import type { Server } from "../../server.ts";
import type { Ctx } from "../context.ts";
import { frameOf, isAdmin, mayRun } from "./page.ts";
import { listMaintenanceHosts, noHostBecause } from "../../repositories/maintenance_hosts.ts";
import type { Repository } from "../../../shared/shapes/repository.ts";

export async function maintenanceProps(
  server: Server,
  c: Ctx,
  id: string,
): Promise<MaintenanceProps> {
  const repository = await getRepository(server, id);
  const tasks = await listMaintenance(server, id);
  const locks = await listLocks(server, id);
  return {
    frame: await frameOf(server, c),
    repositoryId: id,
    tasks: tasks.map((task) => ({
      kind: task.kind,
      isEnabled: task.enabled,
      cron: task.cron,
      readDataPercent: task.read_data_percent,
      nextRunAt: task.next_run_at,
      lastRun: task.last_run && {
        jobId: task.last_run.job_id,
        at: task.last_run.at,
        status: task.last_run.status,
        reason: task.last_run.reason,
      },
      lastSuccessAt: task.last_success_at,
      offBecause: task.off_because,
      isForAdmins: task.uses_admin_credential,
    })),
    locks: locks.map((lock) => ({
      id: lock.id,
      at: lock.at,
      isExclusive: lock.exclusive,
      hostname: lock.hostname,
      username: lock.username,
      pid: lock.pid,
      isStale: server.now() - lock.at > STALE_LOCK_AFTER,
    })),
    leases: (await leaseHolders(server, id)).map((each) => ({
      jobId: each.job_id,
      kind: each.kind,
      hostId: each.host_id,
      hostName: each.host_name,
      isOnline: each.online,
      since: each.since,
    })),
    seenAt: await locksSeenAt(server, id),
    sizeBytes: repository.total_size,
    restoreBytes: repository.restore_size,
    snapshots: repository.snapshots_count,
    isAdminSet: repository.admin_credential_set,
    ...await holdersOf(server, repository),
    mayChange: mayRun(c),
    mayChangeAdmin: isAdmin(c),
    errors: {},
  };
}

const HOLDERS_SHOWN = 40;

/** Who may hold the admin credential: all that are named, and the first others. */
async function holdersOf(server: Server, repository: Repository) {
  const named = await listMaintenanceHosts(server.db, repository.id);
  const others = repository.hosts.filter(({ id }) => !named.some((host) => host.id === id));
  const shown = others.slice(0, Math.max(0, HOLDERS_SHOWN - named.length));
  return {
    holders: [
      ...named.map(({ id, name, waits_since }) => ({
        id,
        name,
        // Naming it again is an act of its own, not what saving another one brings along.
        isNamed: waits_since === null,
        waitsSince: waits_since,
      })),
      ...shown.map(({ id, name }) => ({ id, name, isNamed: false, waitsSince: null })),
    ],
    hiddenHosts: others.length - shown.length,
    noHolder: noHostBecause(named, repository),
  };
}
