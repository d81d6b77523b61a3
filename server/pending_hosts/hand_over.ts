import { PENDING_CLOSE } from "../../shared/announce.ts";
import { closeQuietly } from "../connected_agents.ts";
import { auditOfHost } from "../quotas/day.ts";
import { randomSecret, sha256 } from "../random.ts";
import type { Server } from "../server.ts";
import { tell, type WaitingAgent } from "../waiting_agents.ts";

/**
 * Gives an accepted machine that is connected with a proven key its bearer, which is minted now and stored as a hash. May
 * be repeated, after an answer that got lost, until the host has connected with one. Returns whether the key is one of
 * an accepted host.
 */
export async function handOver(server: Server, pendingId: string): Promise<boolean> {
  const accepted = await server.db.selectFrom("accepted_keys")
    .innerJoin("hosts", "hosts.id", "host_id").select(["hosts.id", "name"])
    .where("pending_id", "=", pendingId).where("awaits_agent", "=", 1).executeTakeFirst();
  if (!accepted) return false;
  const agent = server.waiting.take(pendingId);
  if (!agent) return true;
  try {
    await give(server, agent, accepted);
  } catch (error) {
    closeQuietly(agent.socket, PENDING_CLOSE.goingAway, "the server could not do this");
    throw error;
  }
  return true;
}

async function give(
  server: Server,
  { pendingId, socket }: WaitingAgent,
  { id, name }: { id: string; name: string },
): Promise<void> {
  const bearer = randomSecret("rma_");
  const isGiven = await server.db.transaction().execute(async (tx) => {
    // A bearer with which it has connected meanwhile, by another socket, stays the one.
    const { numUpdatedRows } = await tx.updateTable("hosts").set({ bearer_hash: sha256(bearer) })
      .where("id", "=", id).where("awaits_agent", "=", 1).executeTakeFirst();
    if (!numUpdatedRows) return false;
    await auditOfHost(server, tx, id, {
      actor: { kind: "agent", id, name, address: null },
      act: {
        action: "host.enrolled",
        target: { kind: "host", id, name },
        detail: { pending_id: pendingId },
      },
    });
    return true;
  });
  if (!isGiven) {
    return closeQuietly(socket, PENDING_CLOSE.expired, "this machine has connected already");
  }
  // What the agent stores for good, the server must not forget in a power cut.
  await server.database.flush();
  tell(socket, { type: "enrolled", host_id: id, name, bearer });
  closeQuietly(socket, 1000, "enrolled");
}
