import { nextRun } from "../../shared/cron.ts";
import { AppError } from "../errors.ts";
import { lastRunOf } from "../last_run.ts";
import type { Db } from "../database/open.ts";
import type { Server } from "../server.ts";
import type { Schedule } from "../../shared/shapes/schedule.ts";

/** The oldest first, each with its next and its newest run; three queries however many there are. */
export async function listSchedules(server: Server, hostId: string): Promise<Schedule[]> {
  return await read(server, [hostId]);
}

/** Throws not_found also when the schedule is another host's. */
export async function getSchedule(server: Server, hostId: string, id: string): Promise<Schedule> {
  const found = (await read(server, [hostId])).find((schedule) => schedule.id === id);
  if (!found) throw new AppError("not_found", "There is no such schedule on this host.");
  return found;
}

/** For rows of many hosts: the schedules of each. */
export async function schedulesOf(
  server: Server,
  hostIds: string[],
): Promise<Map<string, Schedule[]>> {
  const byHost = new Map<string, Schedule[]>();
  for (const schedule of await read(server, hostIds)) {
    byHost.set(schedule.host_id, [...byHost.get(schedule.host_id) ?? [], schedule]);
  }
  return byHost;
}

async function read({ db, now }: Server, hostIds: string[]): Promise<Schedule[]> {
  if (hostIds.length === 0) return [];
  const rows = await db.selectFrom("schedules").innerJoin("hosts", "hosts.id", "schedules.host_id")
    .selectAll("schedules").select(["hosts.time_zone", "hosts.on_hold_since"])
    .where("schedules.host_id", "in", hostIds).orderBy("schedules.id").execute();
  if (rows.length === 0) return [];
  const ids = rows.map((row) => row.id);
  const groups = await db.selectFrom("schedule_groups")
    .innerJoin("source_groups", "source_groups.id", "schedule_groups.source_group_id")
    .select(["schedule_id", "source_groups.id", "source_groups.name"])
    .where("schedule_id", "in", ids).orderBy("position").execute();
  const runs = await newestRuns(db, ids);
  return rows.map((row) => {
    const own = groups.filter((group) => group.schedule_id === row.id);
    return {
      id: row.id,
      host_id: row.host_id,
      cron: row.cron,
      enabled: row.enabled === 1,
      source_group_ids: own.map((group) => group.id),
      source_groups: own.map(({ id, name }) => ({ id, name })),
      time_zone: row.time_zone,
      next_run_at: row.enabled === 1 && row.on_hold_since === null
        ? nextRun(row.cron, now(), row.time_zone)
        : null,
      last_run: lastRunOf(runs.find((run) => run.schedule_id === row.id)),
      created_at: row.created_at,
      updated_at: row.updated_at,
    };
  });
}

/** The newest job of each by one look into the index, however many jobs there are. */
async function newestRuns(db: Db, ids: string[]) {
  return await db.selectFrom("schedules")
    .innerJoin(
      "jobs",
      (join) =>
        join.on(
          "jobs.number",
          "=",
          (expression) =>
            expression.selectFrom("jobs as newest").select((each) =>
              each.fn.max("newest.number").as("n")
            )
              .whereRef("newest.schedule_id", "=", "schedules.id"),
        ),
    )
    .select([
      "jobs.id",
      "jobs.schedule_id",
      "jobs.status",
      "jobs.warnings",
      "jobs.created_at",
      "jobs.started_at",
    ])
    .where("schedules.id", "in", ids).execute();
}
