import { change } from "../change.ts";
import { z } from "zod";
import { BandwidthWindows } from "../../shared/bandwidth.ts";
import { bandwidthCap } from "../../shared/fields.ts";
import { AppError } from "../errors.ts";
import type { Actor, Server } from "../server.ts";

export const BandwidthWish = z.strictObject({
  bandwidth_up_kbps: bandwidthCap,
  bandwidth_down_kbps: bandwidthCap,
  /** Caps by the hour above these; absent keeps those that there are. */
  windows: BandwidthWindows.optional(),
});
export type BandwidthWish = z.infer<typeof BandwidthWish>;

/** The host's caps in KiB/s, null for none; a connected agent has them at once. */
export async function setBandwidth(
  server: Server,
  actor: Actor,
  hostId: string,
  wish: BandwidthWish,
): Promise<void> {
  await change(server, actor, async ({ tx, audit, planChanged }) => {
    const { windows, ...caps } = wish;
    const host = await tx.updateTable("hosts")
      .set({ ...caps, ...(windows ? { bandwidth_windows: JSON.stringify(windows) } : {}) })
      .where("id", "=", hostId)
      .returning("name").executeTakeFirst();
    if (!host) throw new AppError("not_found", "There is no such host.");
    await planChanged(hostId);
    await audit({
      action: "host.bandwidth_changed",
      target: { kind: "host", id: hostId, name: host.name },
      detail: { ...wish },
    });
  });
}
