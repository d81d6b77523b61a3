// Who holds a repository's lease, and the word of an admin that it is over: the last way out when a machine that had it is gone
// for good. Nobody else can know what it does; restic's own lock is all that stands between two writers then.
import { change } from "../change.ts";
import { z } from "zod";
import type { Transaction } from "kysely";
import type { Tables } from "../database/tables.ts";
import { AppError } from "../errors.ts";
import { getRepositoryRow } from "../repositories/find.ts";
import type { Actor, Server } from "../server.ts";
import { dispatchAll } from "./dispatch.ts";
import { endLease } from "./end_lease.ts";
import { idKey } from "./lease_keys.ts";
import { LEASE_RELEASED, PRESUMED } from "./reason_codes.ts";
import { announceEnded, endWithoutWord } from "./reconcile.ts";
import type { LeaseHolder } from "../../shared/shapes/maintenance.ts";

export const ReleaseInput = z.strictObject({
  confirm_hostname: z.string("must be the name of the host that holds the lease"),
});

/** One, or for a path of each host one per host. Under whatever address the repository is known. */
export async function leaseHolders(server: Server, repositoryId: string): Promise<LeaseHolder[]> {
  return await holders(server, server.db, repositoryId);
}

async function holders(
  server: Server,
  db: Server["db"] | Transaction<Tables>,
  repositoryId: string,
): Promise<LeaseHolder[]> {
  const ids = await db.selectFrom("repository_ids").select("restic_id")
    .where("repository_id", "=", repositoryId).execute();
  const rows = await db.selectFrom("leases").innerJoin("jobs", "jobs.id", "leases.job_id")
    .innerJoin("hosts", "hosts.id", "jobs.host_id")
    .select([
      "jobs.id as job_id",
      "jobs.kind",
      "jobs.status",
      "jobs.number",
      "hosts.id as host_id",
      "hosts.name as host_name",
      "acquired_at as since",
    ]).distinct()
    .where((is) =>
      is.or([
        is("jobs.repository_id", "=", repositoryId),
        is(
          "leases.repository_url",
          "=",
          db.selectFrom("repositories").select("url_normalised").where("id", "=", repositoryId),
        ),
        ...ids.map(({ restic_id }) => is("leases.repository_url", "=", idKey(restic_id))),
      ])
    ).orderBy("jobs.number").execute();
  return rows.map(({ number: _, ...row }) => ({
    ...row,
    online: server.agents.isOnline(row.host_id),
  }));
}

/**
 * Ends the lease of the host that is named: others may write there. A job of it that goes on is told to end when its agent is
 * heard of. Throws not_found, conflict when nobody holds a lease, name_mismatch for another name than the holder's.
 */
export async function releaseLease(
  server: Server,
  actor: Actor,
  repositoryId: string,
  confirmHostname: string,
): Promise<void> {
  const repository = await getRepositoryRow(server, repositoryId);
  const released = await change(server, actor, async ({ tx, audit }) => {
    const all = await holders(server, tx, repositoryId);
    if (all.length === 0) {
      throw new AppError("conflict", "Nobody holds a lease of this repository.");
    }
    const held = all.filter(({ host_name }) => host_name === confirmHostname);
    if (held.length === 0) {
      throw new AppError(
        "name_mismatch",
        "confirm_hostname must be the name of the host that holds the lease, exactly.",
        "confirm_hostname",
      );
    }
    const ended = [];
    for (const { job_id, kind, host_id } of held) {
      const job = await endWithoutWord(server, tx, job_id, {
        status: "interrupted",
        reason: `Its lease was released by ${actor.name}; what became of it is not known.`,
        isGone: true,
        code: LEASE_RELEASED,
      });
      // One that was presumed to have ended must not go on either.
      await tx.updateTable("jobs").set({ reason_code: LEASE_RELEASED }).where("id", "=", job_id)
        .where("reason_code", "=", PRESUMED).execute();
      await endLease(tx, job_id);
      ended.push({ job_id, host_id, job });
      await audit({
        action: "lease.released",
        target: { kind: "repository", id: repositoryId, name: repository.name },
        detail: { job_id, kind, host_id, host: confirmHostname },
      });
    }
    return ended;
  });
  for (const { job_id, host_id, job } of released) {
    if (job) announceEnded(server, job);
    server.agents.send(host_id, { type: "command.cancel", job_id });
  }
  await dispatchAll(server);
}
