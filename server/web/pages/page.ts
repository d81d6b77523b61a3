// From a handler's props to an answer: the frame that every page needs, flash messages, and where a form goes afterwards.
import type { Child } from "hono/jsx";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import type { FrameProps, Theme } from "../../../templates/layout.tsx";
import type { State } from "../../../templates/parts/state.tsx";
import { fleetSummary } from "../../hosts/fleet.ts";
import type { Server } from "../../server.ts";
import { type Ctx, hasRole } from "../context.ts";

const THEMES: readonly Theme[] = ["auto", "light", "dark"];
const NO_FLEET = { ok: 0, attention: 0, running: 0, offline: 0, total: 0 };
const YEAR_SECONDS = 31_536_000;
const FLASH_SECONDS = 60;
const FLASH_LENGTH = 300;

export async function frameOf(server: Server, c: Ctx): Promise<FrameProps> {
  const user = c.get("user") ?? null;
  return {
    user,
    theme: themeOf(c),
    fleet: user ? await fleetSummary(server) : NO_FLEET,
    csrf: c.get("csrf") ?? "",
    now: server.now(),
    flash: takeFlash(c),
    ...noticeOf(server),
  };
}

/** `publicNotice` is for those too who are not signed in: why they cannot. */
function noticeOf(server: Server): Pick<FrameProps, "notice" | "publicNotice"> {
  const notice = noticeText(server);
  if (!notice) return {};
  return server.storage.problem ? { notice, publicNotice: notice } : { notice };
}

/** What everybody must know before doing anything; undefined while there is nothing. */
export function noticeText({ storage, disk }: Server): string | undefined {
  if (storage.problem) return storage.notice;
  if (!disk.problem) return storage.notice;
  return `${disk.problem} Only ends of jobs, logins and removals are stored; agents keep backing up.`;
}

export function show(c: Ctx, page: Child, status = 200): Response {
  return c.html(`<!doctype html>${page}`, status as 200);
}

/** Operators and admins. */
export function mayRun(c: Ctx): boolean {
  const user = c.get("user");
  return user !== null && hasRole(user, "operator");
}

export function isAdmin(c: Ctx): boolean {
  const user = c.get("user");
  return user !== null && hasRole(user, "admin");
}

/** 303: the browser fetches the next page, and a reload of it posts nothing again. */
export function goTo(c: Ctx, path: string, flash?: { state?: State; text: string }): Response {
  if (flash) {
    setCookie(c, "rm_flash", `${flash.state ?? "ok"} ${flash.text}`.slice(0, FLASH_LENGTH), {
      path: "/",
      httpOnly: true,
      sameSite: "Lax",
      secure: c.get("secure"),
      maxAge: FLASH_SECONDS,
    });
  }
  return c.redirect(path, 303);
}

/** The page that a button stood on, when it was one of ours. */
export function whereFrom(c: Ctx, otherwise: string): string {
  const referer = c.req.header("referer");
  if (!referer || !URL.canParse(referer)) return otherwise;
  const url = new URL(referer);
  return url.origin === new URL(c.get("baseUrl")).origin
    ? localPath(`${url.pathname}${url.search}`)
    : otherwise;
}

/** A path on this server and nowhere else: `//evil` and `/\evil` are other hosts to a browser. */
export function localPath(text: string | undefined): string {
  return text && /^\/(?![/\\])[^\s\\]*$/.test(text) ? text : "/";
}

function takeFlash(c: Ctx): FrameProps["flash"] {
  const text = getCookie(c, "rm_flash");
  if (!text) return undefined;
  deleteCookie(c, "rm_flash", { path: "/", secure: c.get("secure") });
  const [state, ...words] = text.split(" ");
  const known = state === "warn" || state === "bad" ? state : "ok";
  return { state: known, text: words.join(" ") };
}

export function themeOf(c: Ctx): Theme {
  const theme = getCookie(c, "rm_theme");
  return THEMES.find((each) => each === theme) ?? "auto";
}

export function keepTheme(c: Ctx, theme: string): void {
  setCookie(c, "rm_theme", THEMES.find((each) => each === theme) ?? "auto", {
    path: "/",
    httpOnly: true,
    sameSite: "Lax",
    secure: c.get("secure"),
    maxAge: YEAR_SECONDS,
  });
}
