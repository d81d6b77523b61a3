// Run now, of whatever may be run.
import { z } from "zod";
import type { Transaction } from "kysely";
import { bandwidthCap, id } from "../../shared/fields.ts";
import { isMaintenance, type JobKind, RUNNABLE_KINDS } from "../../shared/job.ts";
import type { Tables } from "../database/tables.ts";
import { AppError } from "../errors.ts";
import { RemoveAllWish, wantsAllRemoved } from "../maintenance/remove_locks.ts";
import { startMaintenance } from "../maintenance/start.ts";
import type { Actor, Server } from "../server.ts";
import { refuseDoubted } from "../hosts/instances.ts";
import { dispatchJobs } from "./dispatch.ts";
import { insertJob } from "./insert.ts";
import { refuseSecond } from "./one_open.ts";

export const JobWish = z.strictObject({
  kind: z.enum(RUNNABLE_KINDS, { error: `must be one of ${RUNNABLE_KINDS.join(", ")}` }),
  /** Backup: this group; without it every group of the host that has paths. */
  source_group_id: id.nullable().optional(),
  /** Backup: the groups of this schedule. */
  schedule_id: id.nullable().optional(),
  bandwidth_up_kbps: bandwidthCap.optional(),
  bandwidth_down_kbps: bandwidthCap.optional(),
  /** Forget: only say what would go. */
  dry_run: z.boolean("must be true or false").optional(),
  /** Forget: go on although most snapshots of a group would go. */
  may_drop_most: z.boolean("must be true or false").optional(),
  ...RemoveAllWish,
});
export type JobWish = z.infer<typeof JobWish>;

interface Group {
  id: string;
  name: string;
}

/**
 * Starts a job now, or several: one per source group when a backup names none. Throws agent_offline when the host is
 * not connected (nothing is queued for later), conflict when the same thing is queued or running already.
 */
export async function startJobs(
  server: Server,
  actor: Actor,
  hostId: string,
  wish: JobWish,
): Promise<string[]> {
  const { kind, dry_run, may_drop_most, bandwidth_up_kbps, bandwidth_down_kbps } = wish;
  const removeAllOf = wantsAllRemoved(actor, wish) ? wish.confirm_hostname : undefined;
  if (isMaintenance(kind) || (kind === "unlock" && removeAllOf !== undefined)) {
    const { repository_id } = await hostRow(server, hostId);
    const { jobId } = await startMaintenance(server, actor, repository_id, {
      kind,
      hostId,
      ...(removeAllOf === undefined ? {} : { removeAllOf }),
      caps: { bandwidth_up_kbps, bandwidth_down_kbps },
      request: {
        ...(dry_run === undefined ? {} : { dry_run }),
        ...(may_drop_most === undefined ? {} : { may_drop_most }),
      },
    });
    return [jobId];
  }
  const ids = await server.db.transaction().execute(async (tx) => {
    const host = await tx.selectFrom("hosts").select(["name", "repository_id", "doubted_since"])
      .where("id", "=", hostId).executeTakeFirst();
    if (!host) throw new AppError("not_found", "There is no such host.");
    if (!server.agents.isOnline(hostId)) {
      throw new AppError("agent_offline", `${host.name} is offline; nothing was started.`);
    }
    refuseDoubted(host);
    if (wish.kind !== "backup") await refuseSecond(tx, { hostId, hostName: host.name, kind });
    const groups = wish.kind === "backup" ? await groupsFor(tx, hostId, wish) : [null];
    const started: string[] = [];
    for (const group of groups) {
      const scheduleId = wish.kind === "backup" ? wish.schedule_id ?? null : null;
      const job = await insertJob(server, tx, actor, { hostId, host, wish, group, scheduleId });
      started.push(job);
    }
    return started;
  });
  await dispatchJobs(server, hostId);
  for (const jobId of ids) server.events.publish({ type: "job", jobId, hostId, status: "queued" });
  return ids;
}

async function hostRow({ db }: Server, hostId: string): Promise<{ repository_id: string }> {
  const row = await db.selectFrom("hosts").select("repository_id").where("id", "=", hostId)
    .executeTakeFirst();
  if (!row) throw new AppError("not_found", "There is no such host.");
  return row;
}

async function groupsFor(
  tx: Transaction<Tables>,
  hostId: string,
  wish: JobWish,
): Promise<Group[]> {
  let query = tx.selectFrom("source_groups").select(["id", "name", "includes"])
    .where("host_id", "=", hostId).orderBy("name");
  if (wish.source_group_id) query = query.where("id", "=", wish.source_group_id);
  if (wish.schedule_id) query = query.where("id", "in", await groupsOf(tx, hostId, wish));
  const groups = await query.execute();
  if (wish.source_group_id && groups.length === 0) {
    throw new AppError(
      "invalid",
      "source_group_id must be a source group of this host.",
      "source_group_id",
    );
  }
  const ready = groups.filter((group) => group.includes !== "[]");
  if (ready.length === 0) {
    throw new AppError(
      "conflict",
      wish.source_group_id
        ? `The source group ${groups[0]!.name} has no paths yet; add the paths to back up first.`
        : "This host has no source group with paths; add the paths to back up first.",
    );
  }
  const busy = await openBackups(tx, hostId);
  const free = ready.filter((group) => !busy.has(group.id));
  if (free.length === 0) {
    throw new AppError("conflict", `A backup of ${ready[0]!.name} is already queued or running.`);
  }
  return free;
}

async function groupsOf(
  tx: Transaction<Tables>,
  hostId: string,
  { schedule_id, source_group_id }: JobWish,
): Promise<string[]> {
  if (source_group_id) {
    const sentence = "schedule_id cannot be given together with source_group_id.";
    throw new AppError("invalid", sentence, "schedule_id");
  }
  const rows = await tx.selectFrom("schedule_groups")
    .innerJoin("schedules", "schedules.id", "schedule_groups.schedule_id")
    .select("source_group_id").where("schedule_id", "=", schedule_id!)
    .where("host_id", "=", hostId).execute();
  if (rows.length === 0) {
    throw new AppError("invalid", "schedule_id must be a schedule of this host.", "schedule_id");
  }
  return rows.map((row) => row.source_group_id);
}

async function openBackups(tx: Transaction<Tables>, hostId: string): Promise<Set<string | null>> {
  const kind: JobKind = "backup";
  const rows = await tx.selectFrom("jobs").select("source_group_id").where("host_id", "=", hostId)
    .where("kind", "=", kind).where("status", "in", ["queued", "running"]).execute();
  return new Set(rows.map((row) => row.source_group_id));
}
