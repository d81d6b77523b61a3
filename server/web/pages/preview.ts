// The page that shows what a file of a snapshot holds. As the page of a folder it waits for nobody; an image has an address of its own, from
// which nothing can act.
import { PreviewPage, type PreviewState } from "../../../templates/snapshots/preview.tsx";
import { treeLink } from "../../../templates/snapshots/link.ts";
import { AppError } from "../../errors.ts";
import type { Server } from "../../server.ts";
import { type FoundSnapshot, getSnapshot } from "../../snapshots/get.ts";
import {
  loadPreview,
  lookAtPreview,
  PREVIEW_LIMIT,
  waitForPreview,
} from "../../snapshots/preview.ts";
import { shownAs } from "../../snapshots/preview_kind.ts";
import { textOfKey } from "../../snapshots/trees.ts";
import { TreeQuery } from "../api/snapshots.ts";
import { readQuery } from "../body.ts";
import { actorOf, type Ctx, type Route } from "../context.ts";
import { watching } from "../live.ts";
import { frameFragments } from "./live_frame.ts";
import { frameOf, show } from "./page.ts";
import { crumbsOf, TREE_TITLES } from "./snapshot_props.ts";

export const previewPageRoutes: Route[] = [
  { method: "GET", path: "/snapshots/:id/preview", role: "admin", handler: page },
  { method: "GET", path: "/snapshots/:id/preview/image", role: "admin", handler: image },
  { method: "GET", path: "/live/snapshots/:id/preview", role: "admin", handler: live },
];

async function page(server: Server, c: Ctx): Promise<Response> {
  const { snapshot, path } = await asked(server, c);
  const { preview, status } = await stateOf(server, c, snapshot, path);
  const crumbs = crumbsOf(path);
  const parent = crumbs.at(-2)?.path ?? "/";
  const props = {
    frame: await frameOf(server, c),
    snapshot,
    path,
    name: crumbs.at(-1)?.name ?? "/",
    folder: `/snapshots/${snapshot.id}${treeLink(snapshot, { path: parent })}`,
    preview,
  };
  return show(c, PreviewPage(props), status);
}

async function asked(server: Server, c: Ctx) {
  const { repository, path } = readQuery(c, TreeQuery);
  return { path, snapshot: await getSnapshot(server, c.req.param("id") ?? "", repository) };
}

async function stateOf(
  server: Server,
  c: Ctx,
  snapshot: FoundSnapshot,
  path: string,
): Promise<{ preview: PreviewState; status: number }> {
  try {
    const view = await lookAtPreview(server, actorOf(c), snapshot, path);
    if (view.state === "waiting") return { preview: view, status: 200 };
    const { size, content } = view.preview;
    const shown = content ? shownAs(content) : { kind: "large", limit: PREVIEW_LIMIT } as const;
    return { preview: { state: "ready", reader: view.reader, size, shown }, status: 200 };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const title = TREE_TITLES[error.code] ?? "This file cannot be shown";
    return { preview: { state: "failed", title, sentence: error.message }, status: error.status };
  }
}

/** What is no image is none here, whatever it is called. */
async function image(server: Server, c: Ctx): Promise<Response> {
  const { snapshot, path } = await asked(server, c);
  const { signal } = c.req.raw;
  const { content } = await loadPreview(server, actorOf(c), snapshot, { path, signal });
  const shown = content && shownAs(content);
  if (shown?.kind !== "image") {
    throw new AppError("not_found", "The file is no image that is shown here.", "path");
  }
  return new Response(content, {
    headers: {
      "Content-Type": shown.type,
      "Content-Disposition": "inline",
      "Content-Security-Policy": "sandbox; default-src 'none'",
      "X-Content-Type-Options": "nosniff",
      "Cache-Control": "no-store",
    },
  });
}

async function live(server: Server, c: Ctx): Promise<Response> {
  const { snapshot, path } = await asked(server, c);
  const { signal } = c.req.raw;
  const { key, isLoading } = await waitForPreview(server, actorOf(c), snapshot, { path, signal });
  return watching(server, c, {
    topics: [`tree:${textOfKey(key)}`, "fleet"],
    note: ({ type }) => type === "tree" || type === "host" || type === "notice",
    show: async () => isLoading() ? await Promise.all(frameFragments(server)) : "reload",
  });
}
