// Two `restic init` at once destroy a repository (every version, local and REST), so at most one job at a time holds
// the lease of a repository's normalised URL, and only its holder may be told to make a repository.
import type { Server } from "../server.ts";
import type { JobRow } from "./find.ts";

/** True when the job needs no lease or now holds it. */
export async function mayBegin(server: Server, job: JobRow): Promise<boolean> {
  if (job.kind !== "init") return true;
  const repository = await server.db.selectFrom("repositories").select("url_normalised")
    .where("id", "=", job.repository_id).executeTakeFirst();
  if (!repository) return true;
  await server.db.insertInto("leases").values({
    repository_url: repository.url_normalised,
    job_id: job.id,
    acquired_at: server.now(),
  }).onConflict((conflict) => conflict.doNothing()).execute();
  const holder = await server.db.selectFrom("leases").select("job_id")
    .where("repository_url", "=", repository.url_normalised).executeTakeFirst();
  return holder?.job_id === job.id;
}
