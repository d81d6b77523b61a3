// A lease ends when its holder's work has ended, and not because someone presumes so: by the job's report, by a hello that shows
// that the work is gone, with the host, or by an admin's word. A host that is away may be at its prune all the time.
import type { Transaction } from "kysely";
import { type Hello, OFFLINE_AFTER_SECONDS } from "../../shared/protocol.ts";
import type { AgentSocket, Shown } from "../connected_agents.ts";
import type { Tables } from "../database/tables.ts";
import type { Server } from "../server.ts";
import { type JobKind, KINDS } from "../../shared/job_kinds/all.ts";

export async function endLease(
  db: Server["db"] | Transaction<Tables>,
  jobId: string,
): Promise<boolean> {
  const { numDeletedRows } = await db.deleteFrom("leases").where("job_id", "=", jobId)
    .executeTakeFirst();
  return numDeletedRows > 0n;
}

export function shownBy(server: Server, agent: AgentSocket, hello: Hello): Shown {
  const { ledger_lost, boot_id } = hello;
  const ran = server.clock.ran();
  const run = runOf(agent);
  const isBeside = server.agents.of(agent.hostId).some((other) =>
    runOf(other) !== run && ran - other.heardRan < OFFLINE_AFTER_SECONDS * 1000
  );
  return { ledger_lost, boot_id, run, isBeside, ran, ids: new Set(hello.jobs) };
}

function runOf({ instanceHash }: AgentSocket): string | undefined {
  return instanceHash?.toHex();
}

/** To whom the job is sent, so that a later hello can be held against it. */
export async function noteHolder({ db }: Server, jobId: string, agent: AgentSocket): Promise<void> {
  await db.updateTable("leases")
    .set({ boot_id: agent.bootId ?? null, run: runOf(agent) ?? null })
    .where("job_id", "=", jobId).execute();
}

/** Whether an agent that does not name a job shows by that that the job does not run: the run that was sent it has its list in memory. */
export function showsGone(
  hello: Shown,
  lease: { boot_id: string | null; run: string | null } | undefined,
): boolean {
  if (hello.run !== undefined && hello.run === lease?.run) return true;
  if (hello.isBeside) return false;
  if (!hello.ledger_lost) return true;
  // Nothing outlives a boot.
  return hello.boot_id !== undefined && Boolean(lease?.boot_id) && hello.boot_id !== lease?.boot_id;
}

/** Two of these in one repository destroy it, or one another's work. */
export function needsLease(kind: JobKind): boolean {
  const { lease } = KINDS[kind];
  return lease === "exclusive" || lease === "making";
}
