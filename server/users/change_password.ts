import { recordAudit } from "../audit/record.ts";
import { AppError } from "../errors.ts";
import type { Actor, Server } from "../server.ts";
import { checkPassword } from "./check_password.ts";
import type { User } from "./find.ts";

/** The user's own change; ends all of the user's other sessions. */
export async function changePassword(
  server: Server,
  actor: Actor,
  user: User,
  wish: { current_password: string; new_password: string; keep_session: Uint8Array | null },
): Promise<void> {
  server.throttle.check(`password:${user.id}`, 10, 300);
  const row = await server.db.selectFrom("users").select("password_hash").where("id", "=", user.id)
    .executeTakeFirstOrThrow();
  if (!await server.passwords.verify(wish.current_password, row.password_hash)) {
    throw new AppError("invalid", "current_password is not your password.", "current_password");
  }
  checkPassword(wish.new_password, user.username, "new_password");
  await storePassword(server, actor, user, wish.new_password, wish.keep_session);
}

/** For an administrator at the command line. */
export async function resetPassword(
  server: Server,
  actor: Actor,
  user: User,
  password: string,
): Promise<void> {
  checkPassword(password, user.username);
  await storePassword(server, actor, user, password, null);
}

async function storePassword(
  server: Server,
  actor: Actor,
  user: User,
  password: string,
  keepSession: Uint8Array | null,
): Promise<void> {
  const password_hash = await server.passwords.hash(password);
  await server.db.transaction().execute(async (tx) => {
    await tx.updateTable("users").set({ password_hash }).where("id", "=", user.id).execute();
    let others = tx.deleteFrom("sessions").where("user_id", "=", user.id);
    if (keepSession) others = others.where("token_hash", "!=", keepSession);
    await others.execute();
    await recordAudit(tx, server.now(), actor, {
      action: "user.password_changed",
      target: { kind: "user", id: user.id, name: user.username },
    });
  });
}
