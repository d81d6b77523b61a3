import {
  DashboardPage,
  HOST_SORTS,
  HOST_STATES,
  type HostListProps,
} from "../../../templates/dashboard/page.tsx";
import { type HostFilter, listHosts } from "../../hosts/find.ts";
import { fleetSummary } from "../../hosts/fleet.ts";
import { allTags } from "../../hosts/names.ts";
import type { Server } from "../../server.ts";
import type { Ctx, Route } from "../context.ts";
import { attentionItems, hostRows } from "./host_props.ts";
import { frameOf, mayRun, show } from "./page.ts";
import { pendingProps } from "./pending_hosts.ts";

export const dashboardRoutes: Route[] = [
  { method: "GET", path: "/", role: "viewer", handler: dashboard },
];

/** With the machines that wait, and names as long as may be, a page stays under 60 KB. */
const PER_PAGE = 36;

/** The filter's words on the page and in the store. */
const STATES: Record<string, string | undefined> = {
  attention: "attention",
  ok: "ok",
  running: "run",
  offline: "offline",
};

/** The hosts on the page that the address asks for; its live stream asks for the same. */
export async function hostsOnPage(
  server: Server,
  c: Ctx,
): Promise<Omit<HostListProps, "total" | "now" | "mayRun">> {
  const page = Math.max(1, Math.min(100_000, Math.floor(Number(c.req.query("page")) || 1)));
  const filter = {
    q: c.req.query("q") ?? "",
    state: oneOf(HOST_STATES, c.req.query("state")),
    tag: c.req.query("tag") ?? "",
    sort: oneOf(HOST_SORTS, c.req.query("sort")),
  };
  const wish: HostFilter = {
    search: filter.q,
    state: STATES[filter.state],
    tag: filter.tag || undefined,
    sort: filter.sort,
  };
  const cursor = String((page - 1) * PER_PAGE);
  const { items, total } = await listHosts(server, wish, { limit: PER_PAGE, cursor });
  return {
    hosts: await hostRows(server, items),
    matching: total,
    page,
    pages: Math.max(1, Math.ceil(total / PER_PAGE)),
    filter,
  };
}

async function dashboard(server: Server, c: Ctx): Promise<Response> {
  const [list, summary, tags] = await Promise.all([
    hostsOnPage(server, c),
    fleetSummary(server),
    allTags(server),
  ]);
  const { oldest } = summary;
  return show(
    c,
    DashboardPage({
      frame: await frameOf(server, c),
      attention: attentionItems(summary),
      oldest: oldest && { name: oldest.name, at: oldest.last_success_at },
      pending: mayRun(c) ? await pendingProps(server, c) : null,
      ...list,
      tags: tagChoices(tags, c.req.query("tag")),
      mayRun: mayRun(c),
      mayAdd: mayRun(c),
    }),
  );
}

/** A choice of more would be most of the page; the search finds tags too. */
const TAGS_IN_FILTER = 100;

function tagChoices(tags: string[], chosen: string | undefined): string[] {
  const first = tags.slice(0, TAGS_IN_FILTER);
  return chosen && !first.includes(chosen) ? [...first, chosen] : first;
}

/** The first of the values for anything else: a filter from an old address shows the usual page. */
function oneOf<T extends string>(values: readonly [T, ...T[]], text: string | undefined): T {
  return values.find((value) => value === text) ?? values[0];
}
