import { change } from "../change.ts";
import { PENDING_CLOSE } from "../../shared/announce.ts";
import { AppError } from "../errors.ts";
import type { Actor, Server } from "../server.ts";
import { noSuchPendingHost } from "./find.ts";
import { REJECTED_MILLISECONDS } from "./limits.ts";

/** Sends the machine away and remembers its key for a day. Throws not_found. */
export async function rejectPendingHost(server: Server, actor: Actor, id: string): Promise<void> {
  const now = server.now();
  await change(server, actor, async ({ tx, audit }) => {
    const row = await tx.deleteFrom("pending_hosts").where("id", "=", id)
      .where("expires_at", ">", now).returningAll().executeTakeFirst();
    if (!row) throw noSuchPendingHost();
    const { fingerprint, hostname, announced_from_ip } = row;
    await tx.deleteFrom("rejected_keys").where("fingerprint", "=", fingerprint).execute();
    await tx.insertInto("rejected_keys").values({
      id,
      fingerprint,
      hostname,
      announced_from_ip,
      rejected_by: actor.name,
      rejected_at: now,
      expires_at: now + REJECTED_MILLISECONDS,
    }).execute();
    await audit({
      action: "pending_host.rejected",
      target: { kind: "pending_host", id, name: hostname },
      detail: { fingerprint, announced_from_ip },
    });
  });
  server.waiting.close(id, PENDING_CLOSE.rejected, "rejected");
  server.events.publish({ type: "pending" });
}

/** Lets a rejected key announce itself again before its day is over. Throws not_found. */
export async function allowRejectedKey(server: Server, actor: Actor, id: string): Promise<void> {
  await change(server, actor, async ({ tx, audit }) => {
    const row = await tx.deleteFrom("rejected_keys").where("id", "=", id).returningAll()
      .executeTakeFirst();
    if (!row) throw new AppError("not_found", "There is no such rejected machine.");
    await audit({
      action: "rejected_key.allowed",
      target: { kind: "pending_host", id, name: row.hostname },
      detail: { fingerprint: row.fingerprint },
    });
  });
  server.events.publish({ type: "pending" });
}
