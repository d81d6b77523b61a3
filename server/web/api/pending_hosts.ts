import { Acceptance, acceptPendingHost } from "../../pending_hosts/accept.ts";
import { announce, Announcement, type Caller } from "../../pending_hosts/announce.ts";
import { listPendingHosts, listRejectedKeys } from "../../pending_hosts/find.ts";
import { allowRejectedKey, rejectPendingHost } from "../../pending_hosts/reject.ts";
import { isLoopbackPeer } from "../../own_addresses.ts";
import type { Server } from "../../server.ts";
import { pathId, readJson, readPage } from "../body.ts";
import { actorOf, type Ctx, seenFrom } from "../context.ts";
import { withIsoTimes } from "./shapes.ts";
import type { ApiRoute } from "./route.ts";

export const pendingHostRoutes: ApiRoute[] = [
  {
    method: "POST",
    path: "/api/agents/announce",
    role: "public",
    summary: "What an agent without a token calls: asks to join with its Ed25519 key in base64",
    body: Announcement,
    handler: async (server, c) =>
      c.json(await announce(server, callerOf(server, c), await readJson(c, Announcement))),
  },
  {
    method: "GET",
    path: "/api/pending-hosts",
    role: "operator",
    summary: "The machines that wait for approval",
    query: ["limit", "cursor"],
    handler: async (server, c) => {
      const { items, next_cursor } = await listPendingHosts(server, readPage(c));
      return c.json(withIsoTimes({ items, next_cursor }) as object);
    },
  },
  {
    method: "POST",
    path: "/api/pending-hosts/:id/accept",
    role: "admin",
    summary:
      "Makes a host of the machine whose fingerprint was compared; with host_id it takes back that host, whose agent must be away",
    body: Acceptance,
    handler: async (server, c) => {
      const accepted = await acceptPendingHost(
        server,
        actorOf(c),
        pathId(c, "id"),
        await readJson(c, Acceptance),
      );
      const { hostId, name, repositoryId, generatedPassword, warnings } = accepted;
      return c.json({
        host_id: hostId,
        name,
        repository_id: repositoryId,
        warnings,
        ...(generatedPassword ? { repository_password: generatedPassword } : {}),
      });
    },
  },
  {
    method: "POST",
    path: "/api/pending-hosts/:id/reject",
    whenFull: true,
    role: "admin",
    summary: "Sends the machine away; its key may not announce itself again for a day",
    answers: 204,
    handler: async (server, c) => {
      await rejectPendingHost(server, actorOf(c), pathId(c, "id"));
      return c.body(null, 204);
    },
  },
  {
    method: "GET",
    path: "/api/rejected-keys",
    role: "operator",
    summary: "Keys that were rejected within the last day",
    query: ["limit", "cursor"],
    handler: async (server, c) =>
      c.json(withIsoTimes(await listRejectedKeys(server, readPage(c))) as object),
  },
  {
    method: "DELETE",
    path: "/api/rejected-keys/:id",
    role: "admin",
    summary: "Lets a rejected key announce itself again before its day is over",
    answers: 204,
    handler: async (server, c) => {
      await allowRejectedKey(server, actorOf(c), pathId(c, "id"));
      return c.body(null, 204);
    },
  },
];

/** A proxy with TLS in front says so, or RM_BASE_URL does. */
function callerOf(server: Server, c: Ctx): Caller {
  const { peer } = c.env;
  const { baseUrl } = seenFrom(server, c.req.raw, peer);
  const address = c.get("address");
  return { address, peer, isPlain: baseUrl.startsWith("http://") && !isLoopbackPeer(address) };
}
