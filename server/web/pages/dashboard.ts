import { DashboardPage } from "../../../templates/dashboard/page.tsx";
import { fleetSummary } from "../../hosts/fleet.ts";
import { allTags } from "../../hosts/names.ts";
import type { Server } from "../../server.ts";
import type { Ctx, Route } from "../context.ts";
import { frameOf, mayRun, show } from "./page.ts";
import { hostsOnPage } from "./host_list_props.ts";
import { pendingProps } from "./pending_props.ts";

export const dashboardRoutes: Route[] = [
  { method: "GET", path: "/", role: "viewer", handler: dashboard },
];

async function dashboard(server: Server, c: Ctx): Promise<Response> {
  const [list, summary, tags] = await Promise.all([
    hostsOnPage(server, c),
    fleetSummary(server),
    allTags(server),
  ]);
  return show(
    c,
    DashboardPage({
      frame: await frameOf(server, c),
      attention: summary.worst,
      oldest: summary.oldest,
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
