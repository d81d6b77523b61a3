// Jobs that wait for a person's answer are ended with the question, so that nothing piles up behind it.
import { atPlace, placeOf } from "../repositories/restic_id.ts";
import type { Server } from "../server.ts";
import { needsLease } from "./end_lease.ts";
import type { JobRow } from "./find.ts";

/** Why a job must not be sent now, or undefined. Backups are never held. */
export async function heldByQuestion({ db }: Server, job: JobRow): Promise<string | undefined> {
  if (!needsLease(job.kind)) return undefined;
  const repository = await db.selectFrom("repositories").select(["url"])
    .where("id", "=", job.repository_id).executeTakeFirst();
  if (!repository) return undefined;
  const place = { repository_id: job.repository_id, host_id: placeOf(repository.url, job.host_id) };
  const known = await atPlace(db, place);
  if (!known?.other_id) return undefined;
  return `Another repository than before is at this address: ${known.other_host_name} found ${
    known.other_id.slice(0, 8)
  } where ${
    known.restic_id.slice(0, 8)
  } was. Nothing was done to it; say on the repository's page which one is right.`;
}
