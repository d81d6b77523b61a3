import { type Change, change } from "../change.ts";
import type { Role } from "../database/tables.ts";
import { AppError } from "../errors.ts";
import { newId } from "../../shared/new_id.ts";
import type { Actor, Server } from "../server.ts";
import { checkPassword } from "./check_password.ts";
import { findUserByName, refuseEnded } from "./find.ts";
import { insertLink } from "./setup_links.ts";
import type { User } from "../../shared/shapes/user.ts";

interface Account {
  username: string;
  role: Role;
}

/** Throws conflict when the name is taken, invalid when the password is too weak. */
export async function createUser(
  server: Server,
  actor: Actor,
  input: Account & { password: string },
): Promise<User> {
  checkPassword(input.password, input.username);
  await refuseTaken(server, input.username);
  const password_hash = await server.passwords.hash(input.password);
  return await change(server, actor, (act) => insertUser(act, input, password_hash));
}

/** A user who sets a password by a one-time link: `token` is its secret. Throws conflict when the name is taken. */
export async function inviteUser(
  server: Server,
  actor: Actor,
  input: Account,
): Promise<{ user: User; token: string }> {
  return await change(server, actor, async (act) => {
    await refuseEnded(act.tx, actor);
    const user = await insertUser(act, input, "");
    return { user, token: await insertLink(act, user.id) };
  });
}

async function insertUser(
  { server, tx, now, actor, audit }: Change,
  { username, role }: Account,
  password_hash: string,
): Promise<User> {
  await refuseTaken({ ...server, db: tx }, username);
  const user = { id: newId(), username, role };
  await tx.insertInto("users").values({
    ...user,
    password_hash,
    disabled_at: null,
    depends_on_token: actor.token ?? null,
    created_at: now,
  }).execute();
  await tx.deleteFrom("setup_links").where("user_id", "is", null).execute();
  await audit({
    action: "user.created",
    target: { kind: "user", id: user.id, name: username },
    detail: { role },
  });
  return user;
}

async function refuseTaken(server: Server, username: string): Promise<void> {
  if (await findUserByName(server, username)) {
    throw new AppError("conflict", `There is already a user named ${username}.`, "username");
  }
}
