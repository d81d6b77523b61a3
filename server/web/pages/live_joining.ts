// The live stream of the page that waits for a machine to join.
import type { Child } from "hono/jsx";
import { Joining } from "../../../templates/hosts/add_done.tsx";
import { getEnrolment } from "../../enrolment/find.ts";
import { findHost } from "../../hosts/find.ts";
import type { Server } from "../../server.ts";
import { pathId } from "../body.ts";
import type { Ctx, Route } from "../context.ts";
import { fragment, watching } from "../live.ts";
import { frameFragments } from "./live_frame.ts";

export const liveJoiningRoutes: Route[] = [
  { method: "GET", path: "/live/joining/:id", role: "operator", handler: joining },
];

async function joining(server: Server, c: Ctx): Promise<Response> {
  const tokenId = pathId(c, "id");
  await getEnrolment(server, tokenId);
  return watching(server, c, {
    topics: [`enrolment:${tokenId}`, "fleet"],
    note: ({ type }) => type === "host" || type === "enrolled" || type === "notice",
    show: () =>
      Promise.all([
        fragment(server, `joining ${tokenId}`, () => joiningState(server, tokenId)),
        ...frameFragments(server),
      ]),
  });
}

async function joiningState(server: Server, tokenId: string): Promise<Child> {
  const { expires_at, host_id } = await getEnrolment(server, tokenId);
  const joined = host_id ? await findHost(server, host_id) : undefined;
  return Joining({
    joined: joined ?? null,
    expires_at,
    now: server.now(),
  });
}
