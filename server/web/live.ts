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
import { FleetState, Notice } from "../../templates/layout.tsx";
import type { Event } from "../events.ts";
import { findHost } from "../hosts/find.ts";
import { type FleetSummary, fleetSummary } from "../hosts/fleet.ts";
import { getEnrolment } from "../enrolment/find.ts";
import { getJob, getJobRow } from "../jobs/find.ts";
import type { Server } from "../server.ts";
import { listSnapshots } from "../snapshots/find.ts";
import { pathId } from "./body.ts";
import type { Role } from "../database/tables.ts";
import { type Ctx, type Route, userOf } from "./context.ts";
import { jobFeed, type JobFeedForm } from "./job_feed.ts";
import { attentionItems, hostRows, hostView, lossesOf } from "./pages/host_props.ts";
import { jobRow, jobView } from "./pages/job_props.ts";
import { fleetProps, isAdmin, mayRun, noticeText } from "./pages/page.ts";
import { roundsOf, type Watcher } from "./rounds.ts";
import { onceForAll, oncePerJob } from "./shared_fragments.ts";
import { eventStream, type Feed, fragmentBytes, type Source } from "./sse.ts";
import { hostsOnPage } from "./pages/host_list_props.ts";
import { pendingProps } from "./pages/pending_props.ts";
import { scheduleList } from "./pages/schedule_props.ts";
import { lastEventId } from "./last_event_id.ts";

export const liveRoutes: Route[] = [
  { method: "GET", path: "/live/fleet", role: "viewer", handler: fleet },
  { method: "GET", path: "/live/dashboard", role: "viewer", handler: dashboard },
  { method: "GET", path: "/live/hosts/:id", role: "viewer", handler: host },
  { method: "GET", path: "/live/jobs", role: "viewer", handler: jobs },
  { method: "GET", path: "/live/jobs/:id", role: "viewer", handler: job },
  { method: "GET", path: "/live/joining/:id", role: "operator", handler: joining },
];

interface Watch {
  topics: string[];
  /** Notes what an event touches; false when the page shows nothing of it. */
  note(event: Event): boolean;
  /** What is to be shown now, as fragments or as the word `reload`. Called first when the stream opens. */
  show(): Promise<Uint8Array[] | "reload">;
}

/** Shows what a watch notes, never more often than the pause, and only while the reader keeps up. */
function watching(server: Server, c: Ctx, watch: Watch): Response {
  return eventStream(server, c, (feed) => source(server, feed, watch));
}

function source(server: Server, feed: Feed, watch: Watch): Source {
  const rounds = roundsOf(server);
  let isStale = true;
  let isOpen = false;
  let isShowing = false;
  let stopped = false;
  const pump = async () => {
    if (isShowing) return;
    // What was made before the page itself would take back what the page shows.
    if (!isOpen && rounds.isBehind) return rounds.awaitNext(watcher);
    isOpen = true;
    isShowing = true;
    try {
      while (isStale && !stopped && feed.ready) {
        isStale = false;
        const shown = await watch.show();
        if (stopped) return;
        if (shown === "reload") feed.send({ event: "reload", data: "" });
        else feed.sendBytes(joined(shown));
      }
    } finally {
      isShowing = false;
    }
  };
  const watcher: Watcher = {
    topics: watch.topics,
    note: (event) => isStale = watch.note(event) || isStale,
    serve: () => {
      isOpen = true;
      return pump().catch((error) => {
        server.log.error(`live stream: ${error}`);
        feed.close();
      });
    },
  };
  rounds.watch(watcher);
  return {
    pump,
    stop: () => {
      stopped = true;
      rounds.unwatch(watcher);
    },
  };
}

/** Each piece that is queued by itself costs as much as a page of text in one piece. */
function joined(pieces: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

type Make = () => Child | Promise<Child>;

/** The fragment as an event. The key names all that it depends on besides what is stored. */
function fragment(server: Server, key: string, make: Make): Promise<Uint8Array> {
  return onceForAll(server, key, async () => fragmentBytes(await make()));
}

/** What stands in the frame of every page. */
function frameFragments(server: Server): Promise<Uint8Array>[] {
  return [
    fragment(server, "fleet", () => fleetState(server)),
    fragment(server, "notice", () => Notice({ text: noticeText(server) })),
  ];
}

/** Once a round: between its slices each change makes the fleet's own summary out of date. */
function summaryOf(server: Server): Promise<FleetSummary> {
  return onceForAll(server, "summary", () => fleetSummary(server));
}

async function fleetState(server: Server): Promise<Child> {
  return FleetState({ fleet: fleetProps(await summaryOf(server)) });
}

function fleet(server: Server, c: Ctx): Response {
  return watching(server, c, {
    topics: ["fleet"],
    note: (event) => event.type !== "progress",
    show: () => Promise.all(frameFragments(server)),
  });
}

async function dashboard(server: Server, c: Ctx): Promise<Response> {
  const wasEmpty = (await summaryOf(server)).total === 0;
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
      const [may, isStale, isPending] = [mayRun(c), isFleetStale, isPendingStale];
      isFleetStale = isPendingStale = false;
      const summary = await summaryOf(server);
      const { total } = summary;
      if (wasEmpty !== (total === 0)) return "reload";
      const fragments: Promise<Uint8Array>[] = [];
      if (listed === total) fragments.push(...ids.map((id) => hostRowOf(server, id, may)));
      else {
        const list = await listFragments(server, c, total);
        listed = total;
        shown.clear();
        for (const id of list.ids) shown.add(id);
        fragments.push(...list.fragments);
      }
      if (isPending && may) fragments.push(pendingFragment(server, c));
      if (isStale) {
        fragments.push(attentionFragment(server, summary, may), ...frameFragments(server));
      }
      return await Promise.all(fragments);
    },
  });
}

