import { change } from "../change.ts";
import { z } from "zod";
import { id } from "../../shared/fields.ts";
import { REPOSITORY_CHANGED } from "../../shared/job.ts";
import { AppError } from "../errors.ts";
import { atPlace, NO_QUESTION, store } from "./restic_id.ts";
import type { Actor, Server } from "../server.ts";

export const ResticIdAnswer = z.strictObject({
  restic_id: z.string("must be the id that is right").regex(
    /^[0-9a-f]{64}$/,
    "must be 64 hex digits: the stored id, or the other one that a host has reported",
  ),
  /** Where each host has a place of its own under the address: which host's. */
  host_id: id.nullable().optional(),
});
export type ResticIdAnswer = z.infer<typeof ResticIdAnswer>;

/**
 * A person says which id is right: the one that was known, or the other one. What was held goes on. Throws conflict when
 * no question is open, or when the id is neither of the two that it is about.
 */
export async function answerResticId(
  server: Server,
  actor: Actor,
  repositoryId: string,
  { restic_id, host_id = null }: ResticIdAnswer,
): Promise<void> {
  const waiting = await change(server, actor, async ({ tx, audit }) => {
    const repository = await tx.selectFrom("repositories").select("name")
      .where("id", "=", repositoryId).executeTakeFirst();
    if (!repository) throw new AppError("not_found", "There is no such repository.");
    const place = { repository_id: repositoryId, host_id };
    const asked = await atPlace(tx, place);
    if (!asked?.other_id || ![asked.restic_id, asked.other_id].includes(restic_id)) {
      throw new AppError(
        "conflict",
        "restic_id must be one of the two ids that the question is about; nothing is asked about this one now.",
        "restic_id",
      );
    }
    await store(tx, place, {
      restic_id,
      rejected_id: asked.restic_id === restic_id ? asked.other_id : asked.restic_id,
      answered_at: server.now(),
      ...NO_QUESTION,
    });
    await audit({
      action: "repository.id_answered",
      target: { kind: "repository", id: repositoryId, name: repository.name },
      detail: { restic_id },
    });
    const hosts = await tx.selectFrom("hosts").innerJoin("jobs", "jobs.id", "repository_job_id")
      .select("hosts.id").where("hosts.repository_id", "=", repositoryId)
      .where("repository_ready_at", "is", null).where("reason_code", "=", REPOSITORY_CHANGED)
      .execute();
    const ids = hosts.map((host) => host.id);
    await tx.updateTable("hosts").set({ repository_job_id: null }).where("id", "in", ids).execute();
    return ids;
  });
  for (const hostId of waiting) await server.work.ensureRepository(server, hostId);
  await server.work.dispatchAll(server);
  const hosts = await server.db.selectFrom("hosts").select("id")
    .where("repository_id", "=", repositoryId).execute();
  for (const { id } of hosts) server.events.publish({ type: "host", hostId: id });
}
