// The page of a snapshot. Nothing runs restic while it waits: it comes at once, and a folder that is not there yet follows.
import type { z } from "zod";
import { treeLink } from "../../../templates/snapshots/link.ts";
import { SnapshotPage, type TreeState } from "../../../templates/snapshots/page.tsx";
import { id } from "../../../shared/fields.ts";
import { AppError } from "../../errors.ts";
import type { Server } from "../../server.ts";
import { snapshotBefore } from "../../snapshots/before.ts";
import { snapshotFacts } from "../../snapshots/facts.ts";
import { type FoundSnapshot, getSnapshot } from "../../snapshots/get.ts";
import { listAllSnapshots } from "../../snapshots/list.ts";
import { lookAtTree, type TreeInput, waitForTree } from "../../snapshots/tree.ts";
import { textOfKey } from "../../snapshots/trees.ts";
import { deleteSnapshot, DeleteSnapshotInput } from "../../snapshots/delete.ts";
import { PinInput, pinSnapshot, unpinSnapshot } from "../../snapshots/pin.ts";
import { mayDecide } from "../../snapshots/tree_rights.ts";
import { snapshotOf, TreeQuery } from "../api/snapshots.ts";
import { readQuery } from "../body.ts";
import { actorOf, type Ctx, type Route } from "../context.ts";
import { watching } from "../live.ts";
import { frameFragments } from "./live_frame.ts";
import { crumbsOf, fitting, MOST_ROWS, TREE_TITLES } from "./snapshot_props.ts";
import { attempt, attemptTo, readForm, type Tried } from "./form.ts";
import { frameOf, goTo, isAdmin, show } from "./page.ts";

/** How many others are offered for a comparison. */
const OTHERS = 20;

export const snapshotPageRoutes: Route[] = [
  { method: "GET", path: "/snapshots", role: "operator", handler: byId },
  { method: "GET", path: "/snapshots/:id", role: "operator", handler: page },
  { method: "POST", path: "/snapshots/:id/pin", role: "operator", handler: pin },
  { method: "POST", path: "/snapshots/:id/unpin", role: "operator", handler: unpin },
  { method: "POST", path: "/snapshots/:id/delete", role: "admin", handler: remove },
  { method: "GET", path: "/live/snapshots/:id", role: "operator", handler: live },
];

/** From the field for an id, or a beginning of one, to the page of that snapshot. */
async function byId(server: Server, c: Ctx): Promise<Response> {
  const { repository } = readQuery(c, TreeQuery);
  const snapshot = await getSnapshot(server, (c.req.query("id") ?? "").trim(), repository);
  return goTo(c, `/snapshots/${snapshot.id}${treeLink(snapshot, {})}`);
}

async function page(server: Server, c: Ctx): Promise<Response> {
  const { repository, ...choice } = readQuery(c, TreeQuery);
  const snapshot = await getSnapshot(server, c.req.param("id") ?? "", repository);
  const draft = id.safeParse(c.req.query("draft"));
  const input = { ...choice, limit: MOST_ROWS, cursor: c.req.query("cursor") || null };
  const { tree, status } = await stateOf(server, c, snapshot, input);
  const props = {
    frame: await frameOf(server, c),
    snapshot: {
      ...snapshot,
      ...await snapshotFacts(server, snapshot),
      ...(draft.success ? { draft: draft.data } : {}),
    },
    choice,
    crumbs: crumbsOf(choice.path),
    tree,
    downloads: isAdmin(c) ? (server.settings.downloads.allowed ? "on" : "off") : null,
    others: await othersOf(server, snapshot),
    mayPin: mayDecide(!isAdmin(c), snapshot.source),
    isAdmin: isAdmin(c),
  } as const;
  return show(c, SnapshotPage(props), status);
}

