import { z } from "zod";
import { DUMP_FORMATS, DUMP_ITEMS_LIMIT } from "../../../shared/dump.ts";
import { id } from "../../../shared/fields.ts";
import { SNAPSHOT_PATH_LIMIT } from "../../../shared/snapshot_path.ts";
import { SnapshotTree, TREE_ORDERS, TREE_SORTS } from "../../../shared/shapes/tree.ts";
import { getSnapshot } from "../../snapshots/get.ts";
import { browseTree } from "../../snapshots/tree.ts";
import { AppError } from "../../errors.ts";
import type { Server } from "../../server.ts";
import { describeDownload, startDownload } from "../../snapshots/download.ts";
import { parse, readJson, readPage, readQuery } from "../body.ts";
import { actorOf, type Ctx } from "../context.ts";
import { isJson } from "../security.ts";
import { downloadHeaders, sendDownload } from "../send_download.ts";
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

const PATH = z.string("must be a path in the snapshot").max(
  SNAPSHOT_PATH_LIMIT,
  `must have at most ${SNAPSHOT_PATH_LIMIT} characters`,
);
const FORMATS = `must be one of ${DUMP_FORMATS.join(", ")}`;

/** What to download; the same in an address, a form and JSON. */
export const DownloadBody = z.strictObject({
  repository: id.optional(),
  path: z.union([PATH, z.array(PATH)]).transform((path) => typeof path === "string" ? [path] : path)
    .pipe(
      z.array(PATH).min(1, "must name what is to be downloaded").max(
        DUMP_ITEMS_LIMIT,
        `must be given at most ${DUMP_ITEMS_LIMIT} times: choose the folder that they are in`,
      ),
    ),
  format: z.enum(DUMP_FORMATS, FORMATS).default("raw"),
});

/** Reads the fields of a form or an address, in which a path may be given several times. Throws invalid. */
export function readDownloadFields(fields: URLSearchParams | FormData, pathField = "path") {
  const text = (name: string) => {
    const value = fields.get(name);
    return typeof value === "string" && value !== "" ? value : undefined;
  };
  return parse(DownloadBody, {
    repository: text("repository"),
    path: fields.getAll(pathField).filter((value) => typeof value === "string"),
    format: text("format"),
  });
}

/** Throws as startDownload() does. For HEAD no machine is asked. */
export async function download(
  server: Server,
  c: Ctx,
  { repository, path, format }: z.output<typeof DownloadBody>,
): Promise<Response> {
  const snapshot = await getSnapshot(server, c.req.param("id") ?? "", repository);
  const input = { paths: path, format };
  const actor = actorOf(c);
  if (c.req.method === "HEAD") {
    const described = describeDownload(server, actor, snapshot, input);
    return new Response(null, { headers: downloadHeaders(described) });
  }
  const { signal } = c.req.raw;
  return sendDownload(
    server,
    c,
    await startDownload(server, actor, snapshot, { ...input, signal }),
  );
}

async function readFormData(c: Ctx): Promise<FormData> {
  return await c.req.formData().catch(() => {
    throw new AppError("bad_request", "The body must be JSON or a form.");
  });
}

const DOWNLOAD = {
  200: {
    type: "application/octet-stream",
    description:
      "The file or the archive, always as an attachment; a part of it ends in a broken connection",
  },
};
const DOWNLOAD_ERRORS =
  "Errors beside the usual, all before the first byte: 403 forbidden where RM_DOWNLOADS is off, 404 not_found with the field path, 409 conflict while a forget or prune of the repository runs, 413 too_large, 429 too_many, 502 agent_failed, 503 agent_offline, 504 agent_timeout";

export const snapshotRoutes: ApiRoute[] = [
  apiRoute({
    method: "GET",
    path: "/api/snapshots/:id/download",
    role: "admin",
    summary:
      `What a snapshot holds: format=raw (default) is one file as it is, zip and tar are one archive of what path= names, given once or up to ${DUMP_ITEMS_LIMIT} times. It passes from restic through the agent and this server as fast as it is read; no ranges. Whoever signs out, or is no admin any more, gets no more of it. ${DOWNLOAD_ERRORS}`,
    query: ["repository", "path", "format"],
    response: DOWNLOAD,
    handler: (server, c) =>
      download(server, c, readDownloadFields(new URL(c.req.url).searchParams)),
  }),
  apiRoute({
    method: "POST",
    path: "/api/snapshots/:id/download",
    role: "admin",
    whenFull: true,
    summary:
      `The same for a selection that is too long for an address, as JSON or as a form with the same fields. ${DOWNLOAD_ERRORS}`,
    body: DownloadBody,
    response: DOWNLOAD,
    handler: async (server, c) =>
      download(
        server,
        c,
        isJson(c) ? await readJson(c, DownloadBody) : readDownloadFields(await readFormData(c)),
      ),
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
];
