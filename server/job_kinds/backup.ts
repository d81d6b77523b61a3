import { limitsOf } from "../../shared/bandwidth.ts";
import { sql, type Transaction } from "kysely";
import type { EndStatus } from "../../shared/job.ts";
import type { JobFinished } from "../../shared/protocol.ts";
import type { Tables } from "../database/tables.ts";
import { hostHooks } from "../hooks/resolve.ts";
import { dropMended } from "../jobs/accept.ts";
import { insertJob } from "../jobs/insert.ts";
import { judge } from "../jobs/judge.ts";
import { LONGEST_WAIT_OF_A_PERSON, type ServerKind } from "../jobs/kind.ts";
import { type JobInput, startOnHost } from "../jobs/start.ts";
import { claimSnapshot } from "../retention/claims.ts";
import { atMost } from "../snapshots/limits.ts";
import { sourceGroupOrder } from "../source_groups/order.ts";
import { groupsToBackUp } from "./groups_to_back_up.ts";

export const backup: ServerKind<"backup"> = {
  async start(server, actor, hostId, input: JobInput) {
    const { kind } = input;
    const limits = limitsOf(input);
    const scheduleId = input.schedule_id ?? null;
    return await startOnHost(server, hostId, async (tx, host) => {
      const ids: string[] = [];
      for (const group of await groupsToBackUp(tx, hostId, input)) {
        const job = { hostId, host, kind, limits, group, scheduleId };
        ids.push(await insertJob(server, tx, actor, job));
      }
      return ids;
    });
  },

  async order(server, job) {
    if (!job.source_group_id) return {};
    const group = await server.db.selectFrom("source_groups").selectAll()
      .where("id", "=", job.source_group_id).executeTakeFirst();
    // Removed since: the agent answers that it was not told what to back up.
    if (!group) return {};
    const host = await hostHooks(server, job.host_id);
    return { source_group: await sourceGroupOrder(server, host, group) };
  },

  // That another host is in the way of a check is no reason to back up less.
  overtakes: true,
  // Those in the server's queue were started by a person: a schedule's are in the queue of their host.
  longestWaitMs: LONGEST_WAIT_OF_A_PERSON,
  judge,

  outcome: ({ sources }) => ({
    sources: sources ? JSON.stringify(atMost(sources, SOURCES_BYTES)) : null,
  }),

  async finished(server, tx, job, finished) {
    await noteBackup(tx, job.host_id, finished);
    await claimSnapshot(tx, server.now(), job);
    return finished.status === "succeeded" && await dropMended(tx, job, finished.sources ?? []);
  },
};

/** Of what was wrong with paths, what is kept of one job. */
const SOURCES_BYTES = 32_768;

/**
 * The host's own columns, so that no page has to search its jobs. A journal is handed in in order, so the last report is of the last
 * backup, whatever the host's clock says.
 */
async function noteBackup(
  tx: Transaction<Tables>,
  hostId: string,
  message: JobFinished,
): Promise<void> {
  if (message.status === "skipped") return;
  await tx.updateTable("hosts").set({
    last_backup_job_id: message.job_id,
    last_backup_at: message.at,
    last_backup_status: message.status,
    last_backup_warnings: message.warnings,
    last_backup_reason: message.reason,
    last_backup_reason_code: message.reason_code,
    ...(message.status === "succeeded" ? { last_success_at: message.at } : {}),
  }).where("id", "=", hostId).execute();
  const day = Math.floor(message.at / 86_400_000);
  const column = dayColumn(message.status, message.warnings);
  await tx.insertInto("backup_days").values({
    host_id: hostId,
    day,
    succeeded: 0,
    warned: 0,
    failed: 0,
    [column]: 1,
  }).onConflict((conflict) =>
    conflict.columns(["host_id", "day"]).doUpdateSet({ [column]: sql`${sql.ref(column)} + 1` })
  ).execute();
}

function dayColumn(status: EndStatus, warnings: number): "succeeded" | "warned" | "failed" {
  if (status !== "succeeded") return "failed";
  return warnings > 0 ? "warned" : "succeeded";
}
