// When each connected agent was last heard of, kept for a server that is killed.
import type { Server } from "../server.ts";
import { lastHeard } from "./hello.ts";

export async function noteLastSeen(server: Server): Promise<void> {
  const heard = [...server.agents].map((agent) => ({
    id: agent.hostId,
    ...lastHeard(server, agent),
  }));
  if (heard.length === 0) return;
  await server.database.raw((sqlite) => {
    const update = sqlite.prepare("update hosts set last_seen_at = ?, heard_ran = ? where id = ?");
    for (const { id, last_seen_at, heard_ran } of heard) update.run(last_seen_at, heard_ran, id);
  });
}
