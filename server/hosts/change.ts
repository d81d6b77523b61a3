import { z } from "zod";
import { hostName, id, tags, timeZone } from "../../shared/fields.ts";
import { recordAudit } from "../audit/record.ts";
import { AppError } from "../errors.ts";
import { ensureRepository } from "../jobs/ensure_repository.ts";
import { getRepositoryRow } from "../repositories/find.ts";
import type { Actor, Server } from "../server.ts";
import { refuseTakenName } from "./names.ts";
import { pushConfig } from "./push.ts";

export const HostChange = z.strictObject({
  name: hostName.optional(),
  tags: tags.optional(),
  time_zone: timeZone.optional(),
  repository_id: id.optional(),
});
export type HostChange = z.infer<typeof HostChange>;

/** Renaming keeps the name under which snapshots stand. Another repository is made or opened at once. */
export async function changeHost(
  server: Server,
  actor: Actor,
  hostId: string,
  wish: HostChange,
): Promise<void> {
  if (wish.repository_id) await getRepositoryRow(server, wish.repository_id);
  let moved = false;
  await server.db.transaction().execute(async (tx) => {
    const host = await tx.selectFrom("hosts").select(["name", "repository_id"])
      .where("id", "=", hostId).executeTakeFirst();
    if (!host) throw new AppError("not_found", "There is no such host.");
    if (wish.name && wish.name !== host.name) {
      await refuseTakenName(tx, server.now(), wish.name, { field: "name", hostId });
    }
    moved = wish.repository_id !== undefined && wish.repository_id !== host.repository_id;
    await tx.updateTable("hosts").set((expression) => ({
      plan_version: expression("plan_version", "+", 1),
      ...(wish.name ? { name: wish.name } : {}),
      ...(wish.tags ? { tags: JSON.stringify([...new Set(wish.tags)]) } : {}),
      ...(wish.time_zone ? { time_zone: wish.time_zone } : {}),
      ...(moved
        ? {
          repository_id: wish.repository_id,
          repository_ready_at: null,
          repository_job_id: null,
          snapshots_report_id: null,
          snapshots_refreshed_at: null,
          snapshots_count: null,
        }
        : {}),
    })).where("id", "=", hostId).execute();
    await recordAudit(tx, server.now(), actor, {
      action: "host.changed",
      target: { kind: "host", id: hostId, name: wish.name ?? host.name },
      detail: { ...wish, ...(wish.name ? { was: host.name } : {}) },
    });
  });
  await pushConfig(server, hostId);
  if (moved) await ensureRepository(server, hostId);
  server.events.publish({ type: "host", hostId });
}
