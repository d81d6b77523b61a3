import type { Server } from "../server.ts";

/** The host's agent works by this version of its plan from now on. */
export async function noteApplied(server: Server, hostId: string, version: number): Promise<void> {
  await server.db.updateTable("hosts").set({ applied_plan_version: version })
    .where("id", "=", hostId).execute();
  server.events.publish({ type: "host", hostId });
}
