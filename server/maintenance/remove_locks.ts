// Removal of every lock, also of one whose holder may live: the one thing that lets two restics work against each other. So
// an admin types the name of the machine that holds the lock, as an agent has listed it; the agent that carries it out
// lists them again and refuses when another lock is there (agent/restic/remove_locks.ts).
import type { Transaction } from "kysely";
import { z } from "zod";
import { JOB_KINDS, KINDS } from "../../shared/job_kinds/all.ts";
import { recordAudit } from "../audit/record.ts";
import type { Tables } from "../database/tables.ts";
import { AppError } from "../errors.ts";
import type { Actor, Server } from "../server.ts";
import { listLocks } from "./find.ts";

export const UnlockRequest = z.object({
  /** All of these locks, of which an admin typed the holder's name. */
  remove_all: z.object({ hostname: z.string(), locks: z.array(z.string()) }).optional(),
});

export interface RemoveAll {
  hostname: string;
  locks: string[];
}

/**
 * What may be removed of a repository's locks as they were last listed. Throws conflict when none was seen, when several
 * machines hold one, or while a host has a job at that address; name_mismatch for another name than the holder's.
 */
export async function allLocksOf(
  server: Server,
  repositoryId: string,
  confirmHostname: string,
): Promise<RemoveAll> {
  const locks = await listLocks(server, repositoryId);
  const [holder, ...others] = [...new Set(locks.map(({ hostname }) => hostname))];
  if (holder === undefined) {
    throw new AppError(
      "conflict",
      "No lock was seen in this repository. Run unlock first: it lists whose locks it leaves.",
    );
  }
  if (![holder, ...others].includes(confirmHostname)) {
    throw new AppError(
      "name_mismatch",
      "confirm_hostname must be the name of the machine that holds the lock, exactly.",
      "confirm_hostname",
    );
  }
  if (others.length > 0) {
    throw new AppError(
      "conflict",
      `Several machines hold locks there (${
        [holder, ...others].join(", ")
      }), and all would go. A plain unlock removes each that is half an hour old or whose process is gone.`,
    );
  }
  return { hostname: holder, locks: locks.map(({ id }) => id) };
}

/** Throws conflict while any host has a job in that repository, under whatever address or name of ours. */
export async function refuseWhileInUse(
  server: Server,
  tx: Transaction<Tables>,
  repositoryId: string,
): Promise<void> {
  const own = tx.selectFrom("repositories as own").select("own.url_normalised")
    .where("own.id", "=", repositoryId);
  const ids = tx.selectFrom("repository_ids").select("restic_id")
    .where("repository_id", "=", repositoryId);
  const same = tx.selectFrom("repository_ids").select("repository_id")
    .where("restic_id", "in", ids);
  const busy = await tx.selectFrom("jobs")
    .innerJoin("repositories", "repositories.id", "jobs.repository_id")
    .innerJoin("hosts", "hosts.id", "jobs.host_id")
    .select(["hosts.id as host_id", "hosts.name", "jobs.kind", "jobs.status"])
    .leftJoin("leases", "leases.job_id", "jobs.id")
    // Who holds a lease may be at work whatever is presumed of the job.
    .where((is) =>
      is.or([
        is("jobs.status", "in", ["queued", "running"]),
        is("leases.job_id", "is not", null),
      ])
    ).where("jobs.kind", "in", JOB_KINDS.filter((kind) => KINDS[kind].usesRepository))
    .where((where) =>
      where.or([where("url_normalised", "=", own), where("repositories.id", "in", same)])
    ).orderBy("jobs.number").executeTakeFirst();
  if (!busy) return;
  const away = server.agents.isOnline(busy.host_id) ? "" : " as far as is known; it is offline";
  throw new AppError(
    "conflict",
    `${busy.name} has a ${busy.kind} ${busy.status} in this repository${away}. While any host works there no lock is removed by force.`,
  );
}

/** Who did it, and what was seen. */
export async function auditRemoveAll(
  server: Server,
  tx: Transaction<Tables>,
  actor: Actor,
  { repository, jobId, removal }: {
    repository: { id: string; name: string };
    jobId: string;
    removal: RemoveAll;
  },
): Promise<void> {
  await recordAudit(tx, server.now(), actor, {
    action: "repository.all_locks_removed",
    target: { kind: "repository", id: repository.id, name: repository.name },
    detail: { job_id: jobId, holder: removal.hostname, locks: removal.locks },
  });
}
