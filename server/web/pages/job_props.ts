// What is worked out for the page of a job.
import { findRepositoryName } from "../../repositories/find.ts";
import { getHost } from "../../hosts/find.ts";
import { CLOCK_WRONG } from "../../hosts/skew.ts";
import type { Job } from "../../jobs/find.ts";
import { removes } from "../../jobs/lease.ts";
import { leaseKeys, sharedKeys } from "../../jobs/lease_keys.ts";
import { leaseHolders } from "../../jobs/release_lease.ts";
import type { Server } from "../../server.ts";
import { titleOn } from "./host_props.ts";
import type { JobView } from "../../../templates/jobs/view.ts";

export async function jobView(server: Server, job: Job): Promise<JobView> {
  // Removed since: the job's own account stays.
  const repositoryName = (await findRepositoryName(server, job.repository_id))?.name ?? null;
  return {
    ...job,
    repositoryName,
    isHostClockOther: isOther(job.started_at, job.host_started_at) ||
      isOther(job.finished_at, job.host_finished_at),
    waitsFor: job.status === "queued" ? await whatItWaitsFor(server, job) : null,
  };
}

/** What the host's own clock said is something else. */
function isOther(at: number | null, byHost: number | null): boolean {
  return at !== null && byHost !== null && Math.abs(at - byHost) >= CLOCK_WRONG;
}

async function whatItWaitsFor(server: Server, job: Job): Promise<JobView["waitsFor"]> {
  if (!job.host_online) return "host";
  const host = await getHost(server, job.host_id);
  const before = host.running.find((other) => other.status === "running" && other.id !== job.id);
  if (before) return { jobId: before.id, title: titleOn(host, before) };
  if (!job.waiting) return null;
  const holders = await leaseHolders(server, job.repository_id);
  const holder = holders.find(({ job_id }) => job_id !== job.id);
  const reading = await readingInTheWay(server, job);
  if (!holder && reading) return { reading };
  if (!holder) return "repository";
  return {
    jobId: holder.job_id,
    title: `${holder.kind} of ${holder.host_name}`,
    isOfOtherHost: holder.host_id !== job.host_id,
  };
}

async function readingInTheWay(server: Server, job: Job): Promise<string | undefined> {
  if (!removes(job.kind)) return undefined;
  const keys = await leaseKeys(server, job);
  return keys && server.readings.at(sharedKeys(keys))?.what;
}
