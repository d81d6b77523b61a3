// Accounts, for admins: who may sign in, with which role, and what is open in whose name.
import { z } from "zod";
import { userName } from "../../../shared/fields.ts";
import { changeUser, endSessionsOf, removeUser, resetUser } from "../../users/change.ts";
import { inviteUser } from "../../users/create.ts";
import { getUser, listUsers } from "../../users/find.ts";
import { listTokens, revokeToken } from "../../users/tokens.ts";
import { pathId, readJson } from "../body.ts";
import { actorOf, type Ctx } from "../context.ts";
import type { Server } from "../../server.ts";
import { withIsoTimes } from "./shapes.ts";
import { type ApiRoute, apiRoute } from "./route.ts";
import { listOf } from "../../../shared/shapes/list.ts";
import { Account, ApiToken, InvitedUser, ROLES, SetupLink } from "../../../shared/shapes/user.ts";

const role = z.enum(ROLES, {
  error: "must be admin, operator or viewer",
});

const NewUser = z.strictObject({ username: userName, role });

const UserChange = z.strictObject({
  role: role.optional(),
  disabled: z.boolean("must be true or false").optional(),
});

export const userRoutes: ApiRoute[] = [
  apiRoute({
    method: "GET",
    path: "/api/users",
    role: "admin",
    summary: "All accounts, with how many sessions and API tokens each one has",
    response: { 200: listOf(Account) },
    handler: async (server) => ({
      items: withIsoTimes(await listUsers(server)),
      next_cursor: null,
    }),
  }),
  apiRoute({
    method: "POST",
    path: "/api/users",
    role: "admin",
    summary:
      "Makes an account; setup_url, which is shown once and valid for an hour, is where its user sets a password",
    body: NewUser,
    response: { 201: InvitedUser },
    handler: async (server, c) => {
      const { user, token } = await inviteUser(server, actorOf(c), await readJson(c, NewUser));
      return { id: user.id, setup_url: setupUrl(c, token) };
    },
  }),
  apiRoute({
    method: "PATCH",
    path: "/api/users/:id",
    whenFull: true,
    role: "admin",
    summary: "Changes the role, disables or enables; never the last admin who can sign in",
    body: UserChange,
    response: { 200: Account },
    handler: async (server, c) => {
      const id = pathId(c, "id");
      await changeUser(server, actorOf(c), id, await readJson(c, UserChange));
      return withIsoTimes((await listUsers(server, id))[0]!);
    },
  }),
  apiRoute({
    method: "DELETE",
    path: "/api/users/:id",
    role: "admin",
    summary:
      "Removes the account with its sessions and API tokens; never the last admin who can sign in",
    response: { 204: null },
    handler: async (server, c) => {
      await removeUser(server, actorOf(c), pathId(c, "id"));
    },
  }),
  apiRoute({
    method: "POST",
    path: "/api/users/:id/reset",
    whenFull: true,
    role: "admin",
    summary:
      "Ends the password, the sessions and the API tokens of before; setup_url, valid for an hour, is where the user sets a new one",
    response: { 200: SetupLink },
    handler: async (server, c) => {
      const token = await resetUser(server, actorOf(c), pathId(c, "id"));
      return { setup_url: setupUrl(c, token) };
    },
  }),
  apiRoute({
    method: "DELETE",
    path: "/api/users/:id/sessions",
    role: "admin",
    summary: "Signs the user out everywhere",
    response: { 204: null },
    handler: async (server, c) => {
      await endSessionsOf(server, actorOf(c), pathId(c, "id"));
    },
  }),
  apiRoute({
    method: "GET",
    path: "/api/users/:id/tokens",
    role: "admin",
    summary: "The user's API tokens",
    response: { 200: listOf(ApiToken) },
    handler: async (server, c) => {
      const user = await getUser(server, pathId(c, "id"));
      const items = withIsoTimes(await listTokens(server, user));
      return { items, next_cursor: null };
    },
  }),
  apiRoute({
    method: "DELETE",
    path: "/api/users/:id/tokens/:tid",
    role: "admin",
    summary: "Revokes one of the user's API tokens, with all that rests on it",
    response: { 204: null },
    handler: revoke,
  }),
];

async function revoke(server: Server, c: Ctx): Promise<void> {
  const user = await getUser(server, pathId(c, "id"));
  await revokeToken(server, actorOf(c), user, pathId(c, "tid"));
}

function setupUrl(c: Ctx, token: string): string {
  return `${c.get("baseUrl")}/setup?token=${token}`;
}
