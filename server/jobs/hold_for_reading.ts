// A repository is kept as it is while someone reads it: no forget or prune of ours begins meanwhile, and a reader begins beside none.
import { AppError } from "../errors.ts";
import type { Server } from "../server.ts";
import { dispatchAll } from "./dispatch.ts";
import { removes } from "./lease.ts";
import { leaseKeys, sharedKeys } from "./lease_keys.ts";
import { holderInWords } from "./wait.ts";

/**
 * Call what is returned when the reading has ended, once or more often. It is noted before the leases are looked at, and whoever takes a
 * lease looks for it in the same transaction: of two at once at least one sees the other. Throws conflict with who is in the way.
 */
export async function holdForReading(
  server: Server,
  { repositoryId, hostId, what }: { repositoryId: string; hostId: string; what: string },
): Promise<() => void> {
  const keys = await leaseKeys(server, { repository_id: repositoryId, host_id: hostId });
  if (!keys) throw new AppError("not_found", "There is no such repository.");
  const shared = sharedKeys(keys);
  const forget = server.readings.add({ what, keys: shared });
  try {
    const holders = await server.db.selectFrom("leases")
      .innerJoin("jobs", "jobs.id", "leases.job_id")
      .select(["jobs.id as jobId", "jobs.host_id as hostId", "jobs.kind"])
      .where("repository_url", "in", shared).execute();
    const holder = holders.find(({ kind }) => removes(kind));
    if (!holder) return () => end(server, forget);
    throw new AppError(
      "conflict",
      `What is in the repository may be removed just now: wait for ${await holderInWords(
        server,
        holder,
      )}`,
    );
  } catch (error) {
    end(server, forget);
    throw error;
  }
}

/** Whoever waited for it may go on. */
function end(server: Server, forget: () => void): void {
  forget();
  if (server.closing.aborted) return;
  dispatchAll(server).catch((error) => server.log.error(`after a reading: ${error}`));
}
