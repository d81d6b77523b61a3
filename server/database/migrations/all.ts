// Forward only. A released migration is never edited.
import { type Kysely } from "kysely";
import { type Migration, Migrator } from "kysely/migration";
import type { Connection } from "../connection.ts";
import { DatabaseError } from "../database_error.ts";
import type { Tables } from "../tables.ts";
import { first } from "./0001_first.ts";
import { schedulesAndMaintenance } from "./0002_schedules_and_maintenance.ts";
import { hooksAndWindows } from "./0003_hooks_and_windows.ts";
import { pendingHosts } from "./0004_pending_hosts.ts";
import { fsSnapshots } from "./0005_fs_snapshots.ts";
import { hookStopAtError } from "./0006_hook_stop_at_error.ts";
import { repositoryIds } from "./0007_repository_ids.ts";
import { retention } from "./0008_retention.ts";
import { excludes } from "./0009_excludes.ts";
import { rejoin } from "./0010_rejoin.ts";
import { repositoryAccess } from "./0011_repository_access.ts";
import { lastPolicy } from "./0012_last_policy.ts";
import { trust } from "./0013_trust.ts";
import { usersAndAudit } from "./0014_users_and_audit.ts";
import { proofsAndBrakes } from "./0015_proofs_and_brakes.ts";
import { instances } from "./0016_instances.ts";
import { quotas } from "./0017_quotas.ts";
import { clockAndLeases } from "./0018_clock_and_leases.ts";
import { agentProblems } from "./0020_agent_problems.ts";
import { problemFacts } from "./0021_problem_facts.ts";
import { names } from "./0022_names.ts";
import { pins } from "./0023_pins.ts";
import { restores } from "./0024_restores.ts";

export const MIGRATIONS: Record<string, Migration> = {
  "0001_first": first,
  "0002_schedules_and_maintenance": schedulesAndMaintenance,
  "0003_hooks_and_windows": hooksAndWindows,
  "0004_pending_hosts": pendingHosts,
  "0005_fs_snapshots": fsSnapshots,
  "0006_hook_stop_at_error": hookStopAtError,
  "0007_repository_ids": repositoryIds,
  "0008_retention": retention,
  "0009_excludes": excludes,
  "0010_rejoin": rejoin,
  "0011_repository_access": repositoryAccess,
  "0012_last_policy": lastPolicy,
  "0013_trust": trust,
  "0014_users_and_audit": usersAndAudit,
  "0015_proofs_and_brakes": proofsAndBrakes,
  "0016_instances": instances,
  "0017_quotas": quotas,
  "0018_clock_and_leases": clockAndLeases,
  "0020_agent_problems": agentProblems,
  "0021_problem_facts": problemFacts,
  "0022_names": names,
  "0023_pins": pins,
  "0024_restores": restores,
};

/** How old the database is compared with this program. Only reads, so that it may be asked beside a running server. */
export function schemaAge(
  sqlite: Connection,
  migrations: Record<string, Migration> = MIGRATIONS,
): "current" | "older" | "newer" {
  const table = "select 1 from sqlite_master where type = 'table' and name = 'kysely_migration'";
  if (!sqlite.prepare(table).get()) return "older";
  const rows = sqlite.prepare("select name from kysely_migration").all() as { name: string }[];
  const done = new Set(rows.map(({ name }) => name));
  if ([...done].some((name) => !(name in migrations))) return "newer";
  return Object.keys(migrations).every((name) => done.has(name)) ? "current" : "older";
}

/** Brings the database to this program's version in one transaction. Throws DatabaseError. */
export async function migrate(
  db: Kysely<Tables>,
  file: string,
  migrations: Record<string, Migration> = MIGRATIONS,
): Promise<void> {
  const migrator = new Migrator({
    db,
    provider: { getMigrations: () => Promise.resolve(migrations) },
  });
  const { error } = await migrator.migrateToLatest();
  if (!error) return;
  const why = error instanceof Error ? error.message : String(error);
  throw new DatabaseError(
    why.includes("corrupted migrations")
      ? `The database ${file} was written by a newer restic-manager-server; use that version or newer.`
      : `The database ${file} could not be brought to this version and was left as it was: ${why}`,
  );
}
