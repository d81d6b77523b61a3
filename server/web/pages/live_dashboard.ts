// The live streams of the dashboard and of pages that have none of their own.
import { HostRow } from "../../../templates/dashboard/host_row.tsx";
import { Attention, HostCount, HostList } from "../../../templates/dashboard/page.tsx";
import { Pending } from "../../../templates/pending/list.tsx";
import { findHost } from "../../hosts/find.ts";
import type { FleetSummary } from "../../hosts/fleet.ts";
import type { Server } from "../../server.ts";
import type { Ctx, Route } from "../context.ts";
import { fragment, NOTHING, watching } from "../live.ts";
import { onceForAll } from "../shared_fragments.ts";
import { fragmentBytes } from "../sse.ts";
import { hostsOnPage } from "./host_list_props.ts";
import { hostRows } from "./host_props.ts";
import { frameFragments, summaryOf } from "./live_frame.ts";
import { isAdmin, mayRun } from "./page.ts";
import { pendingProps } from "./pending_props.ts";

export const liveDashboardRoutes: Route[] = [
  { method: "GET", path: "/live/fleet", role: "viewer", handler: fleet },
  { method: "GET", path: "/live/dashboard", role: "viewer", handler: dashboard },
];

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
  return fragment(server, `attention ${may}`, () =>
    Attention({
      fleet: summary,
      items: summary.worst,
      oldest: summary.oldest,
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
