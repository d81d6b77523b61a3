import { deleteCookie, setCookie } from "hono/cookie";
import { z } from "zod";
import { name } from "../../../shared/fields.ts";
import { endSession, listSessions, logIn, logOut, SESSION_SECONDS } from "../../users/sessions.ts";
import { createToken, listTokens, revokeToken } from "../../users/tokens.ts";
import { pathId, readJson } from "../body.ts";
import { actorOf, type Ctx, userOf } from "../context.ts";
import { csrfFor, sessionCookie } from "../security.ts";
import { withIsoTimes } from "./shapes.ts";
import { type ApiRoute, apiRoute } from "./route.ts";
import { listOf } from "../../../shared/shapes/list.ts";
import { ApiToken, CreatedToken, Session, SignedIn } from "../../../shared/shapes/user.ts";

export const Login = z.strictObject({
  username: z.string("must be text").min(1, "must not be empty").max(
    200,
    "must be at most 200 characters",
  ),
  password: z.string("must be text").min(1, "must not be empty").max(
    1024,
    "must be at most 1024 characters",
  ),
});

const isoTime = z.iso.datetime({
  offset: true,
  error: "must be a time such as 2026-12-31T00:00:00Z",
});

const TokenInput = z.strictObject({
  name,
  expires_at: isoTime.nullable().optional(),
});

/** Puts the session into the browser; the answer's other half is the database row. */
export function setSessionCookie(c: Ctx, token: string): void {
  setCookie(c, sessionCookie(c.get("secure")), token, {
    path: "/",
    httpOnly: true,
    sameSite: "Lax",
    secure: c.get("secure"),
    maxAge: SESSION_SECONDS,
  });
}

/** Also what the browser keeps of our pages, for anyone who sits there next and goes back. */
export function clearSessionCookie(c: Ctx): void {
  c.header("Clear-Site-Data", '"cache"');
  deleteCookie(c, sessionCookie(c.get("secure")), { path: "/", secure: c.get("secure") });
}

export const authRoutes: ApiRoute[] = [
  apiRoute({
    method: "POST",
    path: "/api/auth/login",
    whenFull: true,
    role: "public",
    summary:
      "Signs in and sets the session cookie; csrf_token goes into the header X-CSRF-Token of later requests",
    body: Login,
    response: { 200: SignedIn },
    handler: async (server, c) => {
      const { token, user } = await logIn(server, c.get("address"), await readJson(c, Login));
      setSessionCookie(c, token);
      return { user, csrf_token: csrfFor(token) };
    },
  }),
  apiRoute({
    method: "POST",
    path: "/api/auth/logout",
    whenFull: true,
    role: "viewer",
    summary: "Ends the session",
    response: { 204: null },
    handler: async (server, c) => {
      const session = c.get("session");
      if (session) await logOut(server, actorOf(c), session);
      clearSessionCookie(c);
    },
  }),
  apiRoute({
    method: "GET",
    path: "/api/sessions",
    role: "viewer",
    summary: "Where you are signed in",
    response: { 200: listOf(Session) },
    handler: async (server, c) => {
      const own = c.get("session")?.id;
      const items = (await listSessions(server, userOf(c)))
        .map((session) => ({ ...session, current: session.id === own }));
      return { items: withIsoTimes(items), next_cursor: null };
    },
  }),
  apiRoute({
    method: "DELETE",
    path: "/api/sessions/:id",
    role: "viewer",
    summary: "Ends one of your sessions",
    response: { 204: null },
    handler: async (server, c) => {
      await endSession(server, actorOf(c), userOf(c), pathId(c, "id"));
    },
  }),
  apiRoute({
    method: "GET",
    path: "/api/tokens",
    role: "viewer",
    summary: "Your API tokens",
    response: { 200: listOf(ApiToken) },
    handler: async (server, c) => ({
      items: withIsoTimes(await listTokens(server, userOf(c))),
      next_cursor: null,
    }),
  }),
  apiRoute({
    method: "POST",
    path: "/api/tokens",
    role: "viewer",
    summary:
      "Makes an API token with your role; the secret is in this answer and never again. Made with a token, it ends with that one",
    body: TokenInput,
    response: { 201: CreatedToken },
    handler: async (server, c) => {
      const input = await readJson(c, TokenInput);
      const made = await createToken(server, actorOf(c), userOf(c), {
        name: input.name,
        expires_at: input.expires_at == null ? input.expires_at : Date.parse(input.expires_at),
      });
      return withIsoTimes(made);
    },
  }),
  apiRoute({
    method: "DELETE",
    path: "/api/tokens/:id",
    role: "viewer",
    summary: "Revokes one of your API tokens",
    response: { 204: null },
    handler: async (server, c) => {
      await revokeToken(server, actorOf(c), userOf(c), pathId(c, "id"));
    },
  }),
];
