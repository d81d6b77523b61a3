import type { Transaction } from "kysely";
import { newId } from "../../shared/new_id.ts";
import { recordAudit } from "../audit/record.ts";
import type { Tables } from "../database/tables.ts";
import { AppError } from "../errors.ts";
import { planChanged, pushChangedPlan } from "../hosts/push.ts";
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
    await insertSourceGroup(tx, server.now(), hostId, id, wish);
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
    const changed = await tx.updateTable("source_groups")
      .set({ ...columns(wish), updated_at: server.now() })
      .where("id", "=", id).where("host_id", "=", hostId).executeTakeFirst();
    if (!changed.numUpdatedRows) throw noSuchGroup();
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

function columns(wish: SourceGroupWish) {
  return {
    ...wish,
    includes: JSON.stringify(wish.includes),
    excludes: JSON.stringify(wish.excludes),
    retention: JSON.stringify(wish.retention),
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
