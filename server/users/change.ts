// What an admin changes of an account. The last admin who can sign in is never disabled, demoted or removed: the condition is
// part of the statement that does it, so that two at once cannot both pass.
import { type Change, change } from "../change.ts";
import type { Role } from "../database/tables.ts";
import { AppError } from "../errors.ts";
import type { Actor, Server } from "../server.ts";
import { endAccess, endSessions, mayGo } from "./end_access.ts";
import { getUser, refuseEnded } from "./find.ts";
import { insertLink } from "./setup_links.ts";
import type { User } from "../../shared/shapes/user.ts";

export interface UserChange {
  role?: Role;
  disabled?: boolean;
}

const RANK: Record<Role, number> = { viewer: 1, operator: 2, admin: 3 };

/** All or nothing. Throws conflict for the last admin. */
export async function changeUser(
  server: Server,
  actor: Actor,
  id: string,
  input: UserChange,
): Promise<void> {
  await changeOf(server, actor, id, async (act, user) => {
    if (input.disabled !== undefined) await setDisabled(act, user, input.disabled);
    if (input.role !== undefined && input.role !== user.role) await setRole(act, user, input.role);
  });
}

/** Its sessions, tokens and links go with it; what it made and did stays, under its id, which nobody gets again. */
export async function removeUser(server: Server, actor: Actor, id: string): Promise<void> {
  await changeOf(server, actor, id, async (act, user) => {
    await setUnlessLast(act.tx, user, { disabled_at: act.now });
    await endAccess(act.tx, act.now, actor, id);
    await act.tx.deleteFrom("users").where("id", "=", id).execute();
    await act.audit(entry("user.removed", user));
  });
}

/** Ends the password, sessions and tokens of before; returns the secret of a link by which the user sets a new one. */
export async function resetUser(server: Server, actor: Actor, id: string): Promise<string> {
  return await changeOf(server, actor, id, async (act, user) => {
    await setUnlessLast(act.tx, user, { password_hash: "" });
    await endAccess(act.tx, act.now, actor, id);
    await refuseOwnToken(act.tx, actor);
    await act.audit(entry("user.reset", user));
    return await insertLink(act, id);
  });
}

/** A reset ends the tokens of its user, and with them what they make: a link of their own would be dead at once. */
async function refuseOwnToken(tx: Change["tx"], { token, session }: Actor): Promise<void> {
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
  await changeOf(server, actor, id, async (act, user) => {
    await endSessions(act.tx, act.now, id);
    await act.audit(entry("user.sessions_ended", user));
  });
}

async function setDisabled(act: Change, user: User, disabled: boolean): Promise<void> {
  const { tx, now, actor } = act;
  const { disabled_at } = await tx.selectFrom("users").select("disabled_at")
    .where("id", "=", user.id).executeTakeFirstOrThrow();
  if ((disabled_at !== null) === disabled) return;
  if (disabled) {
    await setUnlessLast(tx, user, { disabled_at: now });
    await endAccess(tx, now, actor, user.id);
  } else {
    await tx.updateTable("users").set({ disabled_at: null, ...restsOn(actor) })
      .where("id", "=", user.id).execute();
  }
  await act.audit(entry(disabled ? "user.disabled" : "user.enabled", user));
}

async function setRole({ tx, now, actor, audit }: Change, user: User, role: Role): Promise<void> {
  if (RANK[role] > RANK[user.role]) {
    await tx.updateTable("users").set({ role, ...restsOn(actor) }).where("id", "=", user.id)
      .execute();
  } else {
    await setUnlessLast(tx, user, { role });
  }
  // A session begins with a role and keeps it; API tokens have whatever role their user has.
  await endSessions(tx, now, user.id);
  await audit({ ...entry("user.role_changed", user), detail: { from: user.role, to: role } });
}

/** Throws conflict where the user is the last admin who can sign in. */
async function setUnlessLast(
  tx: Change["tx"],
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

/** A change of the account `id`, by an actor whose own access has not ended meanwhile. */
async function changeOf<T>(
  server: Server,
  actor: Actor,
  id: string,
  work: (act: Change, user: User) => Promise<T>,
): Promise<T> {
  return await change(server, actor, async (act) => {
    await refuseEnded(act.tx, actor);
    return await work(act, await getUser({ db: act.tx }, id));
  });
}

function entry(action: string, user: User) {
  return { action, target: { kind: "user", id: user.id, name: user.username } };
}
