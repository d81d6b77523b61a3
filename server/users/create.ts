import type { Role } from "../database/tables.ts";
import { recordAudit } from "../audit/record.ts";
import { AppError } from "../errors.ts";
import { newId } from "../../shared/new_id.ts";
import type { Actor, Server } from "../server.ts";
import { findUserByName, hasUsers, type User } from "./find.ts";
import { checkPassword } from "./check_password.ts";

export interface NewUser {
  username: string;
  role: Role;
  password: string;
}

/** Throws conflict when the name is taken, invalid when the password is too weak. */
export async function createUser(server: Server, actor: Actor, wish: NewUser): Promise<User> {
  checkPassword(wish.password, wish.username);
  if (await findUserByName(server, wish.username)) {
    throw new AppError("conflict", `There is already a user named ${wish.username}.`, "username");
  }
  const password_hash = await server.passwords.hash(wish.password);
  const user = { id: newId(), username: wish.username, role: wish.role };
  await server.db.transaction().execute(async (tx) => {
    await tx.insertInto("users").values({ ...user, password_hash, created_at: server.now() })
      .execute();
    await recordAudit(tx, server.now(), actor, {
      action: "user.created",
      target: { kind: "user", id: user.id, name: user.username },
      detail: { role: user.role },
    });
  });
  return user;
}

/** Makes the first admin from the setup link's secret, which then stops working. */
export async function setUp(
  server: Server,
  actor: Actor,
  wish: { token: string; username: string; password: string },
): Promise<User> {
  const usable = server.setup.token !== null && server.setup.token === wish.token;
  if (!usable || await hasUsers(server)) {
    throw new AppError("forbidden", "This setup link is not valid any more. Sign in instead.");
  }
  // Taken before the hash is waited for: of two who follow the link at once, one wins.
  const token = server.setup.token;
  server.setup.token = null;
  try {
    return await createUser(server, { ...actor, name: wish.username }, { ...wish, role: "admin" });
  } catch (error) {
    server.setup.token = token;
    throw error;
  }
}
