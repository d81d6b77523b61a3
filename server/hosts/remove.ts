import { CLOSE } from "../../shared/protocol.ts";
import { recordAudit } from "../audit/record.ts";
import { AppError } from "../errors.ts";
import { dispatchAll } from "../jobs/dispatch.ts";
import type { Actor, Server } from "../server.ts";

/** Forgets the host with its jobs and ends its connection at once. Its repository and snapshots stay untouched. */
export async function removeHost(server: Server, actor: Actor, hostId: string): Promise<void> {
  await server.db.transaction().execute(async (tx) => {
    const gone = await tx.deleteFrom("hosts").where("id", "=", hostId).returning("name")
      .executeTakeFirst();
    if (!gone) throw new AppError("not_found", "There is no such host.");
    await recordAudit(tx, server.now(), actor, {
      action: "host.removed",
      target: { kind: "host", id: hostId, name: gone.name },
    });
  });
  server.agents.close(hostId, CLOSE.unknownHost, "this host was removed from the server");
  server.events.publish({ type: "host", hostId });
  // It may have held a lease that another host waits for.
  await dispatchAll(server);
}
