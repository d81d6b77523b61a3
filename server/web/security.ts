// Who may do what: sessions and tokens, cross-site requests, roles, and the headers of every answer.
import { getCookie } from "hono/cookie";
import { createHash, timingSafeEqual } from "node:crypto";
import { AppError } from "../errors.ts";
import { networksOf } from "../network.ts";
import type { Server } from "../server.ts";
import { findSession } from "../users/sessions.ts";
import { findUserByToken } from "../users/tokens.ts";
import { type Ctx, hasRole, isOurHost, type RouteRole, seenFrom } from "./context.ts";

const CSP = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join("; ");

const SAFE = new Set(["GET", "HEAD", "OPTIONS"]);

export function sessionCookie(secure: boolean): string {
  return secure ? "__Host-rm_session" : "rm_session";
}

export function setSecurityHeaders(c: Ctx): void {
  const { headers } = c.res;
  // What a backup holds is sent with a stricter one.
  if (!headers.has("Content-Security-Policy")) headers.set("Content-Security-Policy", CSP);
  headers.set("X-Content-Type-Options", "nosniff");
  headers.set("X-Frame-Options", "DENY");
  headers.set("Referrer-Policy", "same-origin");
  headers.set("Cross-Origin-Opener-Policy", "same-origin");
  headers.set("Cross-Origin-Resource-Policy", "same-origin");
  if (!headers.has("Cache-Control")) headers.set("Cache-Control", "no-store");
  if (c.get("secure")) headers.set("Strict-Transport-Security", "max-age=31536000");
}

/** Notes who asks, from where. Throws forbidden when the server was called by a name that is not its own. */
export async function identify(server: Server, c: Ctx): Promise<void> {
  const seen = seenFrom(server, c.req.raw, c.env.peer);
  c.set("address", seen.address);
  c.set("baseUrl", seen.baseUrl);
  c.set("secure", seen.secure);
  c.set("user", null);
  c.set("session", null);
  c.set("token", null);
  c.set("csrf", "");
  if (!isOurHost(server, seen.baseUrl, c.req.header("host") ?? null)) {
    throw new AppError(
      "forbidden",
      "This server does not answer to that name. Set RM_BASE_URL to the URL that browsers and agents use.",
    );
  }
  const bearer = bearerOf(c);
  if (bearer !== null) {
    const found = await findUserByToken(server, bearer);
    if (!found) refuseGuesses(server, seen.address);
    c.set("user", found?.user ?? null);
    c.set("token", found?.tokenId ?? null);
    return;
  }
  const cookie = getCookie(c, sessionCookie(seen.secure));
  if (!cookie) return;
  const session = await findSession(server, cookie);
  if (!session) return;
  c.set("session", session);
  c.set("user", session.user);
  c.set("token", session.dependsOnToken);
  c.set("csrf", csrfFor(cookie));
}

const WRONG_TOKENS_PER_MINUTE = 120;

/** A token of 256 bits cannot be guessed; who tries shall not keep the server busy either. Throws too_many. */
export function refuseGuesses(server: Server, address: string): void {
  for (const { network, isWide } of networksOf(address)) {
    if (!isWide) server.unauthenticated.check(`secret:${network}`, WRONG_TOKENS_PER_MINUTE, 60);
  }
}

/** Whether what the request came with still opens the door, for the same role: for answers that last long. */
export async function isStillSignedIn(server: Server, c: Ctx): Promise<boolean> {
  const found = await signedIn(server, c);
  return found !== undefined && found.user.role === c.get("user")?.role;
}

async function signedIn(server: Server, c: Ctx) {
  const bearer = bearerOf(c);
  if (bearer !== null) return await findUserByToken(server, bearer);
  const cookie = getCookie(c, sessionCookie(c.get("secure")));
  return cookie === undefined ? undefined : await findSession(server, cookie, false);
}

export function bearerOf(c: Ctx): string | null {
  const header = c.req.header("authorization");
  if (header === undefined) return null;
  return /^Bearer\s+(\S+)$/i.exec(header)?.[1] ?? "";
}

/** Throws unauthorized or forbidden. A route without a role needs admin. */
export function requireRole(c: Ctx, role: RouteRole | undefined): void {
  if (role === "public") return;
  const user = c.get("user");
  if (!user) throw new AppError("unauthorized", "Sign in first.");
  const needed = role ?? "admin";
  if (!hasRole(user, needed)) {
    throw new AppError("forbidden", `This needs the role ${needed}; you are ${user.role}.`);
  }
}

/**
 * Refuses a state change that another site made the browser send. Browsers say where a request comes from (Origin,
 * Sec-Fetch-Site); a script that uses a cookie without either sends the session's token instead.
 */
export async function refuseCrossSite(c: Ctx): Promise<void> {
  // A token in a header is nothing that a browser sends by itself.
  if (SAFE.has(c.req.method) || bearerOf(c) !== null) return;
  const origin = c.req.header("origin");
  const site = c.req.header("sec-fetch-site");
  const foreignOrigin = origin !== undefined && origin !== c.get("baseUrl");
  const foreignSite = site !== undefined && site !== "same-origin" && site !== "none";
  if (foreignSite || (foreignOrigin && site !== "same-origin")) throw crossSite();
  if (origin !== undefined || site === "same-origin") return;
  if (c.get("session") === null) {
    // Without a session only JSON may come without an origin: no other site's page can send that unasked.
    if (isJson(c)) return;
    throw crossSite();
  }
  const given = c.req.header("x-csrf-token") ?? await formToken(c);
  if (!given || !sameText(given, c.get("csrf"))) throw crossSite();
}

export function isJson(c: Ctx): boolean {
  return /^application\/json\s*(;|$)/i.test(c.req.header("content-type") ?? "");
}

async function formToken(c: Ctx): Promise<string | undefined> {
  if (isJson(c)) return undefined;
  const token = (await c.req.parseBody().catch(() => ({} as Record<string, unknown>)))["_csrf"];
  return typeof token === "string" ? token : undefined;
}

function crossSite(): AppError {
  return new AppError(
    "forbidden",
    "This request did not come from a page of this server. Reload the page and try again.",
  );
}

export function csrfFor(cookie: string): string {
  return createHash("sha256").update(`csrf ${cookie}`).digest("base64url");
}

function sameText(a: string, b: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
