// Requests in, answers out: the order in which a request is checked, and the one place that answers errors.
import { Hono } from "hono";
import { newId } from "../shared/new_id.ts";
import { acceptAgent } from "./agent_api/socket.ts";
import { acceptPendingAgent } from "./agent_api/waiting_room.ts";
import { AppError } from "./errors.ts";
import { networkOf } from "./network.ts";
import type { Server } from "./server.ts";
import { type Ctx, type Route, seenFrom, type Vars } from "./web/context.ts";
import { type ErrorAnswer, errorPage } from "./web/pages/error.ts";
import { noteRefusal } from "./web/refusals.ts";
import { ROUTES } from "./web/routes.ts";
import { BODY_WITHIN_MS, thenCutOff, withWholeBody } from "./web/whole_body.ts";
import {
  bearerOf,
  identify,
  refuseCrossSite,
  requireRole,
  setSecurityHeaders,
} from "./web/security.ts";
import { findByBearer } from "./hosts/find_by_bearer.ts";

export type App = Hono<{ Variables: Vars; Bindings: { peer: string } }>;

export function createApp(server: Server, routes: Route[] = ROUTES): App {
  const app: App = new Hono();
  app.onError((error, c) => answerError(server, c, error));
  app.notFound((c) => {
    throw new AppError("not_found", `There is nothing at ${c.req.path}.`);
  });
  app.use(async (c, next) => {
    await next();
    setSecurityHeaders(c);
  });
  app.use(async (c, next) => {
    c.req.raw = await withWholeBody(c.req.raw, BODY_WITHIN_MS);
    await next();
  });
  app.get("/ws/agent", async (c) => {
    const { address } = seenFrom(server, c.req.raw, c.env.peer);
    const host = await findByBearer(server, bearerOf(c) ?? "");
    countHandshake(server, host?.id, address);
    if (!host) throw new AppError("unauthorized", "The bearer is not one of this server's hosts.");
    if (c.req.header("upgrade")?.toLowerCase() !== "websocket") {
      throw new AppError("bad_request", "This address speaks WebSocket only.");
    }
    return acceptAgent(server, c.req.raw, host, address);
  });
  app.use(async (c, next) => {
    await identify(server, c);
    await next();
  });
  app.get("/ws/agent/pending", (c) => {
    if (c.req.header("upgrade")?.toLowerCase() !== "websocket") {
      throw new AppError("bad_request", "This address speaks WebSocket only.");
    }
    const pendingId = (c.req.query("pending_id") ?? "").slice(0, 36);
    const from = { pendingId, address: c.get("address"), peer: c.env.peer };
    return acceptPendingAgent(server, c.req.raw, from);
  });
  for (const route of routes) {
    app.on(route.method, route.path, async (c) => {
      try {
        // Who may, before what they say: a stranger learns nothing from an error about a field.
        requireRole(c, route.role);
        await refuseCrossSite(c);
        if (route.method !== "GET") server.storage.refuseWhenBroken();
        if (isNewStorage(route)) server.disk.refuseWhenShort();
        const response = await route.handler(server, c);
        // What was stored in files that were taken away meanwhile is not stored.
        if (route.method !== "GET") server.storage.lookForFiles();
        return response;
      } catch (error) {
        await noteRefusal(server, c, error);
        throw error;
      } finally {
        // What was answered is in the audit, and shows when it is cut off.
        if (route.method !== "GET") await server.audit.settled();
      }
    });
  }
  return app;
}

/** Throws too_many. A host that is known is counted by itself: strangers of its network do not lock it out. */
function countHandshake(server: Server, hostId: string | undefined, address: string): void {
  const { handshakesPerMinute } = server.settings.quotas;
  if (hostId) server.handshakes.check(hostId, handshakesPerMinute, 60);
  else server.unauthenticated.check(`handshake:${networkOf(address)}`, handshakesPerMinute, 60);
}

async function answerError(server: Server, c: Ctx, error: Error): Promise<Response> {
  const answer = describe(server, c, error);
  const response = wantsPage(c) ? await errorPage(server, c, answer) : Response.json(
    { error: { code: answer.code, message: answer.message, field: answer.field } },
    {
      status: answer.status,
    },
  );
  if (answer.retryAfter) response.headers.set("Retry-After", String(answer.retryAfter));
  return answer.code === "too_slow" ? await thenCutOff(response) : response;
}

/** While the disk is nearly full people sign in and out, look, end things and remove them; nothing else. */
function isNewStorage({ method, whenFull }: Route): boolean {
  return method !== "GET" && method !== "DELETE" && whenFull !== true;
}

/** A browser that shows a page, and not a script or an agent. */
function wantsPage(c: Ctx): boolean {
  const { path } = c.req;
  return !/^\/(api|ws|agent|install|healthz|readyz)(\/|$)/.test(path) &&
    (c.req.header("accept") ?? "").includes("text/html");
}

function describe(server: Server, c: Ctx, error: Error): ErrorAnswer {
  const known = knownError(server, error);
  if (!known) {
    const id = newId();
    server.log.error(`${c.req.method} ${c.req.path} (${id}): ${error.stack ?? error}`);
    return {
      status: 500,
      code: "internal",
      message:
        `The server could not do this because of a fault of its own. It is in the server's log as ${id}.`,
    };
  }
  return known;
}

function knownError(server: Server, error: Error): AppError | undefined {
  if (error instanceof AppError) return error;
  return server.storage.asAppError(error);
}
