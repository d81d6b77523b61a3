import { sql, type Transaction } from "kysely";
import type { JobFinished } from "../../shared/protocol.ts";
import type { Tables } from "../database/tables.ts";
import { z } from "zod";
import type { JobRow } from "../jobs/find.ts";
import { LONGEST_WAIT, type ServerKind } from "../jobs/kind.ts";
import { requestOf } from "../jobs/request.ts";
import { startOne } from "../jobs/start.ts";
import { auditOfHost } from "../quotas/day.ts";
import type { Server } from "../server.ts";

/** The place was cleared by hand, so a new repository may be made. */
const InitRequest = z.object({ reinit: z.boolean().optional() });

export const init: ServerKind<"init"> = {
  start: startOne,
  makesAnew,

  async order({ db }, job) {
    if (makesAnew(job)) return { may_create: true, reinit: true };
    const repository = await db.selectFrom("repositories").select(["is_new", "initialised_at"])
      .where("id", "=", job.repository_id).executeTakeFirst();
    return { may_create: repository?.is_new === 1 && repository.initialised_at === null };
  },

  longestWaitMs: LONGEST_WAIT,

  async finished(server, tx, job, finished) {
    if (finished.status === "succeeded") await noteRepository(server, tx, job, finished);
  },
};

function makesAnew(job: JobRow): boolean {
  return requestOf(job, InitRequest).reinit === true;
}

async function noteRepository(
  server: Server,
  tx: Transaction<Tables>,
  job: { host_id: string; repository_id: string; id: string },
  message: JobFinished,
): Promise<void> {
  const host = await tx.updateTable("hosts").set({ repository_ready_at: message.at })
    .where("id", "=", job.host_id).where("repository_id", "=", job.repository_id)
    .returning("name").executeTakeFirst();
  await tx.updateTable("repositories")
    .set({
      is_new: 0,
      initialised_at: message.created
        ? message.at
        : sql<number>`coalesce(initialised_at, ${message.at})`,
    })
    .where("id", "=", job.repository_id).execute();
  if (!message.created) return;
  await auditOfHost(server, tx, job.host_id, {
    actor: { kind: "agent", id: job.host_id, name: host?.name ?? job.host_id, address: null },
    act: {
      action: "repository.initialised",
      target: { kind: "repository", id: job.repository_id, name: null },
      detail: { job_id: job.id },
    },
  });
}
