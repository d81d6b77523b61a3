// How far a host's clock is from the server's. Nothing is decided by a host's clock alone; but its schedules fire by it, so a person
// is told when it is wrong.
import { sql } from "kysely";
import { skewInWords } from "../../shared/problem_words.ts";
import { type AgentSocket, sendTo } from "../connected_agents.ts";
import type { Server } from "../server.ts";

/** From here on it is shown as a problem, in milliseconds. */
export const CLOCK_WRONG = 120_000;
/** Less is the way of the message. */
const WORTH_STORING = 1000;

/** What the agent's clock says now, by its own word. */
export async function noteSkew(server: Server, agent: AgentSocket, clock: number): Promise<void> {
  const before = agent.storedSkew;
  agent.skew = server.now() - clock;
  const isWrong = Math.abs(agent.skew) >= CLOCK_WRONG;
  const wasWrong = before !== undefined && Math.abs(before) >= CLOCK_WRONG;
  if (before !== undefined && Math.abs(agent.skew - before) < WORTH_STORING) return;
  const row = await server.db.updateTable("hosts").set({
    clock_skew_ms: -agent.skew,
    clock_wrong_since: isWrong ? sql<number>`coalesce(clock_wrong_since, ${server.now()})` : null,
  })
    .where("id", "=", agent.hostId).returning("name").executeTakeFirst();
  agent.storedSkew = agent.skew;
  if (isWrong === wasWrong) return;
  const words = isWrong ? skewInWords(-agent.skew) : undefined;
  server.log.warn(
    `${row?.name ?? agent.hostId}: its clock ${words ? `is ${words}` : "is right again"}`,
  );
  if (words) sendTo(agent.socket, { type: "error", message: `This machine's clock is ${words}.` });
  server.events.publish({ type: "host", hostId: agent.hostId });
}
