// The list of snapshots of a repository: filtered and paged by its address.
import { SnapshotListPage } from "../../../templates/snapshots/list.tsx";
import { AppError } from "../../errors.ts";
import { getRepositoryRow } from "../../repositories/find.ts";
import type { Server } from "../../server.ts";
import { listAllSnapshots, listUnlistedPins, type SnapshotFilter } from "../../snapshots/list.ts";
import { readSnapshotFilter } from "../api/snapshot_list.ts";
import { pathId } from "../body.ts";
import type { Ctx, Route } from "../context.ts";
import { frameOf, mayRun, show } from "./page.ts";
import { bandDays, DAY_MS, ROWS, rowViews } from "./snapshot_rows.ts";

export const repositorySnapshotRoutes: Route[] = [
  { method: "GET", path: "/repositories/:id/snapshots", role: "viewer", handler: list },
];

async function list(server: Server, c: Ctx): Promise<Response> {
  const { id, name, listing_at } = await getRepositoryRow(server, pathId(c, "id"));
  const typed = typedFilter(c);
  const cursor = c.req.query("cursor") || null;
  const { filter, page, error } = await pageOf(server, id, typed, cursor);
  const today = Math.floor(server.now() / DAY_MS);
  const lastDay = Math.min(today, Math.floor((filter.to ?? server.now()) / DAY_MS));
  const { from: _, to: __, ...days } = filter;
  return show(
    c,
    SnapshotListPage({
      frame: await frameOf(server, c),
      repository: { id, name, listing_at },
      snapshots: await rowViews(server, page.items),
      filter: typed,
      ...(error ? { error } : {}),
      days: await bandDays(server, days, lastDay),
      lastDay,
      unlisted: await listUnlistedPins(server, { repository: id }),
      nextCursor: page.next_cursor,
      isFirstPage: cursor === null,
      mayRun: mayRun(c),
    }),
    error ? 422 : 200,
  );
}

/** A day of the band is that day alone. */
function typedFilter(c: Ctx) {
  const text = (name: string) => c.req.query(name) ?? "";
  const day = text("day");
  return {
    host: text("host"),
    tag: text("tag"),
    path: text("path"),
    from: day || text("from"),
    to: day || text("to"),
  };
}

async function pageOf(
  server: Server,
  repository: string,
  typed: ReturnType<typeof typedFilter>,
  cursor: string | null,
) {
  let filter: SnapshotFilter = { repository };
  try {
    filter = readSnapshotFilter({ ...typed, repository });
    return { filter, page: await listAllSnapshots(server, filter, { limit: ROWS, cursor }) };
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "invalid") throw error;
    return { filter, page: { items: [], next_cursor: null }, error: error.message };
  }
}
