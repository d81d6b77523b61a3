// How a person comes in and goes out: the first admin, signing in, signing out.
import { z } from "zod";
import { userName } from "../../../shared/fields.ts";
import { LoginPage } from "../../../templates/entry/login.tsx";
import { SetupPage } from "../../../templates/entry/setup.tsx";
import type { Errors } from "../../../templates/parts/field.tsx";
import type { Server } from "../../server.ts";
import { hasUsers } from "../../users/find.ts";
import { logIn, logOut, startSession } from "../../users/sessions.ts";
import { findLink, followLink } from "../../users/setup_links.ts";
import { clearSessionCookie, Login, setSessionCookie } from "../api/auth.ts";
import { actorOf, type Ctx, type Route } from "../context.ts";
import { refuseGuesses } from "../security.ts";
import { attempt, readForm } from "./form.ts";
import { frameOf, goTo, localPath, show } from "./page.ts";

const SetUp = z.object({
  username: userName,
  password: z.string(),
  password_again: z.string(),
  token: z.string(),
}).refine((form) => form.password === form.password_again, {
  path: ["password_again"],
  message: "must be the same password",
});

export const entryRoutes: Route[] = [
  { method: "GET", path: "/setup", role: "public", handler: showSetup },
  { method: "POST", path: "/setup", whenFull: true, role: "public", handler: setup },
  { method: "GET", path: "/login", role: "public", handler: showLogin },
  { method: "POST", path: "/login", whenFull: true, role: "public", handler: login },
  { method: "POST", path: "/logout", whenFull: true, role: "viewer", handler: logout },
];

async function showSetup(server: Server, c: Ctx): Promise<Response> {
  const token = c.req.query("token") ?? "";
  return await setupPage(server, c, { token });
}

async function setupPage(
  server: Server,
  c: Ctx,
  { token, values = {}, errors = {}, status = 200 }: {
    token: string;
    values?: { username?: string };
    errors?: Errors;
    status?: number;
  },
): Promise<Response> {
  const link = await findLink(server, token);
  if (!link) refuseGuesses(server, c.get("address"));
  const frame = { ...await frameOf(server, c), user: null };
  const account = link?.user && { username: link.user.username, role: link.user.role };
  return show(
    c,
    SetupPage({ frame, token: link ? token : null, account: account ?? null, values, errors }),
    link ? status : 404,
  );
}

async function setup(server: Server, c: Ctx): Promise<Response> {
  const form = await readForm(c);
  const token = form.text("token");
  const link = await findLink(server, token);
  const value = {
    // Whose link it is says the database, not the form.
    username: link?.user?.username ?? form.text("username"),
    password: form.text("password"),
    password_again: form.text("password_again"),
    token,
  };
  if (!link) return await setupPage(server, c, { token, status: 404 });
  const { done: user, errors } = await attempt(
    SetUp,
    value,
    (input) => followLink(server, c.get("address"), input),
  );
  if (errors) {
    return await setupPage(server, c, {
      token,
      values: { username: value.username },
      errors,
      status: 422,
    });
  }
  const session = await startSession(server, { ...actorOf(c), name: user.username }, user);
  if (session === undefined) return goTo(c, "/login");
  setSessionCookie(c, session);
  const text = link.user
    ? `Welcome, ${user.username}. Your password is set.`
    : `Welcome, ${user.username}. Add the first machine to back up.`;
  return goTo(c, "/", { text });
}

async function showLogin(server: Server, c: Ctx): Promise<Response> {
  const next = localPath(c.req.query("next"));
  if (c.get("user")) return goTo(c, next);
  const frame = await frameOf(server, c);
  const isFresh = !await hasUsers(server);
  return show(c, LoginPage({ frame, next, values: {}, errors: {}, isFresh }));
}

async function login(server: Server, c: Ctx): Promise<Response> {
  const form = await readForm(c);
  const next = localPath(form.text("next"));
  const value = { username: form.text("username"), password: form.text("password") };
  const { done, errors } = await attempt(
    Login,
    value,
    (input) => logIn(server, c.get("address"), input),
  );
  if (errors) {
    const frame = { ...await frameOf(server, c), user: null };
    const values = { username: value.username };
    return show(c, LoginPage({ frame, next, values, errors }), errors[""] ? 401 : 422);
  }
  setSessionCookie(c, done.token);
  return goTo(c, next);
}

async function logout(server: Server, c: Ctx): Promise<Response> {
  const session = c.get("session");
  if (session) await logOut(server, actorOf(c), session);
  clearSessionCookie(c);
  return goTo(c, "/login");
}
