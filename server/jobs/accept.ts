// "This is right now": a person says of a backup that saved nothing, far less than usual, or of paths that are not what they
// were, that it is as it should be. Only then does its snapshot count for retention, and only a person can say so.
import { change } from "../change.ts";
import type { Transaction } from "kysely";
import type { Tables } from "../database/tables.ts";
import { AppError } from "../errors.ts";
import type { Actor, Server } from "../server.ts";
import { getJobRow, type JobRow } from "./find.ts";
import type { SourceProblem } from "../../shared/job_kinds/backup.ts";
import { planShrank } from "../plan/push.ts";

/** Throws conflict when the job is no such backup, or was accepted before. */
export async function acceptJob(server: Server, actor: Actor, jobId: string): Promise<void> {
  const job = await getJobRow(server, jobId);
  if (job.withheld === null || job.accepted_at !== null) {
    throw new AppError(
      "conflict",
      job.withheld === null
        ? "There is nothing to accept: the job is no backup whose snapshot stays outside retention."
        : `The job was accepted before, by ${job.accepted_by}.`,
    );
  }
  await change(server, actor, async ({ tx, audit, planChanged }) => {
    const alike = await alikeJobs(tx, job);
    for (const each of alike) await acceptOne(tx, server.now(), actor, each);
    await acceptSources(tx, job, Math.min(...alike.map(({ number }) => number)));
    await noteOnHost(tx, job);
    await planChanged(job.host_id);
    await audit({
      action: "job.accepted",
      target: { kind: "job", id: job.id, name: `backup ${job.source_group_name ?? ""}` },
      detail: { host_id: job.host_id, withheld: job.withheld, jobs: alike.length },
    });
  });
  server.events.publish({
    type: "job",
    jobId,
    hostId: job.host_id,
    status: statusWhenAccepted(job),
  });
}

/** The job, and those of its group that were withheld for the same reason without a good run between them. */
async function alikeJobs(tx: Transaction<Tables>, job: JobRow): Promise<JobRow[]> {
  if (job.source_group_id === null) return [job];
  const rows = await tx.selectFrom("jobs").selectAll()
    .where("source_group_id", "=", job.source_group_id).where("kind", "=", "backup")
    .where("summary", "is not", null).orderBy("number", "desc").limit(500).execute();
  const at = rows.findIndex(({ id }) => id === job.id);
  if (at < 0) return [job];
  const isAlike = (row: JobRow) => row.withheld === job.withheld && row.accepted_at === null;
  let [first, last] = [at, at];
  while (first > 0 && isAlike(rows[first - 1]!)) first--;
  while (last < rows.length - 1 && isAlike(rows[last + 1]!)) last++;
  return rows.slice(first, last + 1);
}

async function acceptOne(
  tx: Transaction<Tables>,
  now: number,
  actor: Actor,
  job: JobRow,
): Promise<void> {
  const status = statusWhenAccepted(job);
  const warnings = Math.max(0, job.warnings - (status === "succeeded" ? ownWarnings(job) : 0));
  await tx.updateTable("jobs").set({
    status,
    accepted_at: now,
    accepted_by: actor.name,
    warnings,
  }).where("number", "=", job.number).execute();
  await tx.updateTable("snapshot_claims").set({
    withheld: 0,
    good: status === "succeeded" && warnings === 0 ? 1 : 0,
  })
    .where("job_id", "=", job.id).execute();
}

/** What failed for another cause than its content has failed still. */
function statusWhenAccepted({ status, reason_code }: JobRow): JobRow["status"] {
  return status === "failed" && reason_code !== "nothing_saved" ? status : "succeeded";
}

/** How many of its warnings were about what is accepted now. */
function ownWarnings(job: JobRow): number {
  const sources = job.sources ? JSON.parse(job.sources) as SourceProblem[] : [];
  const paths = sources.filter(({ problem }) => problem !== "nothing_saved").length;
  return paths + (job.withheld === "less_than_usual" ? 1 : 0);
}

/** The agent is told, so that the next run is not warned of for the same; what counts as usual begins again. */
async function acceptSources(
  tx: Transaction<Tables>,
  job: JobRow,
  usualSince: number,
): Promise<void> {
  if (job.source_group_id === null) return;
  const group = await tx.selectFrom("source_groups").select("accepted_sources")
    .where("id", "=", job.source_group_id).executeTakeFirst();
  if (!group) return;
  const sources: SourceProblem[] = [
    ...JSON.parse(group.accepted_sources),
    ...(job.sources ? JSON.parse(job.sources) : []),
    ...(job.withheld === "nothing_saved" ? [{ path: "", problem: "nothing_saved" }] : []),
  ];
  const distinct = new Map(sources.map((each) => [`${each.problem} ${each.path}`, each]));
  await tx.updateTable("source_groups").set({
    accepted_sources: JSON.stringify([...distinct.values()].slice(-1000)),
    usual_since: usualSince,
  }).where("id", "=", job.source_group_id).execute();
}

async function noteOnHost(tx: Transaction<Tables>, job: JobRow): Promise<void> {
  const { status, warnings, finished_at } = await tx.selectFrom("jobs")
    .select(["status", "warnings", "finished_at"])
    .where("number", "=", job.number).executeTakeFirstOrThrow();
  if (status !== "succeeded") return;
  await tx.updateTable("hosts").set({
    last_backup_status: "succeeded",
    last_backup_warnings: warnings,
    last_backup_reason: warnings > 0 ? job.reason : null,
    // What is left is warned of; what the reason's code stands for was accepted.
    last_backup_reason_code: warnings > 0 && job.withheld === null ? job.reason_code : null,
  }).where("id", "=", job.host_id).where("last_backup_job_id", "=", job.id).execute();
  await tx.updateTable("hosts").set({ last_success_at: finished_at })
    .where("id", "=", job.host_id).where((where) =>
      where.or([where("last_success_at", "is", null), where("last_success_at", "<", finished_at)])
    ).execute();
}

/** What a person accepted of a path and is not so any more is asked about again when it comes back. */
export async function dropMended(
  tx: Transaction<Tables>,
  job: Pick<JobRow, "source_group_id" | "host_id">,
  found: SourceProblem[],
): Promise<boolean> {
  if (job.source_group_id === null) return false;
  const group = await tx.selectFrom("source_groups").select("accepted_sources")
    .where("id", "=", job.source_group_id).executeTakeFirst();
  if (!group || group.accepted_sources === "[]") return false;
  const accepted = JSON.parse(group.accepted_sources) as SourceProblem[];
  const left = accepted.filter((each) =>
    found.some((problem) => problem.path === each.path && problem.problem === each.problem)
  );
  if (left.length === accepted.length) return false;
  await tx.updateTable("source_groups").set({ accepted_sources: JSON.stringify(left) })
    .where("id", "=", job.source_group_id).execute();
  await planShrank(tx, job.host_id);
  return true;
}
