// Which snapshots are ours. Anyone who holds an add-only credential can add a snapshot with any host, tag, path and time, so
// none of these decides. A snapshot is a group's own when a job of its host that the server ordered, or that a schedule's
// fire time accounts for, reports it; when a list of that host holds it with the host's name and the group's tag; when it was
// in no list before the job; and when no other job claims it. What is not ours is kept, counted apart and shown.
import { sql, type Transaction } from "kysely";
import type { Tables } from "../database/tables.ts";
import type { JobRow } from "../jobs/find.ts";
import { takeCredit } from "../schedules/credit.ts";

/** At the end of a backup, in its transaction: its snapshot is claimed for its group. */
export async function claimSnapshot(
  tx: Transaction<Tables>,
  now: number,
  job: JobRow,
): Promise<void> {
  const { snapshot_id, source_group_id, began_at } = job;
  if (!snapshot_id || snapshot_id.length !== 64 || !source_group_id || began_at === null) return;
  if (!await isDueOrOrdered(tx, now, job, source_group_id)) return;
  await tx.insertInto("snapshot_claims").values({
    repository_id: job.repository_id,
    snapshot_id,
    host_id: job.host_id,
    source_group_id,
    job_id: job.id,
    time: began_at,
    withheld: job.withheld === null ? 0 : 1,
    good: job.status === "succeeded" && job.withheld === null && job.warnings === 0 ? 1 : 0,
    adopted_by: null,
  }).onConflict((conflict) => conflict.doNothing()).execute();
  await confirmClaims(tx, job.host_id);
}

async function isDueOrOrdered(
  tx: Transaction<Tables>,
  now: number,
  job: JobRow,
  groupId: string,
): Promise<boolean> {
  if (job.actor_kind !== "schedule") return true;
  if (!job.schedule_id) return false;
  return await takeCredit(tx, now, { scheduleId: job.schedule_id, groupId });
}

/**
 * Holds the claims of a host against the list that it handed in last: one that the list shows with another name or tag, or
 * that was known before its job began, is dropped. One that is in no list yet waits for the next.
 */
export async function confirmClaims(tx: Transaction<Tables>, hostId: string): Promise<void> {
  const waiting = await tx.selectFrom("snapshot_claims as claim")
    .innerJoin("hosts", "hosts.id", "claim.host_id")
    .innerJoin("jobs", "jobs.id", "claim.job_id")
    .innerJoin("source_groups", "source_groups.id", "claim.source_group_id")
    .innerJoin("snapshots", (join) =>
      join.onRef("snapshots.host_id", "=", "claim.host_id")
        .onRef("snapshots.report_id", "=", "hosts.snapshots_report_id")
        .onRef("snapshots.id", "=", "claim.snapshot_id"))
    .innerJoin(
      "known_snapshots as known",
      (join) =>
        join.onRef("known.repository_id", "=", "claim.repository_id")
          .onRef("known.snapshot_id", "=", "claim.snapshot_id"),
    )
    .select([
      "claim.number",
      "snapshots.hostname",
      "snapshots.tags",
      "hosts.snapshot_host",
      "source_groups.snapshot_tag",
      "jobs.known_before",
      "jobs.window_from",
      "known.number as known_number",
      "known.seen_at",
      "known.host_id as known_by",
    ])
    .where("claim.host_id", "=", hostId).where("claim.confirmed", "=", 0)
    .whereRef("claim.repository_id", "=", "hosts.repository_id").execute();
  for (const claim of waiting) {
    const { number, hostname, tags } = claim;
    const isNew = claim.known_by === hostId
      ? claim.known_number > (claim.known_before ?? Infinity)
      // Another host's maintenance may have listed it while this one was away.
      : claim.seen_at >= (claim.window_from ?? Infinity);
    const isGroups = hostname === claim.snapshot_host &&
      tags === JSON.stringify([claim.snapshot_tag]);
    if (isNew && isGroups) {
      await tx.updateTable("snapshot_claims").set({ confirmed: 1, listed: 1, hostname, tags })
        .where("number", "=", number).execute();
    } else await tx.deleteFrom("snapshot_claims").where("number", "=", number).execute();
  }
}

/** After a host's own list took effect: what is in it is there, what is missing in it is gone. */
export async function noteListed(
  tx: Transaction<Tables>,
  { hostId, repositoryId, isWhole }: {
    hostId: string;
    repositoryId: string;
    /** False of a list that was cut: what is missing in it may be there still. */
    isWhole: boolean;
  },
): Promise<void> {
  await sql`update snapshot_claims set listed = ${isWhole ? 0 : 1} * listed or exists (
      select 1 from snapshots join hosts on hosts.id = snapshots.host_id
        and hosts.snapshots_report_id = snapshots.report_id
      where snapshots.host_id = ${hostId} and snapshots.id = snapshot_claims.snapshot_id)
    where host_id = ${hostId} and repository_id = ${repositoryId} and confirmed = 1
      and hostname = (select snapshot_host from hosts where id = ${hostId})`.execute(tx);
  await confirmClaims(tx, hostId);
}

/** The same for the list of a whole repository. A claim of what it shows with another host or tag was false. */
export async function noteWholeListed(
  tx: Transaction<Tables>,
  repositoryId: string,
  reportId: string,
): Promise<void> {
  await sql`delete from snapshot_claims where repository_id = ${repositoryId} and job_id is not null
    and exists (select 1 from repository_snapshots as whole
      join hosts on hosts.id = snapshot_claims.host_id
      where whole.repository_id = ${repositoryId} and whole.report_id = ${reportId}
        and whole.id = snapshot_claims.snapshot_id
        and (whole.hostname <> coalesce(snapshot_claims.hostname, hosts.snapshot_host)
          or whole.tags <> coalesce(snapshot_claims.tags, whole.tags)))`.execute(tx);
  await sql`update snapshot_claims set listed = exists (
      select 1 from repository_snapshots as whole where whole.repository_id = ${repositoryId}
        and whole.report_id = ${reportId} and whole.id = snapshot_claims.snapshot_id)
    where repository_id = ${repositoryId} and confirmed = 1`.execute(tx);
}

/** Remembers in which order snapshots were first heard of. */
export async function noteKnown(
  tx: Transaction<Tables>,
  seen: { repositoryId: string; hostId: string; at: number; ids: string[] },
): Promise<void> {
  await sql`insert or ignore into known_snapshots (repository_id, snapshot_id, host_id, seen_at)
    select ${seen.repositoryId}, value, ${seen.hostId}, ${seen.at}
    from json_each(${JSON.stringify(seen.ids)})`.execute(tx);
}
