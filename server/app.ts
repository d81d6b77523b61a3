// Requests in, answers out: the order in which a request is checked, and the one place that answers errors.
import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { HTTPException } from "hono/http-exception";
import { newId } from "../shared/new_id.ts";
import { acceptAgent, findByBearer } from "./agent_api/socket.ts";
import { AppError } from "./errors.ts";
import type { Server } from "./server.ts";
import type { Ctx, Route, Vars } from "./web/context.ts";
import { ROUTES } from "./web/routes.ts";
import {
  bearerOf,
  identify,
  refuseCrossSite,
  requireRole,
  setSecurityHeaders,
} from "./web/security.ts";

const BODY_LIMIT = 1_048_576;

export type App = Hono<{ Variables: Vars; Bindings: { peer: string } }>;

/** `showError` draws the page for a browser; the API answers JSON. */
export function createApp(server: Server, routes: Route[] = ROUTES): App {
  const app: App = new Hono();
  app.onError((error, c) => answerError(server, c as Ctx, error));
  app.notFound((c) => {
    throw new AppError("not_found", `There is nothing at ${c.req.path}.`);
  });
  app.use(async (c, next) => {
    await next();
    setSecurityHeaders(c as Ctx);
  });
  app.use(bodyLimit({
    maxSize: BODY_LIMIT,
    onError: () => {
      throw new AppError("too_large", `The body must be at most ${BODY_LIMIT} bytes.`);
    },
  }));
  app.get("/ws/agent", async (c) => {
    const host = await findByBearer(server, bearerOf(c as Ctx) ?? "");
    if (!host) throw new AppError("unauthorized", "The bearer is not one of this server's hosts.");
    if (c.req.header("upgrade")?.toLowerCase() !== "websocket") {
      throw new AppError("bad_request", "This address speaks WebSocket only.");
    }
    return acceptAgent(server, c.req.raw, host);
  });
  app.use(async (c, next) => {
    await identify(server, c as Ctx);
    await next();
  });
  for (const route of routes) {
    app.on(route.method, route.path, async (c) => {
      // Who may, before what they say: a stranger learns nothing from an error about a field.
      requireRole(c as Ctx, route.role);
      await refuseCrossSite(c as Ctx);
      return await route.handler(server, c as Ctx);
    });
  }
  return app;
}

function answerError(server: Server, c: Ctx, error: Error): Response {
  const known = knownError(error);
  if (!known) {
    const id = newId();
    server.log.error(`${c.req.method} ${c.req.path} (${id}): ${error.stack ?? error}`);
    return json(500, {
      code: "internal",
      message:
        `The server could not do this because of a fault of its own. It is in the server's log as ${id}.`,
    });
  }
  const response = json(known.status, {
    code: known.code,
    message: known.message,
    ...(known.field ? { field: known.field } : {}),
  });
  if (known.retryAfter) response.headers.set("Retry-After", String(known.retryAfter));
  return response;
}

function knownError(error: Error): AppError | undefined {
  if (error instanceof AppError) return error;
  if (error instanceof HTTPException && error.status === 413) {
    return new AppError("too_large", `The body must be at most ${BODY_LIMIT} bytes.`);
  }
  return undefined;
}

function json(status: number, error: { code: string; message: string; field?: string }): Response {
  return Response.json({ error }, { status });
}
