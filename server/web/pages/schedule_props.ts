// The schedules of a host as pages show them.
import type { ScheduleListProps } from "../../../templates/hosts/schedules.tsx";
import { getHost } from "../../hosts/find.ts";
import { listSchedules } from "../../schedules/find.ts";
import type { Server } from "../../server.ts";

/** The schedules of a host, for its tab and for the live fragment of it. */
export async function scheduleList(
  server: Server,
  hostId: string,
): Promise<Pick<ScheduleListProps, "schedules" | "timeZone" | "isBehind">> {
  const host = await getHost(server, hostId);
  const schedules = await listSchedules(server, hostId);
  return {
    timeZone: host.time_zone,
    isBehind: host.applied_plan_version < host.plan_version,
    schedules: schedules.map((schedule) => ({
      id: schedule.id,
      cron: schedule.cron,
      isEnabled: schedule.enabled,
      groups: schedule.source_groups.map((group) => group.name),
      nextRunAt: schedule.next_run_at,
      lastRun: schedule.last_run,
    })),
  };
}
