// A lease ends when its holder's work has ended, and not because somebody presumes so: by the job's report, by a hello that shows
// that the work is gone, with the host, or by an admin's word. A host that is away may be at its prune all the time.
import type { Transaction } from "kysely";
import { isMaintenance, type JobKind } from "../../shared/job.ts";
import type { Hello } from "../../shared/protocol.ts";
import type { AgentSocket } from "../connected_agents.ts";
import type { Tables } from "../database/tables.ts";
import type { Server } from "../server.ts";

export async function endLease(
  db: Server["db"] | Transaction<Tables>,
  jobId: string,
): Promise<boolean> {
  const { numDeletedRows } = await db.deleteFrom("leases").where("job_id", "=", jobId)
    .executeTakeFirst();
  return numDeletedRows > 0n;
}

/** What an agent shows of itself at hello, and what does not change while its socket lasts. */
export type Shown = Pick<Hello, "ledger_lost" | "boot_id"> & {
  /** Hex of the hash of the agent's run; undefined for one that does not tell. */
  run: string | undefined;
};

export function shownBy(agent: AgentSocket, hello: Hello): Shown {
  const { ledger_lost, boot_id } = hello;
  return { ledger_lost, boot_id, run: agent.instanceHash?.toHex() };
}

/** To whom the job is sent, so that a later hello can be held against it. */
export async function noteHolder({ db }: Server, jobId: string, agent: AgentSocket): Promise<void> {
  await db.updateTable("leases")
    .set({ boot_id: agent.bootId ?? null, run: agent.instanceHash?.toHex() ?? null })
    .where("job_id", "=", jobId).execute();
}

/** Whether an agent that does not name a job shows by that that the job does not run. */
export function showsGone(
  hello: Shown,
  lease: { boot_id: string | null; run: string | null } | undefined,
): boolean {
  if (!hello.ledger_lost) return true;
  // Nothing outlives a boot; and the very run that was sent the job has its list in memory.
  const isOther = (now: string | undefined, then: string | null | undefined) =>
    now !== undefined && typeof then === "string" && now !== then;
  if (isOther(hello.boot_id, lease?.boot_id)) return true;
  return hello.run !== undefined && hello.run === lease?.run;
}

/** Two of these in one repository destroy it, or one another's work. */
export function needsLease(kind: JobKind): boolean {
  return kind === "init" || isMaintenance(kind);
}
