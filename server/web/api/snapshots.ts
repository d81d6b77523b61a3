import { z } from "zod";
import { id } from "../../../shared/fields.ts";
import { SNAPSHOT_PATH_LIMIT } from "../../../shared/snapshot_path.ts";
import { SnapshotTree, TREE_ORDERS, TREE_SORTS } from "../../../shared/shapes/tree.ts";
import { StartedJob } from "../../../shared/shapes/job.ts";
import { listOf } from "../../../shared/shapes/list.ts";
import { ListedSnapshot, SnapshotPin } from "../../../shared/shapes/snapshot.ts";
import type { Server } from "../../server.ts";
import { SnapshotDiff } from "../../../shared/shapes/diff.ts";
import { compareSnapshots, getCompared } from "../../snapshots/diff.ts";
import { deleteSnapshot, DeleteSnapshotInput } from "../../snapshots/delete.ts";
import { type FoundSnapshot, getSnapshot } from "../../snapshots/get.ts";
import { listAllSnapshots, type SnapshotFilter } from "../../snapshots/list.ts";
import { PinInput, pinSnapshot, unpinSnapshot } from "../../snapshots/pin.ts";
import { commandsByHand } from "../../snapshots/by_hand.ts";
import { browseTree } from "../../snapshots/tree.ts";
import { endTimeOf, parse, readJson, readPage, readQuery, timeOf } from "../body.ts";
import { actorOf, type Ctx } from "../context.ts";
import { type ApiRoute, apiRoute } from "./route.ts";
import { startedShape, withIsoTimes } from "./shapes.ts";

/** What to show of a folder; shared by API and page. */
export const TreeQuery = z.object({
  repository: id.optional(),
  path: z.string().max(SNAPSHOT_PATH_LIMIT, `must have at most ${SNAPSHOT_PATH_LIMIT} characters`)
    .default("/"),
  sort: z.enum(TREE_SORTS, `must be one of ${TREE_SORTS.join(", ")}`).default("name"),
  order: z.enum(TREE_ORDERS, `must be one of ${TREE_ORDERS.join(", ")}`).default("asc"),
  q: z.string().max(200, "must have at most 200 characters").default(""),
});

/** Which snapshots; shared by API and page. */
export const SnapshotQuery = z.object({
  host: z.string().max(255, "must have at most 255 characters").optional(),
  repository: id.optional(),
  tag: z.string().max(200, "must have at most 200 characters").optional(),
  path: z.string().max(1024, "must have at most 1024 characters").optional(),
});

/** What is blank is not asked. Throws invalid. */
export function readSnapshotFilter(given: Record<string, string>): SnapshotFilter {
  const filled = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== ""));
  const { from, to } = filled;
  const query = parse(SnapshotQuery, filled);
  return { ...query, from: timeOf("from", from), to: endTimeOf("to", to) };
}

/** Of the path, with repository= where it is in two. Throws as getSnapshot() does. */
export async function snapshotOf(server: Server, c: Ctx): Promise<FoundSnapshot> {
  const { repository } = readQuery(c, z.object({ repository: id.optional() }));
  return await getSnapshot(server, c.req.param("id") ?? "", repository);
}

const ByHandInput = z.strictObject({ password: z.string("must be text").max(1000) });

/** With which other snapshot, and what of it; shared by API and page. */
export const DiffQuery = TreeQuery.pick({ repository: true, path: true, q: true }).extend({
  with: z.string().max(64, "must have at most 64 characters").optional(),
});

