// Who may work on a repository with whom. Two `restic init` at once destroy it (every version, local and REST), and forget,
// prune and check fail beside a running backup: for these a job needs the lease of the place, of which there is one in the
// whole fleet. Backups run beside each other. No time ends a lease: it ends when its holder's work has (end_lease.ts).
import type { Transaction } from "kysely";
import type { Tables } from "../database/tables.ts";
import type { Server } from "../server.ts";
import type { JobRow } from "./find.ts";
import { type LeaseKeys, leaseKeys, sharedKeys } from "./lease_keys.ts";
import { JOB_KINDS, type JobKind, KINDS } from "../../shared/job_kinds/all.ts";
import type { Reading } from "./readings.ts";

/**
 * How long a job waits for a backup that only a repository's id connects it with. Agents report ids: a lie may delay others
 * this long, and no longer. Afterwards restic's own lock decides. A lease is not passed over by that.
 */
const WAIT_FOR_SAME_ID = 2 * 3_600_000;

/** The job for which another one waits, or what reads meanwhile (readings.ts). */
export type Holder = JobHolder | Reading;

export interface JobHolder {
  jobId: string;
  hostId: string;
}

/** True when the job may be sent to its host now; one that must be alone then holds the lease. */
export async function mayBegin(server: Server, job: JobRow): Promise<boolean> {
  return await takeOrFindHolder(server, job) === null;
}

/** null when the job holds what it needs, and may be sent; otherwise who is in its way. */
export async function takeOrFindHolder(server: Server, job: JobRow): Promise<Holder | null> {
  const keys = await leaseKeys(server, job);
  if (keys === undefined) return null;
  const shared = sharedKeys(keys);
  const { lease } = KINDS[job.kind];
  const kind = server.kinds[job.kind];
  // What is written under the old key into a new repository is rubbish; one that opens what is there disturbs nobody.
  const isAlone = lease === "exclusive" || kind.isAlone?.(job) || kind.makesAnew?.(job);
  if (!isAlone && lease === "shared") return await maintainerOf(server, shared, job);
  if (!isAlone && lease === "none") return null;
  const writer = isAlone ? await otherWriter(server, keys, job) : null;
  if (writer) return writer;
  const wanted = [...new Set(lease === "making" ? [keys.address, ...shared] : shared)];
  return await server.db.transaction().execute(async (tx) => {
    // Only now, as nobody who begins to read comes in between (hold_for_reading.ts).
    const reading = removes(job.kind) ? server.readings.at(shared) : undefined;
    const lease = { job_id: job.id, address: keys.address, acquired_at: server.now() };
    return reading ?? await takeAll(tx, wanted, lease);
  });
}

/** Whether what is in the repository may be less afterwards: that must wait for whoever reads it. */
export function removes(kind: JobKind): boolean {
  return KINDS[kind].credential === "admin";
}

/** What another host must not be at while a job is alone there; the lease itself keeps those apart that take one. */
const DISTURBED = JOB_KINDS.filter((kind) =>
  KINDS[kind].lease === "shared" || KINDS[kind].lease === "making"
);

/** All of them or none. */
async function takeAll(
  tx: Transaction<Tables>,
  keys: string[],
  lease: { job_id: string; address: string; acquired_at: number },
): Promise<JobHolder | null> {
  const other = await tx.selectFrom("leases").innerJoin("jobs", "jobs.id", "leases.job_id")
    .select(["jobs.id as jobId", "jobs.host_id as hostId"])
    .where("repository_url", "in", keys).where("job_id", "!=", lease.job_id).executeTakeFirst();
  if (other) return other;
  // What has ended in this moment takes nothing, and is not sent either.
  const isOpen = await tx.selectFrom("jobs").select("id").where("id", "=", lease.job_id)
    .where("status", "=", "queued").executeTakeFirst();
  if (!isOpen) return null;
  for (const key of keys) {
    await tx.insertInto("leases")
      .values({ repository_url: key, ...lease, boot_id: null, run: null })
      .onConflict((conflict) => conflict.doNothing()).execute();
  }
  return null;
}

/** Another host is at forget, prune or check; on the same host the agent's own queue keeps the order. */
async function maintainerOf(
  { db }: Server,
  keys: string[],
  job: JobRow,
): Promise<JobHolder | null> {
  const holder = await db.selectFrom("leases").innerJoin("jobs", "jobs.id", "leases.job_id")
    .select(["jobs.id as jobId", "jobs.host_id as hostId"]).where("repository_url", "in", keys)
    .where("jobs.host_id", "!=", job.host_id).executeTakeFirst();
  return holder ?? null;
}

/** A backup of another host is on its way or running, started by a person or by that host's clock. */
async function otherWriter(
  { db }: Server,
  { address, place, resticId }: LeaseKeys,
  job: JobRow,
): Promise<JobHolder | null> {
  const busy = db.selectFrom("jobs")
    .innerJoin("repositories", "repositories.id", "jobs.repository_id")
    .innerJoin("hosts", "hosts.id", "jobs.host_id")
    // An agent that names a repository which is not its host's holds up nobody; what the server ordered goes on where it was
    // ordered, although the host belongs elsewhere by now.
    .where((is) =>
      is.or([
        is("jobs.actor_kind", "!=", "schedule"),
        is("hosts.repository_id", "=", is.ref("jobs.repository_id")),
      ])
    )
    .select(["jobs.id as jobId", "jobs.host_id as hostId"])
    .where("jobs.status", "in", ["queued", "running"]).where("jobs.dispatched_at", "is not", null)
    .where("jobs.host_id", "!=", job.host_id)
    .where("jobs.kind", "in", DISTURBED);
  // Another host's work under the same path of a host is somewhere else.
  const sameAddress = place === address &&
    await busy.where("url_normalised", "=", address).executeTakeFirst();
  if (sameAddress) return sameAddress;
  if (!resticId || job.waited_ms >= WAIT_FOR_SAME_ID) return null;
  const sameId = await busy
    .innerJoin("repository_ids", "repository_ids.repository_id", "jobs.repository_id")
    .where((where) =>
      where.or([
        where("repository_ids.host_id", "is", null),
        where("repository_ids.host_id", "=", where.ref("jobs.host_id")),
      ])
    )
    .where("restic_id", "=", resticId).executeTakeFirst();
  return sameId ?? null;
}