/** The list that the page's address asks for. */
async function listFragments(server: Server, c: Ctx, total: number) {
  const may = mayRun(c);
  const asked = JSON.stringify(
    ["q", "state", "tag", "sort", "page"].map((name) => c.req.query(name)),
  );
  const list = await onceForAll(server, `hosts ${asked}`, () => hostsOnPage(server, c));
  return {
    ids: list.hosts.map(({ id }) => id),
    fragments: [
      fragment(
        server,
        `host list ${may} ${asked}`,
        () => HostList({ ...list, total, now: server.now(), mayRun: may }),
      ),
      fragment(server, "host count", () => HostCount({ total })),
    ],
  };
}

function pendingFragment(server: Server, c: Ctx): Promise<Uint8Array> {
  return fragment(
    server,
    `pending ${isAdmin(c)}`,
    async () => Pending(await pendingProps(server, c)),
  );
}

function attentionFragment(
  server: Server,
  summary: FleetSummary,
  may: boolean,
): Promise<Uint8Array> {
  const { oldest } = summary;
  return fragment(server, `attention ${may}`, () =>
    Attention({
      fleet: fleetProps(summary),
      items: attentionItems(summary),
      oldest: oldest && { name: oldest.name, at: oldest.last_success_at },
      now: server.now(),
      mayRun: may,
    }));
}

/** Empty for a host that is gone. */
function hostRowOf(server: Server, id: string, may: boolean): Promise<Uint8Array> {
  return onceForAll(server, `host row ${id} ${may}`, async () => {
    const found = await findHost(server, id);
    const rows = found ? await hostRows(server, [found]) : [];
    return rows.length === 0
      ? NOTHING
      : fragmentBytes(HostRow({ host: rows[0]!, now: server.now(), mayRun: may }));
  });
}

const NOTHING = new Uint8Array();

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
        ...(tab in TABS
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
    const list = await scheduleList(server, host.id);
    return ScheduleList({ ...list, host, now: server.now(), mayRun: may });
  },
  snapshots: async (server, host, may) => {
    const page = await listSnapshots(server, host.id, { limit: 50, cursor: null });
    const found = await findHost(server, host.id);
    return SnapshotList({
      host,
      snapshots: page.items,
      total: found?.snapshots_count ?? page.items.length,
      refreshedAt: page.refreshed_at,
      losses: lossesOf(page, server.now()),
      cut: found?.snapshots_cut ?? 0,
      now: server.now(),
      mayRun: may,
    });
  },
};

function jobs(server: Server, c: Ctx): Response {
  const jobIds = new Set<string>();
  return watching(server, c, {
    topics: ["fleet"],
    note: (event) => {
      if (event.type === "job") jobIds.add(event.jobId);
      return event.type !== "progress";
    },
    show: () => Promise.all([...jobRows(server, jobIds, false), ...frameFragments(server)]),
  });
}

/** Takes the ids out of the set and reads their jobs. */
function jobRows(server: Server, ids: Set<string>, isOfHost: boolean): Promise<Uint8Array>[] {
  const taken = [...ids];
  ids.clear();
  return taken.map((id) =>
    oncePerJob(server, { jobId: id, key: `row ${isOfHost}` }, async () => {
      const found = await getJob(server, id).catch(() => null);
      return found
        ? fragmentBytes(JobRow({ job: jobRow(found), now: server.now(), isOfHost }))
        : NOTHING;
    })
  );
}

/** One form a role and no more: a batch of lines is turned into text once per form, however many browsers watch. */
const jobForms = new WeakMap<Server, Record<Role, JobFeedForm>>();

function jobForm(server: Server, role: Role): JobFeedForm {
  const forms = jobForms.get(server) ?? {
    admin: form(server, "admin"),
    operator: form(server, "operator"),
    viewer: form(server, "viewer"),
  };
  jobForms.set(server, forms);
  return forms[role];
}

function form(server: Server, role: Role): JobFeedForm {
  const may = role !== "viewer";
  return {
    name: role,
    lines: (lines) =>
      `event: lines\nid: ${lines.at(-1)!.line}\n${dataOf(`${LogRows({ lines })}`)}\n\n`,
    job: async (found) => {
      const view = await jobView(server, found);
      const parts: Child[] = [
        JobState({ job: view, now: server.now(), mayCancel: may }),
        JobProgress({ job: view }),
        JobOutcome({ job: view, mayRun: may, isAdmin: role === "admin" }),
        await fleetState(server),
        Notice({ text: noticeText(server) }),
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
    note: ({ type }) => type === "host" || type === "enrolled" || type === "notice",
    show: () =>
      Promise.all([
        fragment(server, `joining ${tokenId}`, () => joiningState(server, tokenId)),
        ...frameFragments(server),
      ]),
  });
}

async function joiningState(server: Server, tokenId: string): Promise<Child> {
  const { expires_at, host_id } = await getEnrolment(server, tokenId);
  const joined = host_id ? await findHost(server, host_id) : undefined;
  return Joining({
    joined: joined
      ? { id: joined.id, name: joined.name, os: joined.os, isOnline: joined.online }
      : null,
    expiresAt: expires_at,
    now: server.now(),
  });
}
