// The hosts to which a repository's admin credential may be sent. An admin names them; nothing that an agent says of itself
// does, and one whose bearer was made again since waits until an admin has named it again.
import type { Kysely, Transaction } from "kysely";
import { type Problem, problem } from "../../shared/problems.ts";
import type { Change } from "../change.ts";
import type { Tables } from "../database/tables.ts";
import { AppError } from "../errors.ts";
import { needAdmin } from "../rights.ts";
import type { Actor } from "../server.ts";
import type { MaintenanceHost } from "../../shared/shapes/maintenance.ts";

/** By name. */
export async function listMaintenanceHosts(
  db: Kysely<Tables>,
  repositoryId: string,
): Promise<MaintenanceHost[]> {
  return await db.selectFrom("maintenance_hosts")
    // One that was bound to another repository since is named no more.
    .innerJoin("hosts", (join) =>
      join.onRef("hosts.id", "=", "maintenance_hosts.host_id")
        .onRef("hosts.repository_id", "=", "maintenance_hosts.repository_id"))
    .select(["hosts.id", "hosts.name", "waits_since"])
    .where("maintenance_hosts.repository_id", "=", repositoryId).orderBy("hosts.name").execute();
}

/** Whether the host may hold the admin credential now. */
export async function mayHoldAdminCredential(
  db: Kysely<Tables>,
  repositoryId: string,
  hostId: string,
): Promise<boolean> {
  const named = await listMaintenanceHosts(db, repositoryId);
  return named.some(({ id, waits_since }) => id === hostId && waits_since === null);
}

/**
 * Names these hosts, and no others; naming one that waits is the word that it waits for. Throws forbidden unless an admin
 * asks, invalid with the field for one that does not use the repository.
 */
export async function nameMaintenanceHosts(
  { tx, actor, now, audit }: Change,
  repository: { id: string; name: string },
  hostIds: string[],
): Promise<void> {
  needAdmin(
    actor,
    "host_ids",
    "host_ids says which hosts may hold the admin credential, and may only be set by an admin.",
  );
  const ids = [...new Set(hostIds)];
  const hosts = await tx.selectFrom("hosts").select(["id", "doubted_since"])
    .where("repository_id", "=", repository.id).where("id", "in", ids).execute();
  const foreign = hostIds.findIndex((id) => !hosts.some((host) => host.id === id));
  if (foreign >= 0) {
    const field = `host_ids.${foreign}`;
    throw new AppError("invalid", `${field} must be a host that uses this repository.`, field);
  }
  await tx.deleteFrom("maintenance_hosts").where("repository_id", "=", repository.id).execute();
  for (const id of ids) await insertNamed({ tx, actor, now }, repository.id, id);
  // Which of two machines is meant is said there, and the host named again afterwards.
  for (const { id, doubted_since } of hosts) {
    if (doubted_since !== null) await letWait(tx, now, id);
  }
  await audit({
    action: "repository.maintenance_hosts_named",
    target: { kind: "repository", id: repository.id, name: repository.name },
    detail: { host_ids: ids },
  });
}

/** With a new host, whose admin ticked it. */
export async function insertNamed(
  { tx, actor, now }: { tx: Transaction<Tables>; actor: Pick<Actor, "name">; now: number },
  repositoryId: string,
  hostId: string,
): Promise<void> {
  await tx.insertInto("maintenance_hosts").values({
    repository_id: repositoryId,
    host_id: hostId,
    named_by: actor.name,
    named_at: now,
    waits_since: null,
  }).execute();
}

/** Its bearer is another one, or its identity is in doubt: wherever it is named it waits for an admin's word. */
export async function letWait(tx: Transaction<Tables>, now: number, hostId: string): Promise<void> {
  await tx.updateTable("maintenance_hosts").set({ waits_since: now })
    .where("host_id", "=", hostId).where("waits_since", "is", null).execute();
}

/** Why the admin credential of a repository, which was last changed then, goes nowhere; null when it may. */
export function noHostBecause(
  named: MaintenanceHost[],
  { updated_at }: { updated_at: number },
): Problem<"maintenance_host_not_named" | "maintenance_hosts_wait"> | null {
  if (named.length === 0) return problem("maintenance_host_not_named", updated_at, {});
  const waits = named.map(({ waits_since }) => waits_since).filter((since) => since !== null);
  if (waits.length < named.length) return null;
  const host_names = named.map(({ name }) => name);
  // The last one that had it until then.
  return problem("maintenance_hosts_wait", Math.max(...waits), { host_names });
}
