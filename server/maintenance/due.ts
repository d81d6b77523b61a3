import { lastRunBetween } from "../../shared/cron.ts";
import { AppError } from "../errors.ts";
import { type Server, SYSTEM } from "../server.ts";
import { startMaintenance } from "./start.ts";

/**
 * Starts what is due; run every half minute. While no host is connected nothing is queued: however many fire times pass,
 * it runs once when one is back.
 */
export async function startDueMaintenance(server: Server): Promise<void> {
  const now = server.now();
  const rows = await server.db.selectFrom("maintenance").selectAll().where("enabled", "=", 1)
    .execute();
  for (const row of rows) {
    const due = lastRunBetween(row.cron, row.considered_at, now);
    if (due === null) continue;
    try {
      await startMaintenance(server, SYSTEM, row.repository_id, { kind: row.kind });
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      // Nobody there: stays due. Anything else (nothing to forget, no admin credential, still running) is over for this time.
      if (error.code === "agent_offline") continue;
    }
    await server.db.updateTable("maintenance").set({ considered_at: now })
      .where("repository_id", "=", row.repository_id).where("kind", "=", row.kind).execute();
  }
}
