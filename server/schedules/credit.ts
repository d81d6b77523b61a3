// A run that a host's own clock started counts for retention only as often as its schedule fired, by the server's clock: a
// host that invents runs gains none.
import type { Transaction } from "kysely";
import { countRuns } from "../../shared/cron.ts";
import type { Tables } from "../database/tables.ts";

/** Of fire times that passed without a claim, at most so many are remembered. */
const MOST = 1000;
/** An agent's clock may be a little ahead. */
const AHEAD = 120_000;

interface Run {
  scheduleId: string;
  groupId: string;
}

/** Takes one fire time for a run. False when its schedule has none left, or is no longer there. */
export async function takeCredit(
  tx: Transaction<Tables>,
  now: number,
  run: Run,
): Promise<boolean> {
  const credit = await settle(tx, now, run);
  if (credit < 1) return false;
  await tx.updateTable("schedule_credits").set({ credit: credit - 1 })
    .where("schedule_id", "=", run.scheduleId).where("source_group_id", "=", run.groupId).execute();
  return true;
}

/** Before a schedule's expression changes: what fired so far counts by the one that it had. */
export async function settleCredits(
  tx: Transaction<Tables>,
  now: number,
  scheduleId: string,
): Promise<void> {
  const groups = await tx.selectFrom("schedule_groups").select("source_group_id")
    .where("schedule_id", "=", scheduleId).execute();
  for (const { source_group_id } of groups) {
    await settle(tx, now, { scheduleId, groupId: source_group_id });
  }
}

async function settle(
  tx: Transaction<Tables>,
  now: number,
  { scheduleId, groupId }: Run,
): Promise<number> {
  const schedule = await tx.selectFrom("schedules").innerJoin("hosts", "hosts.id", "host_id")
    .select(["cron", "hosts.time_zone", "schedules.created_at"])
    .where("schedules.id", "=", scheduleId).executeTakeFirst();
  if (!schedule) return 0;
  const stored = await tx.selectFrom("schedule_credits").select(["credit", "credited_until"])
    .where("schedule_id", "=", scheduleId).where("source_group_id", "=", groupId)
    .executeTakeFirst();
  // One to begin with, for a clock that is ahead and a fire time that a change of the clocks shifts.
  const { credit, credited_until } = stored ??
    { credit: 1, credited_until: schedule.created_at };
  const until = Math.max(credited_until, now + AHEAD);
  const fired = countRuns(schedule.cron, credited_until, until, MOST, schedule.time_zone);
  const settled = { credit: Math.min(MOST, credit + fired), credited_until: until };
  await tx.insertInto("schedule_credits")
    .values({ schedule_id: scheduleId, source_group_id: groupId, ...settled })
    .onConflict((conflict) =>
      conflict.columns(["schedule_id", "source_group_id"]).doUpdateSet(settled)
    ).execute();
  return settled.credit;
}
