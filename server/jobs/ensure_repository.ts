import type { Server } from "../server.ts";
import { SYSTEM } from "../server.ts";
import { insertJob } from "./insert.ts";
import { dispatchStarted } from "./start.ts";

/**
 * First contact of a host with its repository makes or opens it. Tried by itself once: a failure stays visible on the
 * host until a person tries again.
 */
export async function ensureRepository(server: Server, hostId: string): Promise<void> {
  if (!server.agents.isOnline(hostId) || server.disk.isShort) return;
  const jobId = await server.db.transaction().execute(async (tx) => {
    const host = await tx.selectFrom("hosts").select(["name", "repository_id"])
      .where("id", "=", hostId).where("repository_ready_at", "is", null)
      .where("repository_job_id", "is", null).executeTakeFirst();
    return host &&
      await insertJob(server, tx, SYSTEM, { hostId, host, kind: "init" });
  });
  if (!jobId) return;
  await dispatchStarted(server, hostId, [jobId]);
}