export const snapshotRoutes: ApiRoute[] = [
  apiRoute({
    method: "POST",
    path: "/api/snapshots/:id/by-hand",
    role: "admin",
    summary:
      "The commands by which plain restic restores it on any machine, with the repository's address, password and credential; password is the caller's own. Audited",
    query: ["repository"],
    body: ByHandInput,
    response: { 200: z.object({ text: z.string() }) },
    handler: async (server, c) => {
      const { password } = await readJson(c, ByHandInput);
      const snapshot = await snapshotOf(server, c);
      return { text: await commandsByHand(server, actorOf(c), snapshot, password) };
    },
  }),
  apiRoute({
    method: "GET",
    path: "/api/snapshots",
    role: "viewer",
    summary:
      "The snapshots of all hosts and repositories, the newest first: each that a list in force holds once, and pinned ones that none holds any more (listed: false). host= is a host's id or the host name that they carry, tag= a whole tag, path= what one of their paths is or is above; from= and to= times, a date the whole day. incomplete: the job had warnings or did not succeed (null: made by no job that is known here); much_smaller: less than half of the files or bytes of the one before with this host name and these tags",
    query: ["host", "repository", "tag", "path", "from", "to", "limit", "cursor"],
    response: { 200: listOf(ListedSnapshot) },
    handler: async (server, c) =>
      withIsoTimes(await listAllSnapshots(server, readSnapshotFilter(c.req.query()), readPage(c))),
  }),
  apiRoute({
    method: "PUT",
    path: "/api/snapshots/:id/pin",
    role: "operator",
    summary:
      "Pins a snapshot: no forget of this server removes it until it is unpinned, whatever its retention says. 409 conflict while a forget that was ordered before removes it",
    query: ["repository"],
    body: PinInput,
    response: { 200: SnapshotPin },
    handler: async (server, c) => {
      const input = await readJson(c, PinInput);
      const snapshot = await snapshotOf(server, c);
      return withIsoTimes(await pinSnapshot(server, actorOf(c), snapshot, input));
    },
  }),
  apiRoute({
    method: "DELETE",
    path: "/api/snapshots/:id/pin",
    role: "operator",
    summary: "Unpins a snapshot: retention counts it like any other again",
    query: ["repository"],
    response: { 204: null },
    handler: async (server, c) => {
      await unpinSnapshot(server, actorOf(c), await snapshotOf(server, c));
    },
  }),
  apiRoute({
    method: "DELETE",
    path: "/api/snapshots/:id",
    role: "admin",
    summary:
      "Deletes one snapshot by a forget of it alone, on a connected host that may hold the admin credential; confirm_id is the first 8 digits of its id. What is in no other snapshot is gone with the next prune. 409 conflict while it is pinned",
    query: ["repository"],
    body: DeleteSnapshotInput,
    response: { 202: StartedJob },
    handler: async (server, c) => {
      const input = await readJson(c, DeleteSnapshotInput);
      const snapshot = await snapshotOf(server, c);
      return startedShape(c, await deleteSnapshot(server, actorOf(c), snapshot, input));
    },
  }),
  apiRoute({
    method: "GET",
    path: "/api/snapshots/:id/tree",
    role: "operator",
    summary:
      "One folder of a snapshot, read now by the agent of its host or, where that is offline, of another host of its repository, or as it was read within 15 minutes. id is restic's, or 8 or more digits of its beginning that no other has; repository= tells apart what is in two. path= is / or a path such as /home, bytes:/caf%E9 where a name is not UTF-8. sort= name, size or time, folders first; order= asc or desc; q= is part of a name. Operators see what lies below approved_roots of the host, and in the folders above only what leads there. Errors beside the usual: 409 conflict, not_found with the field id or path, 502 agent_failed, 503 agent_offline, 504 agent_timeout after 150 seconds",
    query: ["repository", "path", "sort", "order", "q", "limit", "cursor"],
    response: { 200: SnapshotTree },
    handler: async (server, c) => {
      const { repository, ...query } = readQuery(c, TreeQuery);
      const snapshot = await getSnapshot(server, c.req.param("id") ?? "", repository);
      const input = { ...query, ...readPage(c), signal: c.req.raw.signal };
      return withIsoTimes(await browseTree(server, actorOf(c), snapshot, input));
    },
  }),
  apiRoute({
    method: "GET",
    path: "/api/snapshots/:id/diff",
    role: "operator",
    summary:
      "What differs between this snapshot and another one of its repository (with=, by default the one before: its parent, else the last with its host and tags): added is what the other one lacks. Folded by folder: the items are the children of path=, each with how many differ below it; with q= all below it whose name has that. Read by restic on a host of the repository, then kept for 15 minutes. There are no sizes: restic gives none. Operators see what lies below approved_roots of the hosts of both. Errors beside the usual: as for the tree",
    query: ["repository", "with", "path", "q", "limit", "cursor"],
    response: { 200: SnapshotDiff },
    handler: async (server, c) => {
      const { repository, with: other, ...query } = readQuery(c, DiffQuery);
      const compared = await getCompared(server, {
        id: c.req.param("id") ?? "",
        other,
        repository,
      });
      const input = { ...query, ...readPage(c), signal: c.req.raw.signal };
      return await compareSnapshots(server, actorOf(c), compared, input);
    },
  }),
];
