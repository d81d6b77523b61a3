import { lastRunBetween } from "../../shared/cron.ts";
import { AppError } from "../errors.ts";
import { type Server, SYSTEM } from "../server.ts";
import { startMaintenance } from "./start.ts";

const CLOCK_WRONG = 86_400_000;

/**
 * Starts what is due; run every half minute. While no host is connected nothing is queued: however many fire times pass,
 * it runs once when one is back.
 */
export async function startDueMaintenance(server: Server): Promise<void> {
  // It stays due.
  if (server.disk.isShort) return;
  const now = server.now();
  const rows = await server.db.selectFrom("maintenance").selectAll().where("enabled", "=", 1)
    .execute();
  for (const row of rows) {
    // A clock that was ahead once must not stop maintenance until that day comes.
    const since = row.considered_at > now + CLOCK_WRONG ? now - CLOCK_WRONG : row.considered_at;
    if (lastRunBetween(row.cron, since, now) === null) continue;
    try {
      await startMaintenance(server, SYSTEM, row.repository_id, { kind: row.kind });
    } catch (error) {
      if (!(error instanceof AppError)) {
        server.log.error(`maintenance of ${row.repository_id}: ${error}`);
        continue;
      }
      // Nobody there: stays due. Anything else (nothing to forget, no admin credential, still running) is over for this time.
      if (error.code === "agent_offline") continue;
    }
    await server.db.updateTable("maintenance").set({ considered_at: now })
      .where("repository_id", "=", row.repository_id).where("kind", "=", row.kind).execute();
  }
}
