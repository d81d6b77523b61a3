import { change } from "../change.ts";
import type { Transaction } from "kysely";
import { newId } from "../../shared/new_id.ts";
import type { Tables } from "../database/tables.ts";
import { AppError } from "../errors.ts";
import type { Actor, Server } from "../server.ts";
import type { ScheduleInput } from "./fields.ts";
import { settleCredits } from "./credit.ts";

/** A schedule, and the host that it must belong to. */
export interface OfHost {
  hostId: string;
  id: string;
}

export async function createSchedule(
  server: Server,
  actor: Actor,
  hostId: string,
  input: ScheduleInput,
): Promise<{ id: string }> {
  const id = newId();
  await change(server, actor, async ({ tx, now, audit, planChanged }) => {
    await tx.insertInto("schedules").values({
      id,
      host_id: hostId,
      cron: input.cron,
      enabled: input.enabled ? 1 : 0,
      created_at: now,
      updated_at: now,
    }).execute();
    await storeGroups(tx, { hostId, id }, input.source_group_ids);
    await planChanged(hostId);
    await audit(act("schedule.created", { hostId, id }, input));
  });
  return { id };
}

export async function changeSchedule(
  server: Server,
  actor: Actor,
  of: OfHost,
  input: ScheduleInput,
): Promise<void> {
  const { hostId, id } = of;
  await change(server, actor, async ({ tx, now, audit, planChanged }) => {
    await settleCredits(tx, now, id);
    const changed = await tx.updateTable("schedules")
      .set({ cron: input.cron, enabled: input.enabled ? 1 : 0, updated_at: now })
      .where("id", "=", id).where("host_id", "=", hostId).executeTakeFirst();
    if (!changed.numUpdatedRows) throw noSuchSchedule();
    await tx.deleteFrom("schedule_groups").where("schedule_id", "=", id).execute();
    await storeGroups(tx, { hostId, id }, input.source_group_ids);
    await planChanged(hostId);
    await audit(act("schedule.changed", of, input));
  });
}

export async function removeSchedule(
  server: Server,
  actor: Actor,
  { hostId, id }: OfHost,
): Promise<void> {
  await change(server, actor, async ({ tx, audit, planShrank }) => {
    const gone = await tx.deleteFrom("schedules").where("id", "=", id)
      .where("host_id", "=", hostId).returning("cron").executeTakeFirst();
    if (!gone) throw noSuchSchedule();
    await planShrank(hostId);
    await audit({
      action: "schedule.removed",
      target: { kind: "schedule", id, name: gone.cron },
      detail: { host_id: hostId },
    });
  });
}

/** Pausing and resuming changes nothing else. */
export async function setScheduleEnabled(
  server: Server,
  actor: Actor,
  { hostId, id }: OfHost,
  enabled: boolean,
): Promise<void> {
  await change(server, actor, async ({ tx, now, audit, planChanged }) => {
    const row = await tx.updateTable("schedules")
      .set({ enabled: enabled ? 1 : 0, updated_at: now })
      .where("id", "=", id).where("host_id", "=", hostId).returning("cron").executeTakeFirst();
    if (!row) throw noSuchSchedule();
    await planChanged(hostId);
    await audit({
      action: enabled ? "schedule.resumed" : "schedule.paused",
      target: { kind: "schedule", id, name: row.cron },
      detail: { host_id: hostId },
    });
  });
}

async function storeGroups(
  tx: Transaction<Tables>,
  { hostId, id }: OfHost,
  groupIds: string[],
): Promise<void> {
  const wanted = [...new Set(groupIds)];
  const found = await tx.selectFrom("source_groups").select("id").where("host_id", "=", hostId)
    .where("id", "in", wanted).execute();
  if (found.length < wanted.length) {
    throw new AppError(
      "invalid",
      "source_group_ids must be source groups of this host.",
      "source_group_ids",
    );
  }
  await tx.insertInto("schedule_groups").values(
    wanted.map((source_group_id, position) => ({
      schedule_id: id,
      source_group_id,
      position,
    })),
  ).execute();
}

function act(action: string, { hostId, id }: OfHost, input: ScheduleInput) {
  return {
    action,
    target: { kind: "schedule", id, name: input.cron },
    detail: { host_id: hostId, enabled: input.enabled, source_group_ids: input.source_group_ids },
  };
}

function noSuchSchedule(): AppError {
  return new AppError("not_found", "There is no such schedule on this host.");
}
