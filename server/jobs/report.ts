// What an agent reports of its jobs. Each report may come again after a reconnect and must then change nothing.
import { sql } from "kysely";
import type { Selectable, Transaction } from "kysely";
import type {
  AgentMessage,
  JobFinished,
  LogStream,
  RepositoryLock,
} from "../../shared/protocol.ts";
import type { JobsTable, Tables } from "../database/tables.ts";
import { held, windowFrom } from "../hosts/contact.ts";
import type { Server } from "../server.ts";
import { noteResticId } from "../repositories/restic_id.ts";
import { dispatchAll } from "./dispatch.ts";
import { endLease } from "./end_lease.ts";
import type { OwnJob } from "./own.ts";
import { LEASE_RELEASED, PRESUMED, WAITED_TOO_LONG } from "./reason_codes.ts";
import { storeLines } from "./lines.ts";
import { writesRepository } from "../../shared/job_kinds/all.ts";
import { pushChangedPlan } from "../plan/push.ts";
import { newestKnown } from "./newest_known.ts";

type Message<T> = Extract<AgentMessage, { type: T }>;

/** Ends that the server decided upon: what the job came to all the same takes their place. */
const GIVEN_UP = [WAITED_TOO_LONG, LEASE_RELEASED];

export async function beginJob(
  server: Server,
  job: OwnJob,
  message: Message<"job.started">,
  reported: { at: number; skew: number },
): Promise<void> {
  const window_from = await windowFrom(server, job.hostId);
  const { numUpdatedRows } = await server.db.transaction().execute(async (tx) =>
    await tx.updateTable("jobs").set({
      status: "running",
      started_at: message.at,
      said_started_at: reported.at,
      // Its first receipt counts: when the start comes again, the snapshot may be known already.
      began_at: sql<number>`coalesce(began_at, ${
        held(reported.at, reported.skew, window_from, server.now())
      })`,
      window_from: sql<number>`coalesce(window_from, ${window_from})`,
      known_before: sql<number>`coalesce(known_before, ${await newestKnown(tx)})`,
      finished_at: null,
      reason: null,
      reason_code: null,
      restic_version: message.restic_version,
      bandwidth_up_kib_per_s: message.bandwidth_up_kib_per_s,
      bandwidth_down_kib_per_s: message.bandwidth_down_kib_per_s,
    }).where("number", "=", job.number).where((where) =>
      where.or([where("status", "=", "queued"), where("reason_code", "=", PRESUMED)])
    ).executeTakeFirst()
  );
  if (!numUpdatedRows) return;
  server.events.publish({
    type: "job",
    jobId: message.job_id,
    hostId: job.hostId,
    status: "running",
  });
}

export async function appendLines(server: Server, job: OwnJob, message: LogStream): Promise<void> {
  const lines = await storeLines(server, job, message.first_line, message.lines);
  if (lines.length > 0) server.events.publish({ type: "lines", jobId: message.job_id, lines });
}

export async function finishJob(
  server: Server,
  job: OwnJob,
  reported: JobFinished,
  /** `reported.at` as the host's own clock has it. */
  reportedAt = reported.at,
): Promise<void> {
  const { ended, isPlanChanged, hadLease } = await server.db.transaction().execute(async (tx) => {
    const verdict = await verdictOn(server, tx, job, {
      reported,
      isClockWrong: reportedAt !== reported.at,
    });
    // Whatever was believed of the job: its work has ended.
    const hadLease = await endLease(tx, reported.job_id);
    const ended = await storeEnd(server, tx, job, {
      ...verdict,
      reportedAt,
      status: reported.status,
    });
    if (!ended) return { ended, isPlanChanged: false, hadLease };
    const isPlanChanged = await afterEnd(server, tx, ended, verdict.ended);
    return { ended, isPlanChanged, hadLease };
  });
  if (!ended) return hadLease ? await dispatchAll(server) : undefined;
  if (isPlanChanged) await pushChangedPlan(server, job.hostId);
  server.progress.delete(reported.job_id);
  server.events.publish({
    type: "job",
    jobId: reported.job_id,
    hostId: job.hostId,
    status: ended.status,
  });
  // It may have held what another job waits for.
  if (writesRepository(ended.kind)) await dispatchAll(server);
}

type Verdict = Awaited<ReturnType<typeof verdictOn>>;

