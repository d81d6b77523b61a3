import { getHost } from "../../hosts/find.ts";
import { SourceGroupInput } from "../../source_groups/fields.ts";
import { getSourceGroup, listSourceGroups } from "../../source_groups/find.ts";
import {
  changeSourceGroup,
  createSourceGroup,
  removeSourceGroup,
} from "../../source_groups/save.ts";
import { SnapshotsChoice } from "../../source_groups/leave_snapshots.ts";
import { pathId, readJson, readQuery } from "../body.ts";
import { actorOf } from "../context.ts";
import { withIsoTimes } from "./shapes.ts";
import { type ApiRoute, apiRoute } from "./route.ts";
import { listOf } from "../../../shared/shapes/list.ts";
import { SourceGroup } from "../../../shared/shapes/source_group.ts";

export const sourceGroupRoutes: ApiRoute[] = [
  apiRoute({
    method: "GET",
    path: "/api/hosts/:id/source-groups",
    role: "operator",
    summary: "What is backed up on a host",
    response: { 200: listOf(SourceGroup) },
    handler: async (server, c) => {
      const { id } = await getHost(server, pathId(c, "id"));
      const items = withIsoTimes(await listSourceGroups(server, id));
      return { items, next_cursor: null };
    },
  }),
  apiRoute({
    method: "POST",
    path: "/api/hosts/:id/source-groups",
    role: "operator",
    summary: "Adds a source group",
    body: SourceGroupInput,
    response: { 201: SourceGroup },
    handler: async (server, c) => {
      const host = await getHost(server, pathId(c, "id"));
      const input = await readJson(c, SourceGroupInput);
      const { id } = await createSourceGroup(server, actorOf(c), host.id, input);
      return withIsoTimes(await getSourceGroup(server, host.id, id));
    },
  }),
  apiRoute({
    method: "GET",
    path: "/api/hosts/:id/source-groups/:gid",
    role: "operator",
    summary: "One source group",
    response: { 200: SourceGroup },
    handler: async (server, c) =>
      withIsoTimes(await getSourceGroup(server, pathId(c, "id"), pathId(c, "gid"))),
  }),
  apiRoute({
    method: "PUT",
    path: "/api/hosts/:id/source-groups/:gid",
    role: "operator",
    summary: "Replaces a source group",
    body: SourceGroupInput,
    response: { 200: SourceGroup },
    handler: async (server, c) => {
      const [hostId, id] = [pathId(c, "id"), pathId(c, "gid")];
      const input = await readJson(c, SourceGroupInput);
      await changeSourceGroup(server, actorOf(c), { hostId, id }, input);
      return withIsoTimes(await getSourceGroup(server, hostId, id));
    },
  }),
  apiRoute({
    method: "DELETE",
    path: "/api/hosts/:id/source-groups/:gid",
    role: "operator",
    summary:
      "Removes a source group; its snapshots stay, to be decided upon (ask), for good (keep), or governed by another group (adopt with adopt_by)",
    query: ["snapshots", "adopt_by"],
    response: { 204: null },
    handler: async (server, c) => {
      const choice = readQuery(c, SnapshotsChoice);
      await removeSourceGroup(
        server,
        actorOf(c),
        { hostId: pathId(c, "id"), id: pathId(c, "gid") },
        choice,
      );
    },
  }),
];
