// A job as the templates want it: in a list, and on its own page.
import { findRepositoryName } from "../../repositories/find.ts";
import type { JobRowData } from "../../../templates/jobs/list.tsx";
import { getHost } from "../../hosts/find.ts";
import { CLOCK_WRONG } from "../../hosts/skew.ts";
import type { Job } from "../../jobs/find.ts";
import { leaseHolders } from "../../jobs/release_lease.ts";
import type { Server } from "../../server.ts";
import { titleOn } from "./host_props.ts";
import type { JobView } from "../../../templates/jobs/view.ts";

export function jobRow(job: Job): JobRowData {
  return {
    id: job.id,
    kind: job.kind,
    host: { id: job.host_id, name: job.host_name },
    repository: null,
    groupName: job.source_group_name,
    status: job.status,
    warnings: job.warnings,
    reason: job.reason,
    actor: job.actor,
    createdAt: job.created_at,
    startedAt: job.started_at,
    finishedAt: job.finished_at,
    seconds: job.duration_seconds,
    bytesAdded: job.summary?.bytes_added ?? null,
  };
}

export async function jobView(server: Server, job: Job): Promise<JobView> {
  const repository = await findRepositoryName(server, job.repository_id);
  return {
    ...jobRow(job),
    hostClock: hostClockOf(job),
    // Removed since: the job's own account stays.
    repository: repository ?? null,
    groupId: job.source_group_id,
    exitCode: job.exit_code,
    reasonCode: job.reason_code,
    uploadKibps: job.bandwidth_up_kbps,
    downloadKibps: job.bandwidth_down_kbps,
    isCancelling: job.cancel_requested_at !== null,
    resticVersion: job.restic_version,
    progress: job.progress,
    summary: job.summary,
    attempt: job.attempt,
    missedAt: job.catch_up ? job.scheduled_at : null,
    isDryRun: job.dry_run,
    linesCut: job.lines_cut,
    linesRemovedAt: job.lines_removed_at,
    forgotten: job.forgotten,
    withheld: job.withheld,
    accepted: job.accepted_at === null
      ? null
      : { by: job.accepted_by ?? "somebody", at: job.accepted_at },
    waitsFor: job.status === "queued" ? await whatItWaitsFor(server, job) : null,
  };
}

/** What the host's own clock said, where that is something else. */
function hostClockOf(job: Job): JobView["hostClock"] {
  const { host_started_at, host_finished_at } = job;
  const isOther = (own: number | null, said: number | null) =>
    own !== null && said !== null && Math.abs(own - said) >= CLOCK_WRONG;
  return isOther(job.started_at, host_started_at) || isOther(job.finished_at, host_finished_at)
    ? { startedAt: host_started_at, finishedAt: host_finished_at }
    : null;
}

async function whatItWaitsFor(server: Server, job: Job): Promise<JobView["waitsFor"]> {
  if (!job.host_online) return "host";
  const host = await getHost(server, job.host_id);
  const before = host.running.find((other) => other.status === "running" && other.id !== job.id);
  if (before) return { jobId: before.id, title: titleOn(host, before) };
  if (!job.waiting) return null;
  const holders = await leaseHolders(server, job.repository_id);
  const holder = holders.find(({ job_id }) => job_id !== job.id);
  if (!holder) return "repository";
  return {
    jobId: holder.job_id,
    title: `${holder.kind} of ${holder.host_name}`,
    isOfOtherHost: holder.host_id !== job.host_id,
  };
}
