// The live stream of a host's pages.
import type { Child } from "hono/jsx";
import { HostHead, Vitals } from "../../../templates/hosts/frame.tsx";
import { HostRepositoryState } from "../../../templates/hosts/repository.tsx";
import { ScheduleList } from "../../../templates/hosts/schedules.tsx";
import { SnapshotList } from "../../../templates/hosts/snapshots.tsx";
import type { Server } from "../../server.ts";
import { listSchedules } from "../../schedules/find.ts";
import { pathId } from "../body.ts";
import type { Ctx, Route } from "../context.ts";
import { fragment, watching } from "../live.ts";
import { onceForAll } from "../shared_fragments.ts";
import { hostView } from "./host_props.ts";
import { hostSnapshots } from "./snapshot_rows.ts";
import { frameFragments } from "./live_frame.ts";
import { jobRows } from "./live_job_rows.ts";
import { mayRun } from "./page.ts";

export const liveHostRoutes: Route[] = [
  { method: "GET", path: "/live/hosts/:id", role: "viewer", handler: host },
];

function host(server: Server, c: Ctx): Response {
  const id = pathId(c, "id");
  const tab = c.req.query("tab") ?? "";
  const jobIds = new Set<string>();
  return watching(server, c, {
    topics: [`host:${id}`, "notice"],
    note: (event) => {
      if (event.type === "job") jobIds.add(event.jobId);
      return event.type !== "progress";
    },
    show: async () => {
      const may = mayRun(c);
      const key = `host ${id} ${may}`;
      const view = await onceForAll(server, `host ${id}`, () => hostView(server, id));
      return await Promise.all([
        fragment(server, `${key} head`, () => HostHead({ host: view, mayRun: may })),
        fragment(
          server,
          `${key} vitals`,
          () => Vitals({ host: view, now: server.now(), mayRun: may }),
        ),
        ...frameFragments(server),
        ...(Object.hasOwn(TABS, tab)
          ? [fragment(server, `${key} ${tab}`, () => TABS[tab]!(server, view, may))]
          : []),
        ...(tab === "jobs" ? jobRows(server, jobIds, true) : []),
      ]);
    },
  });
}

type Tab = (
  server: Server,
  host: Awaited<ReturnType<typeof hostView>>,
  may: boolean,
) => Child | Promise<Child>;

const TABS: Record<string, Tab> = {
  repository: (server, host, may) => HostRepositoryState({ host, now: server.now(), mayRun: may }),
  schedules: async (server, host, may) => {
    const schedules = await listSchedules(server, host.id);
    return ScheduleList({ host, schedules, now: server.now(), mayRun: may });
  },
  snapshots: async (server, host, may) => {
    const { items, next_cursor: _, ...list } = await hostSnapshots(server, host, null);
    return SnapshotList({ ...list, host, snapshots: items, now: server.now(), mayRun: may });
  },
};
