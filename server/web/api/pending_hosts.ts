import { Acceptance, acceptPendingHost } from "../../pending_hosts/accept.ts";
import { announce, Announcement, type Caller } from "../../pending_hosts/announce.ts";
import { listPendingHosts, listRejectedKeys } from "../../pending_hosts/find.ts";
import { allowRejectedKey, rejectPendingHost } from "../../pending_hosts/reject.ts";
import { isLoopbackPeer } from "../../own_addresses.ts";
import type { Server } from "../../server.ts";
import { pathId, readJson, readPage } from "../body.ts";
import { actorOf, type Ctx, seenFrom } from "../context.ts";
import { withIsoTimes } from "./shapes.ts";
import { type ApiRoute, apiRoute } from "./route.ts";
import { listOf } from "../../../shared/shapes/list.ts";
import {
  AcceptedHost,
  Announced,
  PendingHost,
  RejectedKey,
} from "../../../shared/shapes/pending_host.ts";

export const pendingHostRoutes: ApiRoute[] = [
  apiRoute({
    method: "POST",
    path: "/api/agents/announce",
    role: "public",
    summary: "What an agent without a token calls: asks to join with its Ed25519 key in base64",
    body: Announcement,
    response: { 200: Announced },
    handler: async (server, c) =>
      await announce(server, callerOf(server, c), await readJson(c, Announcement)),
  }),
  apiRoute({
    method: "GET",
    path: "/api/pending-hosts",
    role: "operator",
    summary: "The machines that wait for approval",
    query: ["limit", "cursor"],
    response: { 200: listOf(PendingHost) },
    handler: async (server, c) => {
      const { items, next_cursor } = await listPendingHosts(server, readPage(c));
      return withIsoTimes({ items, next_cursor });
    },
  }),
  apiRoute({
    method: "POST",
    path: "/api/pending-hosts/:id/accept",
    role: "admin",
    summary:
      "Makes a host of the machine whose fingerprint was compared; with host_id it takes back that host, whose agent must be away",
    body: Acceptance,
    response: { 200: AcceptedHost },
    handler: async (server, c) => {
      const accepted = await acceptPendingHost(
        server,
        actorOf(c),
        pathId(c, "id"),
        await readJson(c, Acceptance),
      );
      const { hostId, name, repositoryId, generatedPassword, warnings } = accepted;
      return {
        host_id: hostId,
        name,
        repository_id: repositoryId,
        warnings,
        ...(generatedPassword ? { repository_password: generatedPassword } : {}),
      };
    },
  }),
  apiRoute({
    method: "POST",
    path: "/api/pending-hosts/:id/reject",
    whenFull: true,
    role: "admin",
    summary: "Sends the machine away; its key may not announce itself again for a day",
    response: { 204: null },
    handler: async (server, c) => {
      await rejectPendingHost(server, actorOf(c), pathId(c, "id"));
    },
  }),
  apiRoute({
    method: "GET",
    path: "/api/rejected-keys",
    role: "operator",
    summary: "Keys that were rejected within the last day",
    query: ["limit", "cursor"],
    response: { 200: listOf(RejectedKey) },
    handler: async (server, c) => withIsoTimes(await listRejectedKeys(server, readPage(c))),
  }),
  apiRoute({
    method: "DELETE",
    path: "/api/rejected-keys/:id",
    role: "admin",
    summary: "Lets a rejected key announce itself again before its day is over",
    response: { 204: null },
    handler: async (server, c) => {
      await allowRejectedKey(server, actorOf(c), pathId(c, "id"));
    },
  }),
];

/** A proxy with TLS in front says so, or RM_BASE_URL does. */
function callerOf(server: Server, c: Ctx): Caller {
  const { peer } = c.env;
  const { baseUrl } = seenFrom(server, c.req.raw, peer);
  const address = c.get("address");
  return { address, peer, isPlain: baseUrl.startsWith("http://") && !isLoopbackPeer(address) };
}
