// What an agent reports of its jobs. Each report may come again after a reconnect and must then change nothing.
import { sql } from "kysely";
import type { Transaction } from "kysely";
import type {
  AgentMessage,
  JobFinished,
  LogStream,
  RepositoryLock,
} from "../../shared/protocol.ts";
import { type EndStatus, writesRepository } from "../../shared/job.ts";
import type { Tables } from "../database/tables.ts";
import { held, windowFrom } from "../hosts/contact.ts";
import { pushChangedPlan } from "../hosts/push.ts";
import { auditOfHost } from "../quotas/day.ts";
import { claimSnapshot, newestKnown } from "../retention/claims.ts";
import { noteForgotten } from "../retention/note.ts";
import type { Server } from "../server.ts";
import { atMost } from "../snapshots/limits.ts";
import { noteMaintenance } from "../maintenance/note.ts";
import { noteResticId } from "../repositories/restic_id.ts";
import { dropMended } from "./accept.ts";
import { dispatchAll } from "./dispatch.ts";
import { judge } from "./judge.ts";
import { endLease } from "./end_lease.ts";
import type { OwnJob } from "./own.ts";
import { LEASE_RELEASED, PRESUMED, WAITED_TOO_LONG } from "./reason_codes.ts";
import { storeLines } from "./lines.ts";
import { readRequest } from "./request.ts";

type Message<T> = Extract<AgentMessage, { type: T }>;

/** Ends that the server decided upon: what the job came to all the same takes their place. */
const GIVEN_UP = [WAITED_TOO_LONG, LEASE_RELEASED];

