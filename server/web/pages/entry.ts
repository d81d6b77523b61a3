// How a person comes in and goes out: the first admin, signing in, signing out.
import { z } from "zod";
import { userName } from "../../../shared/fields.ts";
import { LoginPage } from "../../../templates/entry/login.tsx";
import { SetupPage } from "../../../templates/entry/setup.tsx";
import type { Server } from "../../server.ts";
import { setUp } from "../../users/create.ts";
import { logIn, logOut, startSession } from "../../users/sessions.ts";
import { clearSessionCookie, Login, setSessionCookie } from "../api/auth.ts";
import { actorOf, type Ctx, type Route } from "../context.ts";
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
  const given = c.req.query("token") ?? "";
  const token = server.setup.token !== null && given === server.setup.token ? given : null;
  const frame = { ...await frameOf(server, c), user: null };
  return show(c, SetupPage({ frame, token, values: {}, errors: {} }), token === null ? 404 : 200);
}

async function setup(server: Server, c: Ctx): Promise<Response> {
  const form = await readForm(c);
  const value = {
    username: form.text("username"),
    password: form.text("password"),
    password_again: form.text("password_again"),
    token: form.text("token"),
  };
  const { done: user, errors } = await attempt(
    SetUp,
    value,
    (wish) => setUp(server, actorOf(c), wish),
  );
  if (errors) {
    const frame = { ...await frameOf(server, c), user: null };
    const { username, token } = value;
    return show(c, SetupPage({ frame, token, values: { username }, errors }), 422);
  }
  setSessionCookie(c, await startSession(server, actorOf(c), user));
  return goTo(c, "/", { text: `Welcome, ${user.username}. Add the first machine to back up.` });
}

async function showLogin(server: Server, c: Ctx): Promise<Response> {
  const next = localPath(c.req.query("next"));
  if (c.get("user")) return goTo(c, next);
  const frame = await frameOf(server, c);
  const isFresh = server.setup.token !== null;
  return show(c, LoginPage({ frame, next, values: {}, errors: {}, isFresh }));
}

async function login(server: Server, c: Ctx): Promise<Response> {
  const form = await readForm(c);
  const next = localPath(form.text("next"));
  const value = { username: form.text("username"), password: form.text("password") };
  const { done, errors } = await attempt(
    Login,
    value,
    (wish) => logIn(server, c.get("address"), wish),
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
