// What changes, pushed to open pages by server-sent events: the same fragments that the pages were made of. An event only
// says that something changed; what is shown is read afterwards, at most once a second per page.
import type { Child } from "hono/jsx";
import { Attention, HostCount, HostList } from "../../templates/dashboard/page.tsx";
import { HostRow } from "../../templates/dashboard/host_row.tsx";
import { Joining } from "../../templates/hosts/add_done.tsx";
import { HostHead, Vitals } from "../../templates/hosts/frame.tsx";
import { HostRepositoryState } from "../../templates/hosts/repository.tsx";
import { ScheduleList } from "../../templates/hosts/schedules.tsx";
import { SnapshotList } from "../../templates/hosts/snapshots.tsx";
import { JobRow } from "../../templates/jobs/list.tsx";
import { LogRows } from "../../templates/jobs/log.tsx";
import { JobOutcome, JobProgress, JobState } from "../../templates/jobs/page.tsx";
import { Pending } from "../../templates/pending/list.tsx";
import { FleetState } from "../../templates/layout.tsx";
import type { Event } from "../events.ts";
import { findHost, type Host } from "../hosts/find.ts";
import { fleetSummary } from "../hosts/fleet.ts";
import { getEnrolment } from "../enrolment/find.ts";
import { getJob, getJobRow, type Job } from "../jobs/find.ts";
import type { Server } from "../server.ts";
import { listSnapshots } from "../snapshots/find.ts";
import { lastEventId } from "./api/jobs.ts";
import { pathId } from "./body.ts";
import type { Role } from "../database/tables.ts";
import { type Ctx, type Route, userOf } from "./context.ts";
import { jobFeed, type JobFeedForm } from "./job_feed.ts";
import { hostsOnPage } from "./pages/dashboard.ts";
import { attentionItems, hostRows, hostView } from "./pages/host_props.ts";
import { lossesOf } from "./pages/hosts.ts";
import { jobRow, jobView } from "./pages/job_props.ts";
import { fleetProps, mayRun } from "./pages/page.ts";
import { pendingProps } from "./pages/pending_hosts.ts";
import { scheduleList } from "./pages/schedules.ts";
import { eventStream, type Feed, type Source } from "./sse.ts";

export const liveRoutes: Route[] = [
  { method: "GET", path: "/live/fleet", role: "viewer", handler: fleet },
  { method: "GET", path: "/live/dashboard", role: "viewer", handler: dashboard },
  { method: "GET", path: "/live/hosts/:id", role: "viewer", handler: host },
  { method: "GET", path: "/live/jobs", role: "viewer", handler: jobs },
  { method: "GET", path: "/live/jobs/:id", role: "viewer", handler: job },
  { method: "GET", path: "/live/joining/:id", role: "operator", handler: joining },
];

const PAUSE_MILLISECONDS = 1000;

interface Watch {
  topics: string[];
  /** Notes what an event touches; false when the page shows nothing of it. */
  note(event: Event): boolean;
  /** What is to be shown now, as fragments or as the word `reload`. Called first when the stream opens. */
  show(): Promise<(Child | "reload")[]>;
}

/** Shows what a watch notes, never more often than the pause, and only while the reader keeps up. */
function watching(server: Server, c: Ctx, watch: Watch): Response {
  return eventStream(server, c, (feed) => source(server, feed, watch));
}

function source(server: Server, feed: Feed, watch: Watch): Source {
  let isStale = true;
  let isShowing = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let stopped = false;
  const later = () => {
    if (timer === undefined && !stopped) timer = setTimeout(again, PAUSE_MILLISECONDS);
  };
  const again = () => {
    timer = undefined;
    pump().catch((error) => {
      server.log.error(`live stream: ${error}`);
      feed.close();
    });
  };
  const pump = async () => {
    if (!isStale || isShowing || timer !== undefined || !feed.ready) return;
    isStale = false;
    isShowing = true;
    try {
      for (const each of await watch.show()) {
        if (stopped) return;
        if (each === "reload") feed.send({ event: "reload", data: "" });
        else feed.send({ event: "fragment", data: `${each}` });
      }
    } finally {
      isShowing = false;
    }
    later();
  };
  const unsubscribe = watch.topics.map((topic) =>
    server.events.subscribe(topic, (event) => {
      if (!watch.note(event)) return;
      isStale = true;
      if (timer === undefined && !isShowing) again();
    })
  );
  return {
    pump,
    stop: () => {
      stopped = true;
      clearTimeout(timer);
      for (const end of unsubscribe) end();
    },
  };
}

