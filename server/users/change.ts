// What an admin changes of an account. The last admin who can sign in is never disabled, demoted or removed: the condition is
// part of the statement that does it, so that two at once cannot both pass.
import type { Transaction } from "kysely";
import type { Role, Tables } from "../database/tables.ts";
import { recordAudit } from "../audit/record.ts";
import { AppError } from "../errors.ts";
import type { Actor, Server } from "../server.ts";
import { endAccess, endSessions, mayGo } from "./end_access.ts";
import { getUser, refuseEnded, type User } from "./find.ts";
import { insertLink } from "./setup_links.ts";

export interface UserChange {
  role?: Role;
  disabled?: boolean;
}

type Tx = Transaction<Tables>;

const RANK: Record<Role, number> = { viewer: 1, operator: 2, admin: 3 };

/** All or nothing. Throws conflict for the last admin. */
export async function changeUser(
  server: Server,
  actor: Actor,
  id: string,
  input: UserChange,
): Promise<void> {
  await change(server, actor, id, async (tx, user) => {
    if (input.disabled !== undefined) await setDisabled(server, tx, actor, user, input.disabled);
    if (input.role !== undefined && input.role !== user.role) {
      await setRole(server, tx, actor, user, input.role);
    }
  });
}

/** Its sessions, tokens and links go with it; what it made and did stays, under its id, which nobody gets again. */
export async function removeUser(server: Server, actor: Actor, id: string): Promise<void> {
  await change(server, actor, id, async (tx, user) => {
    await setUnlessLast(tx, user, { disabled_at: server.now() });
    await endAccess(tx, server.now(), actor, id);
    await tx.deleteFrom("users").where("id", "=", id).execute();
    await record(server, tx, actor, "user.removed", user);
  });
}

/** Ends the password, sessions and tokens of before; returns the secret of a link by which the user sets a new one. */
export async function resetUser(server: Server, actor: Actor, id: string): Promise<string> {
  return await change(server, actor, id, async (tx, user) => {
    await setUnlessLast(tx, user, { password_hash: "" });
    await endAccess(tx, server.now(), actor, id);
    await refuseOwnToken(tx, actor);
    await record(server, tx, actor, "user.reset", user);
    return await insertLink(tx, server.now(), actor, id);
  });
}

/** A reset ends the tokens of its user, and with them what they make: a link of their own would be dead at once. */
async function refuseOwnToken(tx: Tx, { token, session }: Actor): Promise<void> {
  if (token === undefined || session !== undefined) return;
  const row = await tx.selectFrom("api_tokens").select("id").where("id", "=", token)
    .executeTakeFirst();
  if (row) return;
  throw new AppError(
    "forbidden",
    "An API token cannot reset the password of its own user. Sign in for that.",
  );
}

export async function endSessionsOf(server: Server, actor: Actor, id: string): Promise<void> {
  await change(server, actor, id, async (tx, user) => {
    await endSessions(tx, server.now(), id);
    await record(server, tx, actor, "user.sessions_ended", user);
  });
}

async function setDisabled(
  server: Server,
  tx: Tx,
  actor: Actor,
  user: User,
  disabled: boolean,
): Promise<void> {
  const { disabled_at } = await tx.selectFrom("users").select("disabled_at")
    .where("id", "=", user.id).executeTakeFirstOrThrow();
  if ((disabled_at !== null) === disabled) return;
  if (disabled) {
    await setUnlessLast(tx, user, { disabled_at: server.now() });
    await endAccess(tx, server.now(), actor, user.id);
  } else {
    await tx.updateTable("users").set({ disabled_at: null, ...restsOn(actor) })
      .where("id", "=", user.id).execute();
  }
  await record(server, tx, actor, disabled ? "user.disabled" : "user.enabled", user);
}

async function setRole(server: Server, tx: Tx, actor: Actor, user: User, role: Role) {
  if (RANK[role] > RANK[user.role]) {
    await tx.updateTable("users").set({ role, ...restsOn(actor) }).where("id", "=", user.id)
      .execute();
  } else {
    await setUnlessLast(tx, user, { role });
  }
  // A session begins with a role and keeps it; API tokens have whatever role their user has.
  await endSessions(tx, server.now(), user.id);
  await record(server, tx, actor, "user.role_changed", user, { from: user.role, to: role });
}

/** Throws conflict where the user is the last admin who can sign in. */
async function setUnlessLast(
  tx: Tx,
  user: User,
  values: { disabled_at?: number; password_hash?: string; role?: Role },
): Promise<void> {
  const { numUpdatedRows } = await tx.updateTable("users").set(values).where("id", "=", user.id)
    .where((where) => mayGo(where, user.id)).executeTakeFirst();
  if (numUpdatedRows > 0n) return;
  throw new AppError(
    "conflict",
    `${user.username} is the last admin who can sign in: make another one first.`,
  );
}

/** What is raised by means of an API token falls with it. */
function restsOn(actor: Actor): { depends_on_token?: string } {
  return actor.token === undefined ? {} : { depends_on_token: actor.token };
}

async function change<T>(
  server: Server,
  actor: Actor,
  id: string,
  work: (tx: Tx, user: User) => Promise<T>,
): Promise<T> {
  return await server.db.transaction().execute(async (tx) => {
    await refuseEnded(tx, actor);
    return await work(tx, await getUser({ db: tx }, id));
  });
}

async function record(
  server: Server,
  tx: Tx,
  actor: Actor,
  action: string,
  user: User,
  detail?: Record<string, unknown>,
): Promise<void> {
  await recordAudit(tx, server.now(), actor, {
    action,
    target: { kind: "user", id: user.id, name: user.username },
    detail,
  });
}
