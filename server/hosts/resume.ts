import { change } from "../change.ts";
import { AppError } from "../errors.ts";
import type { Actor, Server } from "../server.ts";

/**
 * "Restored, go on": ends the hold of a host that a reinstalled machine took back. Its schedules run again, but for those
 * that were paused before, and its retention too. Throws not_found, and conflict for a host that is not on hold.
 */
export async function resumeHost(server: Server, actor: Actor, hostId: string): Promise<void> {
  await change(server, actor, async ({ tx, audit, planChanged }) => {
    const host = await tx.selectFrom("hosts").select(["name", "on_hold_since"])
      .where("id", "=", hostId).executeTakeFirst();
    if (!host) throw new AppError("not_found", "There is no such host.");
    if (host.on_hold_since === null) {
      throw new AppError("conflict", `${host.name} is not on hold: its schedules run already.`);
    }
    await tx.updateTable("hosts").set({ on_hold_since: null }).where("id", "=", hostId).execute();
    await planChanged(hostId);
    await audit({
      action: "host.resumed",
      target: { kind: "host", id: hostId, name: host.name },
      detail: { on_hold_since: new Date(host.on_hold_since).toISOString() },
    });
  });
}