/** With which it can be compared: the newest of its host or host name in its repository. */
async function othersOf(server: Server, snapshot: FoundSnapshot) {
  const { id, repository_id, source, hostname } = snapshot;
  const filter = { repository: repository_id, host: source?.id ?? hostname };
  const { items } = await listAllSnapshots(server, filter, { limit: OTHERS, cursor: null });
  const before = await snapshotBefore(server, snapshot);
  return {
    before: before ?? null,
    all: items.filter((other) => other.id !== id).map(({ id, time }) => ({ id, time })),
  };
}

async function pin(server: Server, c: Ctx): Promise<Response> {
  const input = { reason: (await readForm(c)).text("reason") };
  const snapshot = await snapshotOf(server, c);
  const act = (read: z.output<typeof PinInput>) => pinSnapshot(server, actorOf(c), snapshot, read);
  return back(c, snapshot, await attempt(PinInput, input, act), "It is pinned.");
}

async function unpin(server: Server, c: Ctx): Promise<Response> {
  const snapshot = await snapshotOf(server, c);
  const tried = await attemptTo(() => unpinSnapshot(server, actorOf(c), snapshot));
  // One that nothing lists is known by its pin alone.
  if (!tried.errors && !snapshot.listed) {
    return goTo(c, `/repositories/${snapshot.repository_id}/snapshots`, {
      text: "It is unpinned.",
    });
  }
  return back(c, snapshot, tried, "It is unpinned.");
}

async function remove(server: Server, c: Ctx): Promise<Response> {
  const input = { confirm_id: (await readForm(c)).text("confirm_id").trim() };
  const snapshot = await snapshotOf(server, c);
  const tried = await attempt(
    DeleteSnapshotInput,
    input,
    (read) => deleteSnapshot(server, actorOf(c), snapshot, read),
  );
  if (!tried.errors) return goTo(c, `/jobs/${tried.done}`);
  return back(c, snapshot, tried, "");
}

function back<T>(c: Ctx, snapshot: FoundSnapshot, tried: Tried<T>, done: string): Response {
  const problem = Object.values(tried.errors ?? {})[0];
  return goTo(
    c,
    `/snapshots/${snapshot.id}${treeLink(snapshot, {})}#keep`,
    problem ? { state: "warn", text: problem } : { text: done },
  );
}

async function stateOf(
  server: Server,
  c: Ctx,
  snapshot: FoundSnapshot,
  input: TreeInput,
): Promise<{ tree: TreeState; status: number }> {
  try {
    let view = await lookAtTree(server, actorOf(c), snapshot, input);
    if (view.state === "waiting") return { tree: view, status: 200 };
    const limit = fitting(view.tree.items, isAdmin(c));
    if (limit < view.tree.items.length) {
      view = await lookAtTree(server, actorOf(c), snapshot, { ...input, limit });
      if (view.state === "waiting") return { tree: view, status: 200 };
    }
    const before = Number(input.cursor ?? 0) - limit;
    const previousCursor = input.cursor === null ? undefined : before > 0 ? String(before) : null;
    return { tree: { ...view, previousCursor }, status: 200 };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const title = TREE_TITLES[error.code] ?? "This folder cannot be shown";
    return { tree: { state: "failed", title, sentence: error.message }, status: error.status };
  }
}

/** Of a page that waits: tells it to load itself again. As long as it is open, the reading goes on. */
async function live(server: Server, c: Ctx): Promise<Response> {
  const { repository, path } = readQuery(c, TreeQuery);
  const snapshot = await getSnapshot(server, c.req.param("id") ?? "", repository);
  const signal = c.req.raw.signal;
  const { key, isLoading } = await waitForTree(server, actorOf(c), snapshot, { path, signal });
  return watching(server, c, {
    topics: [`tree:${textOfKey(key)}`, "fleet"],
    note: ({ type }) => type === "tree" || type === "host" || type === "notice",
    show: async () => isLoading() ? await Promise.all(frameFragments(server)) : "reload",
  });
}
