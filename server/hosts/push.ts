// What an agent is told to be: its repository access, its caps, its plan.
import type { ServerMessage } from "../../shared/protocol.ts";
import { accessFor } from "../repositories/seal.ts";
import { getRepositoryRow } from "../repositories/find.ts";
import type { Server } from "../server.ts";

/** Sends the host its config and plan where it is connected; otherwise it receives them when it says hello. */
export async function pushConfig(server: Server, hostId: string): Promise<void> {
  if (!server.agents.isOnline(hostId)) return;
  for (const message of await configFor(server, hostId)) server.agents.send(hostId, message);
}

export async function configFor(server: Server, hostId: string): Promise<ServerMessage[]> {
  const host = await server.db.selectFrom("hosts").selectAll().where("id", "=", hostId)
    .executeTakeFirstOrThrow();
  const messages: ServerMessage[] = [];
  // Each step by itself: a secret that does not open must not keep the plan from the host.
  try {
    const row = await getRepositoryRow(server, host.repository_id);
    messages.push({
      type: "config.update",
      snapshot_host: host.snapshot_host,
      repository: await accessFor(server, row),
      bandwidth_up_kbps: host.bandwidth_up_kbps,
      bandwidth_down_kbps: host.bandwidth_down_kbps,
    });
  } catch (error) {
    server.log.error(
      `${host.name}: its repository access cannot be sent: ${(error as Error).message}`,
    );
  }
  messages.push({
    type: "schedule.set",
    schedule_version: host.plan_version,
    schedules: [],
    source_groups: [],
  });
  return messages;
}
