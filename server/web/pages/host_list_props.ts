// The hosts on a page of the dashboard.
import { HOST_SORTS, HOST_STATES, type HostListProps } from "../../../templates/dashboard/page.tsx";
import { type HostFilter, listHosts } from "../../hosts/find.ts";
import type { Server } from "../../server.ts";
import type { Ctx } from "../context.ts";
import { hostRows } from "./host_props.ts";

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
  const input: HostFilter = {
    search: filter.q,
    state: STATES[filter.state],
    tag: filter.tag || undefined,
    sort: filter.sort,
  };
  const cursor = String((page - 1) * PER_PAGE);
  const { items, total } = await listHosts(server, input, { limit: PER_PAGE, cursor });
  return {
    hosts: await hostRows(server, items),
    matching: total,
    page,
    pages: Math.max(1, Math.ceil(total / PER_PAGE)),
    filter,
  };
}

/** The first of the values for anything else: a filter from an old address shows the usual page. */
function oneOf<T extends string>(values: readonly [T, ...T[]], text: string | undefined): T {
  return values.find((value) => value === text) ?? values[0];
}
