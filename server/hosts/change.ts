import type { Transaction } from "kysely";
import { z } from "zod";
import { hostName, id, paths, tags, timeZone } from "../../shared/fields.ts";
import { recordAudit } from "../audit/record.ts";
import { AppError } from "../errors.ts";
import type { Tables } from "../database/tables.ts";
import { getRepositoryRow } from "../repositories/find.ts";
import { needAdmin } from "../rights.ts";
import type { Actor, Server } from "../server.ts";
import { refuseTakenName } from "./names.ts";
import { refuseUnapprovedRepository, refuseUnlessOpen } from "../approvals.ts";

export const HostChange = z.strictObject({
  name: hostName.optional(),
  tags: tags.optional(),
  time_zone: timeZone.optional(),
  repository_id: id.optional(),
  /** The folders below which operators may choose paths to back up or to restore to. Admins only. */
  approved_roots: paths.optional(),
  /** The repositories to which operators may bind the host. Admins only. */
  approved_repository_ids: z.array(id, "must be a list of repositories' ids")
    .max(500, "must be at most 500 repositories").optional(),
});
export type HostChange = z.infer<typeof HostChange>;

/**
 * Renaming keeps the name under which snapshots stand. Another repository is made or opened at once; one that an admin binds
 * is approved by that. Throws forbidden with the field for what an operator may not.
 */
export async function changeHost(
  server: Server,
  actor: Actor,
  hostId: string,
  input: HostChange,
): Promise<void> {
  for (const field of ["approved_roots", "approved_repository_ids"] as const) {
    if (input[field]) needAdmin(actor, field, `${field} may only be set by an admin.`);
  }
  const wanted = input.repository_id && await getRepositoryRow(server, input.repository_id);
  let moved = false;
  await server.db.transaction().execute(async (tx) => {
    const host = await tx.selectFrom("hosts").select([
      "name",
      "repository_id",
      "approved_repository_ids",
    ]).where("id", "=", hostId).executeTakeFirst();
    if (!host) throw new AppError("not_found", "There is no such host.");
    if (input.name && input.name !== host.name) {
      await refuseTakenName(tx, server.now(), input.name, { field: "name", hostId });
    }
    moved = input.repository_id !== undefined && input.repository_id !== host.repository_id;
    if (moved && wanted) {
      refuseUnlessOpen(actor, wanted);
      refuseUnapprovedRepository(actor, host, wanted.id);
      // Where it comes back to, an admin names it again.
      await tx.deleteFrom("maintenance_hosts").where("host_id", "=", hostId).execute();
    }
    const approved = await approvedIds(tx, host, input);
    await tx.updateTable("hosts").set((expression) => ({
      approved_repository_ids: JSON.stringify(approved),
      ...(input.approved_roots
        ? { approved_roots: JSON.stringify([...new Set(input.approved_roots)]) }
        : {}),
      plan_version: expression("plan_version", "+", 1),
      ...(input.name ? { name: input.name } : {}),
      ...(input.tags ? { tags: JSON.stringify([...new Set(input.tags)]) } : {}),
      ...(input.time_zone ? { time_zone: input.time_zone } : {}),
      ...(moved
        ? {
          repository_id: input.repository_id,
          repository_ready_at: null,
          repository_job_id: null,
          snapshots_report_id: null,
          snapshots_refreshed_at: null,
          snapshots_count: null,
        }
        : {}),
    })).where("id", "=", hostId).execute();
    await server.plan.refuseUnlessTaken(server, tx, hostId);
    await recordAudit(tx, server.now(), actor, {
      action: "host.changed",
      target: { kind: "host", id: hostId, name: input.name ?? host.name },
      detail: { ...input, ...(input.name ? { was: host.name } : {}) },
    });
  });
  await server.plan.pushConfig(server, hostId);
  if (moved) await server.work.ensureRepository(server, hostId);
  server.events.publish({ type: "host", hostId });
}

/** What is bound is approved: only an admin binds what was not. Throws invalid for an id that is no repository's. */
async function approvedIds(
  tx: Transaction<Tables>,
  host: { repository_id: string; approved_repository_ids: string },
  { repository_id, approved_repository_ids }: HostChange,
): Promise<string[]> {
  const given = approved_repository_ids ?? JSON.parse(host.approved_repository_ids) as string[];
  const rows = given.length === 0
    ? []
    : await tx.selectFrom("repositories").select("id").where("id", "in", given).execute();
  const known = new Set(rows.map(({ id }) => id));
  const n = approved_repository_ids?.findIndex((id) => !known.has(id)) ?? -1;
  if (n >= 0) {
    const field = `approved_repository_ids.${n}`;
    throw new AppError("invalid", `${field} must be the id of a repository.`, field);
  }
  return [
    ...new Set([...given.filter((id) => known.has(id)), repository_id ?? host.repository_id]),
  ];
}
