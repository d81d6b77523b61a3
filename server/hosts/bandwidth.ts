import { change } from "../change.ts";
import { z } from "zod";
import { BandwidthWindows, limitsOf, windowOf } from "../../shared/bandwidth.ts";
import { bandwidthLimit } from "../../shared/fields.ts";
import { AppError } from "../errors.ts";
import type { Actor, Server } from "../server.ts";

export const BandwidthInput = z.strictObject({
  bandwidth_up_kbps: bandwidthLimit,
  bandwidth_down_kbps: bandwidthLimit,
  /** Limits by the hour above these; absent keeps those that there are. */
  windows: BandwidthWindows.optional(),
});
export type BandwidthInput = z.infer<typeof BandwidthInput>;

/** The host's limits in KiB/s, null for none; a connected agent has them at once. */
export async function setBandwidth(
  server: Server,
  actor: Actor,
  hostId: string,
  input: BandwidthInput,
): Promise<void> {
  await change(server, actor, async ({ tx, audit, planChanged }) => {
    const { windows } = input;
    const host = await tx.updateTable("hosts")
      .set({
        ...limitsOf(input),
        ...(windows ? { bandwidth_windows: JSON.stringify(windows.map(windowOf)) } : {}),
      })
      .where("id", "=", hostId)
      .returning("name").executeTakeFirst();
    if (!host) throw new AppError("not_found", "There is no such host.");
    await planChanged(hostId);
    await audit({
      action: "host.bandwidth_changed",
      target: { kind: "host", id: hostId, name: host.name },
      detail: { ...input },
    });
  });
}
