// The page that says what differs between two snapshots. As the page of a folder it waits for nobody.
import { DiffPage, type DiffState } from "../../../templates/snapshots/diff.tsx";
import type { DiffItem } from "../../../shared/shapes/diff.ts";
import { AppError } from "../../errors.ts";
import type { Server } from "../../server.ts";
import {
  type Compared,
  type DiffInput,
  getCompared,
  lookAtDiff,
  waitForDiff,
} from "../../snapshots/diff.ts";
import { textOfKey } from "../../snapshots/trees.ts";
import { DiffQuery } from "../api/snapshots.ts";
import { readQuery } from "../body.ts";
import { actorOf, type Ctx, type Route } from "../context.ts";
import { watching } from "../live.ts";
import { frameFragments } from "./live_frame.ts";
import { frameOf, show } from "./page.ts";
import { crumbsOf, MOST_ROWS, TREE_TITLES } from "./snapshot_props.ts";

export const diffPageRoutes: Route[] = [
  { method: "GET", path: "/snapshots/:id/diff", role: "operator", handler: page },
  { method: "GET", path: "/live/snapshots/:id/diff", role: "operator", handler: live },
];

/** Bytes of all rows of a page, about. */
const ROWS_BYTES = 40_000;
const ROW_BYTES = 450;
const LEAST_ROWS = 10;

async function page(server: Server, c: Ctx): Promise<Response> {
  const { compared, path, q } = await asked(server, c);
  const { snapshot, base } = compared;
  const input = { path, q, limit: MOST_ROWS, cursor: c.req.query("cursor") || null };
  const { view, status } = await stateOf(server, c, compared, input);
  const props = {
    frame: await frameOf(server, c),
    repository_id: snapshot.repository_id,
    repository_name: snapshot.repository_name,
    snapshot,
    base,
    choice: { path, q },
    crumbs: crumbsOf(path),
    view,
  };
  return show(c, DiffPage(props), status);
}

async function asked(server: Server, c: Ctx) {
  const { repository, with: other, path, q } = readQuery(c, DiffQuery);
  const id = c.req.param("id") ?? "";
  return {
    compared: await getCompared(server, { id, other: other || undefined, repository }),
    path,
    q,
  };
}

async function stateOf(
  server: Server,
  c: Ctx,
  compared: Compared,
  input: DiffInput,
): Promise<{ view: DiffState; status: number }> {
  try {
    let view = await lookAtDiff(server, actorOf(c), compared, input);
    if (view.state === "waiting") return { view, status: 200 };
    const limit = fitting(view.diff.items);
    if (limit < view.diff.items.length) {
      view = await lookAtDiff(server, actorOf(c), compared, { ...input, limit });
      if (view.state === "waiting") return { view, status: 200 };
    }
    const before = Number(input.cursor ?? 0) - limit;
    const previousCursor = input.cursor === null ? undefined : before > 0 ? String(before) : null;
    return { view: { ...view, previousCursor }, status: 200 };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const title = TREE_TITLES[error.code] ?? "The two cannot be compared";
    return { view: { state: "failed", title, sentence: error.message }, status: error.status };
  }
}

/** How many of the items fit into a page. */
function fitting(items: DiffItem[]): number {
  let left = ROWS_BYTES;
  const end = items.findIndex(({ path }) => {
    left -= ROW_BYTES + 2 * encodeURIComponent(path).length;
    return left < 0;
  });
  return end < 0 ? MOST_ROWS : Math.max(LEAST_ROWS, end);
}

async function live(server: Server, c: Ctx): Promise<Response> {
  const { compared, path } = await asked(server, c);
  const { signal } = c.req.raw;
  const { key, isLoading } = await waitForDiff(server, actorOf(c), compared, { path, signal });
  return watching(server, c, {
    topics: [`tree:${textOfKey(key)}`, "fleet"],
    note: ({ type }) => type === "tree" || type === "host" || type === "notice",
    show: async () => isLoading() ? await Promise.all(frameFragments(server)) : "reload",
  });
}
