import { PENDING_CLOSE } from "../../shared/announce.ts";
import { OFFLINE_AFTER_SECONDS } from "../../shared/protocol.ts";
import type { Server } from "../server.ts";

/** Removes what has expired, and the sockets of anyone who went without a word. */
export async function sweepPendingHosts(server: Server): Promise<void> {
  const now = server.now();
  const silent = [...server.waiting].filter((agent) =>
    server.clock.ran() - agent.heardRan >= OFFLINE_AFTER_SECONDS * 1000
  );
  for (const { pendingId } of silent) {
    server.waiting.close(pendingId, PENDING_CLOSE.silent, "nothing was heard for too long");
  }
  await server.db.deleteFrom("rejected_keys").where("expires_at", "<=", now).execute();
  const gone = await server.db.deleteFrom("pending_hosts").where("expires_at", "<=", now)
    .returning("id").execute();
  for (const { id } of gone) server.waiting.close(id, PENDING_CLOSE.expired, "expired");
  if (silent.length + gone.length > 0) server.events.publish({ type: "pending" });
}
