import { change } from "../change.ts";
import { AppError } from "../errors.ts";
import type { Actor, Server } from "../server.ts";
import { checkPassword } from "./check_password.ts";
import { endAccess } from "./end_access.ts";
import { countGuess } from "./guesses.ts";
import { insertSession } from "./sessions.ts";
import type { User } from "../../shared/shapes/user.ts";

/**
 * The user's own change; ends all of the user's sessions and API tokens. Returns the cookie's value of a fresh session when
 * it came with one. Throws forbidden when it came with an API token.
 */
export async function changePassword(
  server: Server,
  actor: Actor,
  user: User,
  input: { current_password: string; new_password: string; keep_session: Uint8Array | null },
): Promise<string | undefined> {
  if (actor.token !== undefined && actor.session === undefined) {
    throw new AppError("forbidden", "An API token cannot change the password. Sign in for that.");
  }
  const row = await server.db.selectFrom("users").select("password_hash").where("id", "=", user.id)
    .executeTakeFirstOrThrow();
  const guess = await countGuess(server, {
    userId: user.id,
    username: user.username,
    address: actor.address ?? "",
    sessionId: actor.session,
  });
  if (!await server.passwords.verify(input.current_password, row.password_hash, guess)) {
    throw new AppError("invalid", "current_password is not your password.", "current_password");
  }
  await guess.takeBack();
  checkPassword(input.new_password, user.username, "new_password");
  return await storePassword(server, actor, user, {
    password: input.new_password,
    before: row.password_hash,
    isInSession: input.keep_session !== null,
  });
}

/** For an administrator at the command line. */
export async function resetPassword(
  server: Server,
  actor: Actor,
  user: User,
  password: string,
): Promise<void> {
  checkPassword(password, user.username);
  await storePassword(server, actor, user, { password, isInSession: false });
}

async function storePassword(
  server: Server,
  actor: Actor,
  user: User,
  { password, before, isInSession }: { password: string; before?: string; isInSession: boolean },
): Promise<string | undefined> {
  const password_hash = await server.passwords.hash(password);
  return await change(server, actor, async ({ tx, now, audit }) => {
    // Someone else may have changed it, or shut the account, while the passwords were being hashed.
    let update = tx.updateTable("users").set({
      password_hash,
      // The command line belongs to the user who runs the server.
      ...(actor.kind === "system" ? { depends_on_token: null } : {}),
    }).where("id", "=", user.id);
    if (before !== undefined) {
      update = update.where("password_hash", "=", before).where("disabled_at", "is", null);
    }
    const { numUpdatedRows } = await update.executeTakeFirst();
    if (numUpdatedRows === 0n) throw new AppError("unauthorized", "Sign in again.");
    await endAccess(tx, now, actor, user.id);
    await audit({
      action: "user.password_changed",
      target: { kind: "user", id: user.id, name: user.username },
    });
    return isInSession ? await insertSession(tx, now, user.id, actor.address) : undefined;
  });
}
