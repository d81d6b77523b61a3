import type { Transaction } from "kysely";
import type { Tables } from "../database/tables.ts";
import { AppError } from "../errors.ts";
import type { Actor, Server } from "../server.ts";
import type { User } from "../../shared/shapes/user.ts";
import type { Account } from "../../shared/shapes/user.ts";

export async function hasUsers({ db }: Pick<Server, "db">): Promise<boolean> {
  return await db.selectFrom("users").select("id").limit(1).executeTakeFirst() !== undefined;
}

export async function findUserByName({ db }: Server, username: string): Promise<User | undefined> {
  return await db.selectFrom("users").select(["id", "username", "role"])
    .where("username", "=", username).executeTakeFirst();
}

/** Throws not_found. */
export async function getUser({ db }: Pick<Server, "db">, id: string): Promise<User> {
  const user = await db.selectFrom("users").select(["id", "username", "role"]).where("id", "=", id)
    .executeTakeFirst();
  if (!user) throw new AppError("not_found", "There is no such user.");
  return user;
}

/** By name, with what is open in each one's name now. */
export async function listUsers({ db, now }: Server, id?: string): Promise<Account[]> {
  let query = db.selectFrom("users").select((select) => [
    "id",
    "username",
    "role",
    "disabled_at",
    "created_at",
    select("password_hash", "!=", "").as("has_password"),
    select.selectFrom("sessions").whereRef("user_id", "=", "users.id").where(
      "expires_at",
      ">",
      now(),
    )
      .select((count) => count.fn.countAll<number>().as("n")).as("sessions"),
    select.selectFrom("api_tokens").whereRef("user_id", "=", "users.id")
      .select((count) => count.fn.countAll<number>().as("n")).as("tokens"),
  ]).orderBy("username");
  if (id !== undefined) query = query.where("id", "=", id);
  return (await query.execute()).map((
    { disabled_at, has_password, sessions, tokens, ...user },
  ) => ({
    ...user,
    disabled: disabled_at !== null,
    has_password: Boolean(has_password),
    sessions: sessions ?? 0,
    tokens: tokens ?? 0,
  }));
}

/**
 * What a user's request rests on may have ended while the request was waiting for its turn: asked again in the transaction
 * that makes something lasting. Throws unauthorized.
 */
export async function refuseEnded(tx: Transaction<Tables>, actor: Actor): Promise<void> {
  if (actor.kind !== "user") return;
  const user = await tx.selectFrom("users").select("role").where("id", "=", actor.id ?? "")
    .where("disabled_at", "is", null).executeTakeFirst();
  const session = actor.session === undefined ||
    await tx.selectFrom("sessions").select("id").where("id", "=", actor.session).executeTakeFirst();
  const token = actor.token === undefined ||
    await tx.selectFrom("api_tokens").select("id").where("id", "=", actor.token).executeTakeFirst();
  const isSame = actor.role === undefined || user?.role === actor.role;
  if (!user || !session || !token || !isSame) throw new AppError("unauthorized", "Sign in first.");
}

/** Throws when the database cannot be read. */
export async function readSomething({ db }: Server): Promise<void> {
  await db.selectFrom("users").select("id").limit(1).execute();
}