/** The job's row, or undefined when it has ended before and keeps that end. `status`: as the agent said it. */
async function storeEnd(
  server: Server,
  tx: Transaction<Tables>,
  job: OwnJob,
  end: Verdict & { reportedAt: number; status: JobFinished["status"] },
): Promise<Selectable<JobsTable> | undefined> {
  const { ended: message, withheld, kind, reportedAt, status } = end;
  return await tx.updateTable("jobs").set({
    status: message.status,
    finished_at: message.at,
    said_finished_at: reportedAt,
    finished_received_at: server.now(),
    duration_ms: message.duration_ms ?? null,
    exit_code: message.exit_code,
    reason: message.reason,
    reason_code: message.reason_code,
    warnings: message.warnings,
    summary: message.summary && JSON.stringify(message.summary),
    snapshot_id: message.summary?.snapshot_id ?? null,
    result: null,
    sources: null,
    ...server.kinds[kind].outcome?.(message),
    withheld,
  }).where("number", "=", job.number).where((where) =>
    where.or([
      where("status", "in", ["queued", "running"]),
      where("reason_code", "=", PRESUMED),
      // That it was cancelled is what the server asked for when it gave the job up.
      ...(status === "cancelled" ? [] : [where("reason_code", "in", GIVEN_UP)]),
    ])
  ).returningAll().executeTakeFirst();
}

/** Returns whether the plan of the job's host is another one now. */
async function afterEnd(
  server: Server,
  tx: Transaction<Tables>,
  row: Selectable<JobsTable>,
  message: JobFinished,
): Promise<boolean> {
  const kind = server.kinds[row.kind];
  if (message.opened) {
    await noteResticId(server, tx, {
      repositoryId: row.repository_id,
      hostId: row.host_id,
      at: message.at,
      opened: message.opened,
      isNew: message.created === true && kind.makesAnew?.(row) === true,
    });
  }
  const isPlanChanged = await kind.finished?.(server, tx, row, message) ?? false;
  await kind.ended?.(tx, row, message);
  return isPlanChanged;
}

async function verdictOn(
  { kinds, now }: Server,
  tx: Transaction<Tables>,
  job: OwnJob,
  { reported, isClockWrong }: { reported: JobFinished; isClockWrong: boolean },
) {
  const row = await tx.selectFrom("jobs")
    .select(["number", "kind", "source_group_id", "actor_kind", "created_at"])
    .where("number", "=", job.number).executeTakeFirstOrThrow();
  // What the server ordered did not end before that: a clock that is wrong may have been set since the end.
  const notBefore = isClockWrong && row.actor_kind !== "schedule" ? row.created_at : 0;
  const ended = { ...reported, at: Math.min(now(), Math.max(reported.at, notBefore)) };
  const verdict = await kinds[row.kind].judge?.(tx, row, ended) ?? { ended, withheld: null };
  return { ...verdict, kind: row.kind };
}

export async function storeStats(
  server: Server,
  hostId: string,
  message: Message<"repo.stats">,
): Promise<void> {
  const { repository_id, stats } = message;
  await server.db.transaction().execute(async (tx) => {
    if (!await usesRepository(tx, hostId, repository_id)) return;
    await tx.updateTable("repositories").set({
      total_size: stats.total_size,
      restore_size: stats.restore_size ?? null,
      snapshots_count: stats.snapshots_count ?? null,
      stats_at: server.now(),
    }).where("id", "=", repository_id).execute();
    if (stats.locks) await replaceLocks(tx, repository_id, stats.locks);
  });
  server.events.publish({ type: "host", hostId });
}

export async function storeLocks(
  server: Server,
  hostId: string,
  { repository_id, locks }: Message<"repo.locks">,
): Promise<void> {
  await server.db.transaction().execute(async (tx) => {
    if (await usesRepository(tx, hostId, repository_id)) {
      await replaceLocks(tx, repository_id, locks);
    }
  });
  server.events.publish({ type: "host", hostId });
}

/** A host may only refer to the repository that it uses. */
async function usesRepository(
  tx: Transaction<Tables>,
  hostId: string,
  repositoryId: string,
): Promise<boolean> {
  const own = await tx.selectFrom("hosts").select("id").where("id", "=", hostId)
    .where("repository_id", "=", repositoryId).executeTakeFirst();
  return own !== undefined;
}

async function replaceLocks(
  tx: Transaction<Tables>,
  repositoryId: string,
  locks: RepositoryLock[],
): Promise<void> {
  await tx.deleteFrom("repository_locks").where("repository_id", "=", repositoryId).execute();
  for (const lock of locks) {
    await tx.insertInto("repository_locks")
      .values({ ...lock, repository_id: repositoryId, exclusive: lock.exclusive ? 1 : 0 })
      .onConflict((conflict) => conflict.doNothing()).execute();
  }
}
