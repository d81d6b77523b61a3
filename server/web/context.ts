// What every handler of a request knows: who asks, from where, and how the server is called from outside.
import type { Context } from "hono";
import ipaddr from "ipaddr.js";
import type { Role } from "../database/tables.ts";
import { AppError } from "../errors.ts";
import type { Actor, Server } from "../server.ts";
import type { Session } from "../users/sessions.ts";
import type { User } from "../../shared/shapes/user.ts";

export interface Vars {
  /** The client's address: the peer's, or what a trusted proxy says. */
  address: string;
  /** scheme://host of the server as the client sees it. */
  baseUrl: string;
  secure: boolean;
  user: User | null;
  /** null when the user came with an API token. */
  session: Session | null;
  /** The id of the API token that the user came with, or on which the user's account rests. */
  token: string | null;
  csrf: string;
}

export type Ctx = Context<{ Variables: Vars; Bindings: { peer: string } }>;

/** "public" needs nobody; no role at all needs admin. */
export type RouteRole = Role | "public";

export interface Route {
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  path: string;
  role?: RouteRole;
  /** Stores next to nothing, or makes room: done also while the disk is nearly full. DELETE always is. */
  whenFull?: true;
  handler: (server: Server, c: Ctx) => Response | Promise<Response>;
}

const RANK: Record<Role, number> = { viewer: 1, operator: 2, admin: 3 };

export function hasRole(user: User, needed: Role): boolean {
  return RANK[user.role] >= RANK[needed];
}

/** The signed-in user; only for routes whose role is not public. */
export function userOf(c: Ctx): User {
  const user = c.get("user");
  if (!user) throw new AppError("unauthorized", "Sign in first.");
  return user;
}

export function actorOf(c: Ctx): Actor {
  const user = c.get("user");
  return {
    kind: "user",
    id: user?.id ?? null,
    name: user?.username ?? "nobody",
    address: c.get("address"),
    ...(user ? { role: user.role } : {}),
    ...(c.get("session") ? { session: c.get("session")!.id } : {}),
    ...(c.get("token") ? { token: c.get("token")! } : {}),
  };
}

/**
 * Who speaks and under which name the server was called; proxies are believed only where the settings say so. Throws
 * bad_request for a name that is none.
 */
export function seenFrom(
  { settings }: Server,
  request: Request,
  peer: string,
): Pick<Vars, "address" | "baseUrl" | "secure"> {
  const trusted = isTrusted(peer, settings.trustedProxies);
  const header = (name: string) => trusted ? request.headers.get(name) : null;
  // What follows the scheme in the request's URL is the Host header as it came, which may be no URL.
  const scheme = header("x-forwarded-proto")?.split(",")[0]?.trim() === "https" ||
      request.url.startsWith("https:")
    ? "https"
    : "http";
  const host = header("x-forwarded-host")?.split(",")[0]?.trim() ?? request.headers.get("host") ??
    "";
  const called = originOf(scheme, host);
  const baseUrl = settings.baseUrl ?? called;
  return {
    address: clientAddress(peer, header("x-forwarded-for"), settings.trustedProxies),
    baseUrl,
    secure: settings.cookieSecure ?? baseUrl.startsWith("https:"),
  };
}

/**
 * What others type into a shell (the join command) is made of this, so a Host header is held to a name or an address with a
 * port, and an address is written in its usual form. Throws bad_request.
 */
function originOf(scheme: string, host: string): string {
  const url = urlOf(scheme, host);
  if (url) return url.origin;
  throw new AppError(
    "bad_request",
    "The Host header must be a name or an address, with a port where there is one.",
  );
}

function urlOf(scheme: string, host: string): URL | null {
  const isPlain = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d{1,5})?$/i.test(host);
  return isPlain ? URL.parse(`${scheme}://${host}`) : null;
}

/** The last address in X-Forwarded-For that is not one of our own proxies: what is before it anybody may have written. */
function clientAddress(
  peer: string,
  forwarded: string | null,
  proxies: Server["settings"]["trustedProxies"],
): string {
  const hops = forwarded?.split(",").map((hop) => hop.trim()).filter(ipaddr.isValid) ?? [];
  for (const hop of [...hops].reverse()) if (!isTrusted(hop, proxies)) return hop;
  return hops[0] ?? peer;
}

function isTrusted(address: string, proxies: Server["settings"]["trustedProxies"]): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.process(address);
  return proxies.some(([range, bits]) =>
    range.kind() === parsed.kind() && parsed.match(range as ipaddr.IPv4, bits)
  );
}

/** A host name that an attacker points at us (DNS rebinding) must not reach the UI; addresses cannot be rebound. */
export function isOurHost(
  { settings }: Server,
  baseUrl: string,
  requestHost: string | null,
): boolean {
  const names = [new URL(baseUrl).hostname, urlOf("http", requestHost ?? "")?.hostname];
  return names.every((name) => {
    if (!name) return false;
    const bare = name.replace(/^\[|\]$/g, "");
    if (bare === "localhost" || bare.endsWith(".localhost") || ipaddr.isValid(bare)) return true;
    return settings.baseUrl !== null && new URL(settings.baseUrl).hostname === bare;
  });
}
