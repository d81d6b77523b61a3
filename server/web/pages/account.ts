// One's own account: password, theme, API tokens.
import { z } from "zod";
import { name } from "../../../shared/fields.ts";
import {
  AccountPage,
  type AccountProps,
  TOKEN_LIFETIMES,
} from "../../../templates/account/page.tsx";
import type { Server } from "../../server.ts";
import { changePassword } from "../../users/change_password.ts";
import { createToken, listTokens, revokeToken } from "../../users/tokens.ts";
import { setSessionCookie } from "../api/auth.ts";
import { pathId } from "../body.ts";
import { actorOf, type Ctx, type Route, userOf } from "../context.ts";
import { attempt, readForm } from "./form.ts";
import { frameOf, goTo, keepTheme, show, whereFrom } from "./page.ts";

const DAY = 86_400_000;

const PasswordForm = z.object({
  current_password: z.string().min(1, "must not be empty"),
  new_password: z.string().min(1, "must not be empty"),
  new_password_again: z.string(),
}).refine((form) => form.new_password === form.new_password_again, {
  path: ["new_password_again"],
  message: "must be the same password",
});

const TokenForm = z.object({
  name,
  lifetime: z.enum(TOKEN_LIFETIMES.map(({ value }) => value), {
    error: "must be one of the choices",
  }),
});

export const accountRoutes: Route[] = [
  {
    method: "GET",
    path: "/account",
    role: "viewer",
    handler: (server, c) => showAccount(server, c),
  },
  { method: "POST", path: "/account/password", whenFull: true, role: "viewer", handler: password },
  { method: "POST", path: "/account/theme", whenFull: true, role: "viewer", handler: theme },
  { method: "POST", path: "/account/tokens", role: "viewer", handler: makeToken },
  {
    method: "POST",
    path: "/account/tokens/:id/revoke",
    whenFull: true,
    role: "viewer",
    handler: revoke,
  },
];

async function showAccount(
  server: Server,
  c: Ctx,
  changes: Partial<AccountProps> = {},
  status = 200,
): Promise<Response> {
  const tokens = await listTokens(server, userOf(c));
  return show(
    c,
    AccountPage({
      frame: await frameOf(server, c),
      passwordErrors: {},
      tokens,
      newToken: null,
      tokenValues: { name: "", lifetime: "90" },
      tokenErrors: {},
      ...changes,
    }),
    status,
  );
}

async function password(server: Server, c: Ctx): Promise<Response> {
  const form = await readForm(c);
  const value = {
    current_password: form.text("current_password"),
    new_password: form.text("new_password"),
    new_password_again: form.text("new_password_again"),
  };
  const { done, errors } = await attempt(
    PasswordForm,
    value,
    ({ current_password, new_password }) =>
      changePassword(server, actorOf(c), userOf(c), {
        current_password,
        new_password,
        keep_session: c.get("session")?.tokenHash ?? null,
      }),
  );
  if (errors) return showAccount(server, c, { passwordErrors: errors }, 422);
  if (done !== undefined) setSessionCookie(c, done);
  return goTo(c, "/account", {
    text: "The password is changed. Your other sessions and your API tokens have ended.",
  });
}

async function theme(_: Server, c: Ctx): Promise<Response> {
  keepTheme(c, (await readForm(c)).text("theme"));
  return goTo(c, whereFrom(c, "/account"));
}

async function makeToken(server: Server, c: Ctx): Promise<Response> {
  const form = await readForm(c);
  const value = { name: form.text("name"), lifetime: form.text("lifetime") };
  const { done, errors } = await attempt(TokenForm, value, async (input) => {
    const days = Number(input.lifetime);
    const expires_at = days > 0 ? server.now() + days * DAY : undefined;
    const made = await createToken(server, actorOf(c), userOf(c), { name: input.name, expires_at });
    return { name: input.name, token: made.token };
  });
  if (errors) return showAccount(server, c, { tokenValues: value, tokenErrors: errors }, 422);
  // Not a redirect: the secret is in this one answer and nowhere else.
  return showAccount(server, c, { newToken: done });
}

async function revoke(server: Server, c: Ctx): Promise<Response> {
  await revokeToken(server, actorOf(c), userOf(c), pathId(c, "id"));
  return goTo(c, "/account#tokens", { text: "The token is revoked: it opens nothing any more." });
}
