import type { Transaction } from "kysely";
import { change } from "../change.ts";
import type { Tables } from "../database/tables.ts";
import { getRepositoryRow } from "../repositories/find.ts";
import { needAdmin } from "../rights.ts";
import type { Actor, Server } from "../server.ts";
import { usesAdminCredential } from "./admin_credential.ts";
import type { MaintenanceInput } from "./fields.ts";
import { MAINTENANCE_KINDS, type MaintenanceKind } from "../../shared/job_kinds/all.ts";
import { nameMaintenanceHosts } from "../repositories/maintenance_hosts.ts";

/**
 * Changes the cadences that are given, of which a new one counts from now, and names the hosts. Throws forbidden for what only
 * an admin changes: host_ids, and when that happens which uses the admin credential.
 */
export async function changeMaintenance(
  server: Server,
  actor: Actor,
  repositoryId: string,
  input: MaintenanceInput,
): Promise<void> {
  const repository = await getRepositoryRow(server, repositoryId);
  await change(server, actor, async (act) => {
    const { tx, now } = act;
    for (const kind of MAINTENANCE_KINDS) {
      const task = input[kind];
      if (!task) continue;
      if (usesAdminCredential(repository, kind)) {
        await refuseOtherCadence(tx, actor, repository, { kind, ...task });
      }
      const percent = kind === "check" ? input.check!.read_data_percent : undefined;
      await tx.updateTable("maintenance").set({
        enabled: task.enabled ? 1 : 0,
        cron: task.cron,
        considered_at: now,
        // What was failing before someone looked after it is not held against the new cadence.
        ...(task.enabled ? {} : { failing_since: null }),
        ...(percent === undefined ? {} : { read_data_percent: percent, next_part: 1 }),
      }).where("repository_id", "=", repositoryId).where("kind", "=", kind).execute();
    }
    const { host_ids, ...cadences } = input;
    if (host_ids) await nameMaintenanceHosts(act, repository, host_ids);
    if (Object.keys(cadences).length === 0) return;
    await act.audit({
      action: "repository.maintenance_changed",
      target: { kind: "repository", id: repositoryId, name: repository.name },
      detail: cadences,
    });
  });
}

/** Anyone who says when it runs starts it; what is as it was may be sent again. */
async function refuseOtherCadence(
  tx: Transaction<Tables>,
  actor: Actor,
  repository: { id: string },
  { kind, enabled, cron }: { kind: MaintenanceKind; enabled: boolean; cron: string },
): Promise<void> {
  const stored = await tx.selectFrom("maintenance").select(["enabled", "cron"])
    .where("repository_id", "=", repository.id).where("kind", "=", kind).executeTakeFirst();
  if (stored && (stored.enabled === 1) === enabled && stored.cron === cron) return;
  const sentence = `${kind} uses the admin credential of this repository: only admins say when.`;
  needAdmin(actor, kind, sentence);
}
