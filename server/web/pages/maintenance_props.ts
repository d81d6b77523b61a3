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
  const locks = await listLocks(server, id);
  return {
    frame: await frameOf(server, c),
    repository,
    tasks: await listMaintenance(server, id),
    locks: locks.map((lock) => ({
      ...lock,
      isStale: server.now() - lock.at > STALE_LOCK_AFTER,
    })),
    leases: await leaseHolders(server, id),
    locks_seen_at: await locksSeenAt(server, id),
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
      // Naming one that waits again is an act of its own, not what saving another one brings along.
      ...named.map((host) => ({ ...host, isNamed: host.waits_since === null })),
      ...shown.map((host) => ({ ...host, isNamed: false, waits_since: null })),
    ],
    hiddenHosts: others.length - shown.length,
    noHolder: noHostBecause(named, repository),
  };
}