export async function beginJob(
  server: Server,
  job: OwnJob,
  message: Message<"job.started">,
  told: { at: number; skew: number },
): Promise<void> {
  const window_from = await windowFrom(server, job.hostId);
  const { numUpdatedRows } = await server.db.transaction().execute(async (tx) =>
    await tx.updateTable("jobs").set({
      status: "running",
      started_at: message.at,
      said_started_at: told.at,
      // Its first receipt counts: when the start comes again, the snapshot may be known already.
      began_at: sql<number>`coalesce(began_at, ${
        held(told.at, told.skew, window_from, server.now())
      })`,
      window_from: sql<number>`coalesce(window_from, ${window_from})`,
      known_before: sql<number>`coalesce(known_before, ${await newestKnown(tx)})`,
      finished_at: null,
      reason: null,
      reason_code: null,
      restic_version: message.restic_version,
      bandwidth_up_kbps: message.bandwidth_up_kbps,
      bandwidth_down_kbps: message.bandwidth_down_kbps,
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
  const lines = await storeLines(server, job, message.first_seq, message.lines);
  if (lines.length > 0) server.events.publish({ type: "lines", jobId: message.job_id, lines });
}

export async function finishJob(
  server: Server,
  job: OwnJob,
  told: JobFinished,
  /** `told.at` as the host's own clock has it. */
  saidAt = told.at,
): Promise<void> {
  let isPlanChanged = false;
  let hadLease = false;
  const ended = await server.db.transaction().execute(async (tx) => {
    const { ended: message, withheld, kind } = await verdictOn(tx, job, told, {
      isClockWrong: saidAt !== told.at,
      now: server.now(),
    });
    // Whatever was believed of the job: its work has ended.
    hadLease = await endLease(tx, told.job_id);
    const row = await tx.updateTable("jobs").set({
      status: message.status,
      finished_at: message.at,
      said_finished_at: saidAt,
      finished_received_at: server.now(),
      duration_ms: message.duration_ms ?? null,
      exit_code: message.exit_code,
      reason: message.reason,
      reason_code: message.reason_code,
      warnings: message.warnings,
      summary: message.summary && JSON.stringify(message.summary),
      snapshot_id: message.summary?.snapshot_id ?? null,
      result: kind === "forget" && message.forgotten ? JSON.stringify(message.forgotten) : null,
      sources: kind === "backup" && message.sources
        ? JSON.stringify(atMost(message.sources, SOURCES_BYTES))
        : null,
      withheld,
    }).where("number", "=", job.number).where((where) =>
      where.or([
        where("status", "in", ["queued", "running"]),
        where("reason_code", "=", PRESUMED),
        // That it was cancelled is what the server asked for when it gave the job up.
        ...(told.status === "cancelled" ? [] : [where("reason_code", "in", GIVEN_UP)]),
      ])
    ).returningAll().executeTakeFirst();
    if (!row) return undefined;
    if (message.opened) {
      await noteResticId(server, tx, {
        repositoryId: row.repository_id,
        hostId: job.hostId,
        at: message.at,
        opened: message.opened,
        isNew: message.created === true && readRequest(row.request).reinit === true,
      });
    }
    if (row.kind === "backup") {
      await noteBackup(tx, job.hostId, message);
      await claimSnapshot(tx, server.now(), row);
      isPlanChanged = message.status === "succeeded" &&
        await dropMended(tx, row, message.sources ?? []);
    }
    if (row.kind === "forget") await noteForgotten(tx, server.now(), row, message);
    if (row.kind === "init" && message.status === "succeeded") {
      await noteRepository(server, tx, row, message);
    }
    await noteMaintenance(tx, row, message);
    return row;
  });
  if (!ended) return hadLease ? await dispatchAll(server) : undefined;
  if (isPlanChanged) await pushChangedPlan(server, job.hostId);
  server.progress.delete(told.job_id);
  server.events.publish({
    type: "job",
    jobId: told.job_id,
    hostId: job.hostId,
    status: ended.status,
  });
  // It may have held what another job waits for.
  if (writesRepository(ended.kind)) await dispatchAll(server);
}

async function verdictOn(
  tx: Transaction<Tables>,
  job: OwnJob,
  told: JobFinished,
  { isClockWrong, now }: { isClockWrong: boolean; now: number },
) {
  const row = await tx.selectFrom("jobs")
    .select(["number", "kind", "source_group_id", "actor_kind", "created_at"])
    .where("number", "=", job.number).executeTakeFirstOrThrow();
  // What the server ordered did not end before that: a clock that is wrong may have been set since the end.
  const notBefore = isClockWrong && row.actor_kind !== "schedule" ? row.created_at : 0;
  const ended = { ...told, at: Math.min(now, Math.max(told.at, notBefore)) };
  const verdict = row.kind === "backup" ? await judge(tx, row, ended) : { ended, withheld: null };
  return { ...verdict, kind: row.kind };
}

/** Of what was wrong with paths, what is kept of one job. */
const SOURCES_BYTES = 32_768;

/**
 * The host's own columns, so that no page has to search its jobs. A journal is handed in in order, so the last report is of the last
 * backup, whatever the host's clock says.
 */
async function noteBackup(
  tx: Transaction<Tables>,
  hostId: string,
  message: JobFinished,
): Promise<void> {
  if (message.status === "skipped") return;
  await tx.updateTable("hosts").set({
    last_backup_job_id: message.job_id,
    last_backup_at: message.at,
    last_backup_status: message.status,
    last_backup_warnings: message.warnings,
    last_backup_reason: message.reason,
    last_backup_reason_code: message.reason_code,
    ...(message.status === "succeeded" ? { last_success_at: message.at } : {}),
  }).where("id", "=", hostId).execute();
  const day = Math.floor(message.at / 86_400_000);
  const column = dayColumn(message.status, message.warnings);
  await tx.insertInto("backup_days").values({
    host_id: hostId,
    day,
    succeeded: 0,
    warned: 0,
    failed: 0,
    [column]: 1,
  }).onConflict((conflict) =>
    conflict.columns(["host_id", "day"]).doUpdateSet({ [column]: sql`${sql.ref(column)} + 1` })
  ).execute();
}

function dayColumn(status: EndStatus, warnings: number): "succeeded" | "warned" | "failed" {
  if (status !== "succeeded") return "failed";
  return warnings > 0 ? "warned" : "succeeded";
}

async function noteRepository(
  server: Server,
  tx: Transaction<Tables>,
  job: { host_id: string; repository_id: string; id: string },
  message: JobFinished,
): Promise<void> {
  const host = await tx.updateTable("hosts").set({ repository_ready_at: message.at })
    .where("id", "=", job.host_id).where("repository_id", "=", job.repository_id)
    .returning("name").executeTakeFirst();
  await tx.updateTable("repositories")
    .set({
      is_new: 0,
      initialised_at: message.created
        ? message.at
        : sql<number>`coalesce(initialised_at, ${message.at})`,
    })
    .where("id", "=", job.repository_id).execute();
  if (!message.created) return;
  await auditOfHost(server, tx, job.host_id, {
    actor: { kind: "agent", id: job.host_id, name: host?.name ?? job.host_id, address: null },
    act: {
      action: "repository.initialised",
      target: { kind: "repository", id: job.repository_id, name: null },
      detail: { job_id: job.id },
    },
  });
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

/** A host may only speak of the repository that it uses. */
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
