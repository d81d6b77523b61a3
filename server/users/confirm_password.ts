// Before something that a session alone must not be enough for.
import { AppError } from "../errors.ts";
import type { Actor, Server } from "../server.ts";
import { countGuess } from "./guesses.ts";

/** Throws invalid with the field for a wrong password, too_many for too many of them, forbidden for who has none. */
export async function confirmPassword(
  server: Server,
  actor: Actor,
  password: string,
): Promise<void> {
  const user = await server.db.selectFrom("users").select(["id", "username", "password_hash"])
    .where("id", "=", actor.id ?? "").executeTakeFirst();
  if (!user) throw new AppError("forbidden", "Only a person who is signed in can do this.");
  const guess = await countGuess(server, {
    userId: user.id,
    username: user.username,
    address: actor.address ?? "",
    sessionId: actor.session,
  });
  if (!await server.passwords.verify(password, user.password_hash, guess)) {
    throw new AppError("invalid", "password is not your password.", "password");
  }
  await guess.takeBack();
}
