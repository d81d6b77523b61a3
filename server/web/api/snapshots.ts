import { z } from "zod";
import { id } from "../../../shared/fields.ts";
import { SNAPSHOT_PATH_LIMIT } from "../../../shared/snapshot_path.ts";
import { SnapshotTree, TREE_ORDERS, TREE_SORTS } from "../../../shared/shapes/tree.ts";
import { getSnapshot } from "../../snapshots/get.ts";
import { browseTree } from "../../snapshots/tree.ts";
import { readPage, readQuery } from "../body.ts";
import { actorOf } from "../context.ts";
import { type ApiRoute, apiRoute } from "./route.ts";
import { withIsoTimes } from "./shapes.ts";

/** What to show of a folder; shared by API and page. */
export const TreeQuery = z.object({
  repository: id.optional(),
  path: z.string().max(SNAPSHOT_PATH_LIMIT, `must have at most ${SNAPSHOT_PATH_LIMIT} characters`)
    .default("/"),
  sort: z.enum(TREE_SORTS, `must be one of ${TREE_SORTS.join(", ")}`).default("name"),
  order: z.enum(TREE_ORDERS, `must be one of ${TREE_ORDERS.join(", ")}`).default("asc"),
  q: z.string().max(200, "must have at most 200 characters").default(""),
});

export const snapshotRoutes: ApiRoute[] = [
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
];