async function fleetFragment(server: Server): Promise<Child> {
  return FleetState({ fleet: fleetProps(await fleetSummary(server)) });
}

function fleet(server: Server, c: Ctx): Response {
  return watching(server, c, {
    topics: ["fleet"],
    note: (event) => event.type !== "progress",
    show: async () => [await fleetFragment(server)],
  });
}

async function dashboard(server: Server, c: Ctx): Promise<Response> {
  const wasEmpty = (await fleetSummary(server)).total === 0;
  const shown = new Set<string>();
  const changed = new Set<string>();
  /** How many hosts there were when the list was shown: whole when the stream opens, and when hosts came or went. */
  let listed: number | undefined;
  let isFleetStale = true;
  let isPendingStale = true;
  return watching(server, c, {
    topics: mayRun(c) ? ["fleet", "pending"] : ["fleet"],
    note: (event) => {
      if (event.type === "pending") return isPendingStale = true;
      if (event.type !== "progress") isFleetStale = true;
      if ("hostId" in event && shown.has(event.hostId)) changed.add(event.hostId);
      return isFleetStale || changed.size > 0;
    },
    show: async () => {
      const ids = [...changed];
      changed.clear();
      const [may, now, isStale] = [mayRun(c), server.now(), isFleetStale];
      isFleetStale = false;
      const fragments: Child[] = [];
      if (isPendingStale && may) fragments.push(Pending(await pendingProps(server, c)));
      isPendingStale = false;
      const summary = await fleetSummary(server);
      const { oldest, total } = summary;
      if (wasEmpty !== (total === 0)) return ["reload"];
      if (listed === total) fragments.unshift(...await hostRowsOf(server, c, ids));
      else {
        const list = await hostsOnPage(server, c);
        listed = total;
        shown.clear();
        for (const { id } of list.hosts) shown.add(id);
        fragments.unshift(HostList({ ...list, total, now, mayRun: may }), HostCount({ total }));
      }
      if (!isStale) return fragments;
      const attention = Attention({
        fleet: fleetProps(summary),
        items: attentionItems(summary),
        oldest: oldest && { name: oldest.name, at: oldest.last_success_at },
        now,
        mayRun: may,
      });
      return [...fragments, attention, await fleetFragment(server)];
    },
  });
}

async function hostRowsOf(server: Server, c: Ctx, ids: string[]): Promise<Child[]> {
  const found = (await Promise.all(ids.map((id) => findHost(server, id))))
    .filter((each): each is Host => each !== undefined);
  const [now, may] = [server.now(), mayRun(c)];
  return (await hostRows(server, found)).map((host) => HostRow({ host, now, mayRun: may }));
}

