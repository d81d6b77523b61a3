// What an agent says is wrong with itself: files of its state that were damaged, a state folder that cannot be written, a plan that it
// could not take. It is the agent's word, shown to people, and nothing is decided by it.
import { change } from "../change.ts";
import { AGENT_PROBLEM_LENGTH, type AgentProblem } from "../../shared/protocol.ts";
import { AppError } from "../errors.ts";
import type { Actor, Server } from "../server.ts";
import type { HostProblem } from "../../shared/shapes/host.ts";

interface Stored extends HostProblem {
  /** A person has seen it; the agent goes on to name it until its machine's owner has removed the file. */
  dismissed?: boolean;
}

/** Replaces what the agent reported before. What it names again keeps its receipt and whether a person has seen it. */
export async function noteAgentProblems(
  server: Server,
  hostId: string,
  problems: AgentProblem[],
): Promise<void> {
  const noted = await server.db.transaction().execute(async (tx) => {
    const host = await tx.selectFrom("hosts").select(["name", "agent_problems"])
      .where("id", "=", hostId).executeTakeFirst();
    if (!host) return undefined;
    const before = read(host.agent_problems);
    const known = new Map(before.map((each) => [keyOf(each), each]));
    const after = problems.map((each): Stored => known.get(keyOf(each)) ?? received(server, each));
    const agent_problems = JSON.stringify(after);
    if (agent_problems === host.agent_problems) return undefined;
    await tx.updateTable("hosts").set({ agent_problems }).where("id", "=", hostId).execute();
    return { name: host.name, fresh: after.filter((each) => !known.has(keyOf(each))) };
  });
  if (!noted) return;
  for (const { text } of noted.fresh) {
    // What a host causes in the server's log is bounded.
    const line = server.paces.logLine(hostId, `its agent says: ${text}`);
    if (line !== undefined) server.log.warn(`${noted.name}: ${line}`);
  }
  server.events.publish({ type: "host", hostId });
}

/**
 * A person has seen what the agent reported: what happened is shown no more, what still lasts stays. Throws not_found, and conflict
 * where there is nothing to dismiss.
 */
export async function dismissAgentProblems(
  server: Server,
  actor: Actor,
  hostId: string,
): Promise<void> {
  await change(server, actor, async ({ tx, audit }) => {
    const host = await tx.selectFrom("hosts").select(["name", "agent_problems"])
      .where("id", "=", hostId).executeTakeFirst();
    if (!host) throw new AppError("not_found", "There is no such host.");
    const stored = read(host.agent_problems);
    const seen = stored.filter((each) => isDismissable(each) && !each.dismissed);
    if (seen.length === 0) {
      throw new AppError(
        "conflict",
        `There is nothing to dismiss: what ${host.name}'s agent reports now lasts until it is mended.`,
      );
    }
    const agent_problems = JSON.stringify(
      stored.map((each) => seen.includes(each) ? { ...each, dismissed: true } : each),
    );
    await tx.updateTable("hosts").set({ agent_problems }).where("id", "=", hostId).execute();
    await audit({
      action: "host.problems_dismissed",
      target: { kind: "host", id: hostId, name: host.name },
      detail: { problems: seen.map(({ text }) => text.slice(0, 200)) },
    });
  });
  server.events.publish({ type: "host", hostId });
}

/** What is shown: all but what a person has dismissed. */
export function shownProblems(stored: string): HostProblem[] {
  return read(stored).filter(({ dismissed }) => !dismissed)
    .map(({ kind, text, since, received_at }) => ({ kind, text, since, received_at }));
}

/** What happened once, as against what goes on. */
export function isDismissable({ kind }: Pick<AgentProblem, "kind">): boolean {
  return kind === "state_damaged";
}

function received(server: Server, { kind, text, since }: AgentProblem): Stored {
  const clean = text.slice(0, AGENT_PROBLEM_LENGTH).toWellFormed();
  return { kind, text: clean, since, received_at: server.now() };
}

function keyOf({ kind, text, since }: AgentProblem): string {
  return JSON.stringify([kind, text.toWellFormed(), since]);
}

function read(stored: string): Stored[] {
  return JSON.parse(stored);
}
