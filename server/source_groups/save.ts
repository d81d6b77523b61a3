import type { Transaction } from "kysely";
import { HOOK_NAMES } from "../../shared/hooks.ts";
import { newId } from "../../shared/new_id.ts";
import { recordAudit } from "../audit/record.ts";
import type { Tables } from "../database/tables.ts";
import { AppError } from "../errors.ts";
import { planChanged, pushChangedPlan } from "../hosts/push.ts";
import { changedHook, refuseUnlessAdmin } from "../hooks/seal.ts";
import type { Actor, Server } from "../server.ts";
import type { SourceGroupWish } from "./fields.ts";

export async function createSourceGroup(
  server: Server,
  actor: Actor,
  hostId: string,
  wish: SourceGroupWish,
): Promise<{ id: string }> {
  const id = newId();
  await server.db.transaction().execute(async (tx) => {
    await refuseTakenName(tx, hostId, wish.name, id);
    await refuseOffWindows(tx, hostId, wish);
    await insertSourceGroup(tx, server.now(), hostId, id, wish);
    await saveHooks(server, tx, actor, hostId, id, wish);
    await planChanged(tx, hostId);
    await recordAudit(tx, server.now(), actor, {
      action: "source_group.created",
      target: { kind: "source_group", id, name: wish.name },
      detail: { host_id: hostId },
    });
  });
  await pushChangedPlan(server, hostId);
  return { id };
}

export async function changeSourceGroup(
  server: Server,
  actor: Actor,
  hostId: string,
  id: string,
  wish: SourceGroupWish,
): Promise<void> {
  await server.db.transaction().execute(async (tx) => {
    await refuseTakenName(tx, hostId, wish.name, id);
    await refuseOffWindows(tx, hostId, wish);
    const changed = await tx.updateTable("source_groups")
      .set({ ...columns(wish), updated_at: server.now() })
      .where("id", "=", id).where("host_id", "=", hostId).executeTakeFirst();
    if (!changed.numUpdatedRows) throw noSuchGroup();
    await saveHooks(server, tx, actor, hostId, id, wish);
    await planChanged(tx, hostId);
    await recordAudit(tx, server.now(), actor, {
      action: "source_group.changed",
      target: { kind: "source_group", id, name: wish.name },
      detail: { host_id: hostId },
    });
  });
  await pushChangedPlan(server, hostId);
}

/** The group's snapshots stay in the repository. */
export async function removeSourceGroup(
  server: Server,
  actor: Actor,
  hostId: string,
  id: string,
): Promise<void> {
  await server.db.transaction().execute(async (tx) => {
    await refuseScheduled(tx, id);
    const gone = await tx.deleteFrom("source_groups").where("id", "=", id)
      .where("host_id", "=", hostId).returning("name").executeTakeFirst();
    if (!gone) throw noSuchGroup();
    await planChanged(tx, hostId);
    await recordAudit(tx, server.now(), actor, {
      action: "source_group.removed",
      target: { kind: "source_group", id, name: gone.name },
      detail: { host_id: hostId },
    });
  });
  await pushChangedPlan(server, hostId);
}

export async function insertSourceGroup(
  tx: Transaction<Tables>,
  now: number,
  hostId: string,
  id: string,
  wish: SourceGroupWish,
): Promise<void> {
  await tx.insertInto("source_groups")
    .values({ id, host_id: hostId, ...columns(wish), created_at: now, updated_at: now }).execute();
}

/** In the transaction that made or changed the group. Throws forbidden unless an admin changes something. */
async function saveHooks(
  server: Server,
  tx: Transaction<Tables>,
  actor: Actor,
  hostId: string,
  id: string,
  wish: SourceGroupWish,
): Promise<void> {
  const stored = await tx.selectFrom("source_groups")
    .select(["pre_hook_sealed", "post_hook_sealed", "hook_timeout_seconds", "hook_stop_at_error"])
    .where("id", "=", id).executeTakeFirstOrThrow();
  const detail: Record<string, string | number | boolean> = {};
  for (const name of HOOK_NAMES) {
    const owner = { table: "source_groups" as const, row: id };
    const before = stored[`${name}_sealed`];
    const change = await changedHook(server, actor, owner, name, before, wish[name]);
    if (!change) continue;
    await tx.updateTable("source_groups").set({ [`${name}_sealed`]: change.sealed })
      .where("id", "=", id).execute();
    detail[name] = change.sealed ? "set" : "cleared";
  }
  const { hook_timeout_seconds } = wish;
  if (hook_timeout_seconds && hook_timeout_seconds !== stored.hook_timeout_seconds) {
    refuseUnlessAdmin(actor, "hook_timeout_seconds");
    await tx.updateTable("source_groups").set({ hook_timeout_seconds }).where("id", "=", id)
      .execute();
    detail.hook_timeout_seconds = hook_timeout_seconds;
  }
  const { hook_stop_at_error: stops } = wish;
  if (stops !== undefined && stops !== (stored.hook_stop_at_error === 1)) {
    refuseUnlessAdmin(actor, "hook_stop_at_error");
    await tx.updateTable("source_groups").set({ hook_stop_at_error: stops ? 1 : 0 })
      .where("id", "=", id).execute();
    detail.hook_stop_at_error = stops;
  }
  if (Object.keys(detail).length === 0) return;
  await recordAudit(tx, server.now(), actor, {
    action: "source_group.hook_updated",
    target: { kind: "source_group", id, name: wish.name },
    detail: { host_id: hostId, ...detail },
  });
}

function columns(whole: SourceGroupWish) {
  const {
    pre_hook: _,
    post_hook: __,
    hook_timeout_seconds: ___,
    hook_stop_at_error: ____,
    ...wish
  } = whole;
  return {
    ...wish,
    includes: JSON.stringify(wish.includes),
    excludes: JSON.stringify(wish.excludes),
    retention: JSON.stringify(wish.retention),
    use_fs_snapshot: wish.use_fs_snapshot ? 1 : 0,
  };
}

async function refuseTakenName(
  tx: Transaction<Tables>,
  hostId: string,
  name: string,
  id: string,
): Promise<void> {
  const other = await tx.selectFrom("source_groups").select("id").where("host_id", "=", hostId)
    .where("name", "=", name).where("id", "!=", id).executeTakeFirst();
  if (other) {
    throw new AppError("conflict", `This host already has a source group named ${name}.`, "name");
  }
}

async function refuseOffWindows(
  tx: Transaction<Tables>,
  hostId: string,
  { use_fs_snapshot }: SourceGroupWish,
): Promise<void> {
  if (!use_fs_snapshot) return;
  const host = await tx.selectFrom("hosts").select("os").where("id", "=", hostId)
    .executeTakeFirst();
  if (host?.os === "windows") return;
  throw new AppError(
    "invalid",
    "use_fs_snapshot must be false: only Windows hosts have volume shadow copies.",
    "use_fs_snapshot",
  );
}

async function refuseScheduled(tx: Transaction<Tables>, id: string): Promise<void> {
  const schedules = await tx.selectFrom("schedules")
    .innerJoin("schedule_groups", "schedule_groups.schedule_id", "schedules.id")
    .select("cron").where("source_group_id", "=", id).execute();
  if (schedules.length === 0) return;
  throw new AppError(
    "conflict",
    `The source group is run by ${schedules.length === 1 ? "the schedule" : "the schedules"} ${
      schedules.map((schedule) => schedule.cron).join(", ")
    }; take it out there first.`,
  );
}

function noSuchGroup(): AppError {
  return new AppError("not_found", "There is no such source group on this host.");
}
