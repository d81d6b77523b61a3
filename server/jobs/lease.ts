// Who may work on a repository with whom. Two `restic init` at once destroy it (every version, local and REST), and forget,
// prune and check fail beside a running backup: for these a job needs the lease of the repository's normalised URL, of
// which there is one in the whole fleet. Backups run beside each other.
import { isMaintenance } from "../../shared/job.ts";
import type { Server } from "../server.ts";
import type { JobRow } from "./find.ts";

/** True when the job may be sent to its host now; an init or maintenance job then holds the lease. */
export async function mayBegin(server: Server, job: JobRow): Promise<boolean> {
  const url = await urlOf(server, job.repository_id);
  if (url === undefined) return true;
  await dropDeadLeases(server, url);
  if (job.kind === "backup" || job.kind === "unlock") return !await isMaintained(server, url, job);
  if (job.kind !== "init" && !isMaintenance(job.kind)) return true;
  if (isMaintenance(job.kind) && await othersWrite(server, url, job)) return false;
  await server.db.insertInto("leases").values({
    repository_url: url,
    job_id: job.id,
    acquired_at: server.now(),
  }).onConflict((conflict) => conflict.doNothing()).execute();
  const holder = await server.db.selectFrom("leases").select("job_id")
    .where("repository_url", "=", url).executeTakeFirst();
  return holder?.job_id === job.id;
}

/** A job may end in the moment in which it takes the lease: what has ended holds nothing. */
async function dropDeadLeases({ db }: Server, url: string): Promise<void> {
  await db.deleteFrom("leases").where("repository_url", "=", url)
    .where(
      "job_id",
      "not in",
      (expression) =>
        expression.selectFrom("jobs").select("id").where("status", "in", ["queued", "running"]),
    ).execute();
}

async function urlOf({ db }: Server, repositoryId: string): Promise<string | undefined> {
  const row = await db.selectFrom("repositories").select("url_normalised")
    .where("id", "=", repositoryId).executeTakeFirst();
  return row?.url_normalised;
}

/** Another host is at forget, prune or check; on the same host the agent's own queue keeps the order. */
async function isMaintained({ db }: Server, url: string, job: JobRow): Promise<boolean> {
  const holder = await db.selectFrom("leases").innerJoin("jobs", "jobs.id", "leases.job_id")
    .select("jobs.id").where("repository_url", "=", url).where("jobs.host_id", "!=", job.host_id)
    .executeTakeFirst();
  return holder !== undefined;
}

/** A backup of another host is on its way or running, started by a person or by that host's clock. */
async function othersWrite({ db }: Server, url: string, job: JobRow): Promise<boolean> {
  const busy = await db.selectFrom("jobs")
    .innerJoin("repositories", "repositories.id", "jobs.repository_id")
    // An agent that names a repository which is not its host's holds up nobody.
    .innerJoin("hosts", (join) =>
      join.onRef("hosts.id", "=", "jobs.host_id")
        .onRef("hosts.repository_id", "=", "jobs.repository_id"))
    .select("jobs.id")
    .where("jobs.status", "in", ["queued", "running"]).where("jobs.dispatched_at", "is not", null)
    .where("url_normalised", "=", url).where("jobs.host_id", "!=", job.host_id)
    .where("jobs.kind", "in", ["backup", "init", "unlock"]).executeTakeFirst();
  return busy !== undefined;
}