function host(server: Server, c: Ctx): Response {
  const id = pathId(c, "id");
  const tab = c.req.query("tab");
  const jobIds = new Set<string>();
  return watching(server, c, {
    topics: [`host:${id}`],
    note: (event) => {
      if (event.type === "job") jobIds.add(event.jobId);
      return event.type !== "progress";
    },
    show: async () => {
      const view = await hostView(server, id);
      const [now, may] = [server.now(), mayRun(c)];
      const fragments: Child[] = [
        HostHead({ host: view, mayRun: may }),
        Vitals({ host: view, now, mayRun: may }),
        await fleetFragment(server),
      ];
      if (tab === "repository") {
        fragments.push(HostRepositoryState({ host: view, now, mayRun: may }));
      }
      if (tab === "schedules") {
        const list = await scheduleList(server, id);
        fragments.push(ScheduleList({ ...list, host: view, now, mayRun: may }));
      }
      if (tab === "snapshots") {
        const page = await listSnapshots(server, id, { limit: 50, cursor: null });
        const host = await findHost(server, id);
        const total = host?.snapshots_count ?? page.items.length;
        fragments.push(SnapshotList({
          host: view,
          snapshots: page.items,
          total,
          refreshedAt: page.refreshed_at,
          losses: lossesOf(page),
          cut: host?.snapshots_cut ?? 0,
          now,
          mayRun: may,
        }));
      }
      if (tab === "jobs") fragments.push(...await jobRows(server, jobIds, true));
      return fragments;
    },
  });
}

function jobs(server: Server, c: Ctx): Response {
  const jobIds = new Set<string>();
  return watching(server, c, {
    topics: ["fleet"],
    note: (event) => {
      if (event.type === "job") jobIds.add(event.jobId);
      return event.type !== "progress";
    },
    show: async () => [...await jobRows(server, jobIds, false), await fleetFragment(server)],
  });
}

/** Takes the ids out of the set and reads their jobs. */
async function jobRows(server: Server, ids: Set<string>, isOfHost: boolean): Promise<Child[]> {
  const taken = [...ids];
  ids.clear();
  const found = await Promise.all(taken.map((id) => getJob(server, id).catch(() => null)));
  return found.filter((each): each is Job => each !== null).map((each) =>
    JobRow({ job: jobRow(each), now: server.now(), isOfHost })
  );
}

/** One form a role and no more: a batch of lines is turned into text once per form, however many browsers watch. */
const jobForms = new WeakMap<Server, Record<Role, JobFeedForm>>();

function jobForm(server: Server, role: Role): JobFeedForm {
  const forms = jobForms.get(server) ?? {
    admin: form(server, { may: true, isAdmin: true }),
    operator: form(server, { may: true, isAdmin: false }),
    viewer: form(server, { may: false, isAdmin: false }),
  };
  jobForms.set(server, forms);
  return forms[role];
}

function form(server: Server, { may, isAdmin }: { may: boolean; isAdmin: boolean }): JobFeedForm {
  return {
    lines: (lines) =>
      `event: lines\nid: ${lines.at(-1)!.n}\n${dataOf(`${LogRows({ lines })}`)}\n\n`,
    job: async (found) => {
      const view = await jobView(server, found);
      const parts: Child[] = [
        JobState({ job: view, now: server.now(), mayCancel: may }),
        JobProgress({ job: view }),
        JobOutcome({ job: view, mayRun: may, isAdmin }),
        await fleetFragment(server),
      ];
      return parts.map((part) => `event: fragment\n${dataOf(`${part}`)}\n\n`).join("");
    },
  };
}

function dataOf(html: string): string {
  return `data: ${html.replaceAll(/\r\n|\r|\n/g, "\ndata: ")}`;
}

async function job(server: Server, c: Ctx): Promise<Response> {
  const row = await getJobRow(server, pathId(c, "id"));
  return eventStream(
    server,
    c,
    jobFeed(server, row, lastEventId(c), jobForm(server, userOf(c).role)),
  );
}

async function joining(server: Server, c: Ctx): Promise<Response> {
  const tokenId = pathId(c, "id");
  await getEnrolment(server, tokenId);
  return watching(server, c, {
    topics: [`enrolment:${tokenId}`, "fleet"],
    note: (event) => event.type === "host" || event.type === "enrolled",
    show: async () => {
      const { expires_at, host_id } = await getEnrolment(server, tokenId);
      const joined = host_id ? await findHost(server, host_id) : undefined;
      return [
        Joining({
          joined: joined
            ? { id: joined.id, name: joined.name, os: joined.os, isOnline: joined.online }
            : null,
          expiresAt: expires_at,
          now: server.now(),
        }),
        await fleetFragment(server),
      ];
    },
  });
}
