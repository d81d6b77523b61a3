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
  return {
    schedules: await listSchedules(server, hostId),
    timeZone: host.time_zone,
    isBehind: host.applied_plan_version < host.plan_version,
  };
}
