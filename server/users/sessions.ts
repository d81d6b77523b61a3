// A session is a random cookie of which only the hash is stored. It ends after 12 idle hours, after 7 days, at
// sign-out, and when the password changes.
import { recordAudit } from "../audit/record.ts";
import { AppError } from "../errors.ts";
import { randomSecret, sha256 } from "../random.ts";
import type { Actor, Server } from "../server.ts";
import type { User } from "./find.ts";

const HOUR = 3_600_000;
const IDLE = 12 * HOUR;
const LONGEST = 7 * 24 * HOUR;
/** Not every page view is worth a write. */
const TOUCH_AFTER = 60_000;

export const SESSION_SECONDS = LONGEST / 1000;

export interface Session {
  user: User;
  tokenHash: Uint8Array;
}

/** Checks name and password, throttled per name and per address; answers the cookie's value. */
export async function logIn(
  server: Server,
  address: string,
  wish: { username: string; password: string },
): Promise<{ token: string; user: User }> {
  const nameKey = `login:${wish.username.toLowerCase()}:${address}`;
  server.throttle.check(`login:${address}`, 30, 60);
  server.throttle.check(nameKey, 8, 300);
  const row = await server.db.selectFrom("users").selectAll().where("username", "=", wish.username)
    .executeTakeFirst();
  const right = await server.passwords.verify(wish.password, row?.password_hash);
  const actor: Actor = {
    kind: "user",
    id: row?.id ?? null,
    name: row?.username ?? wish.username,
    address,
  };
  if (!row || !right) {
    await recordAudit(server.db, server.now(), actor, { action: "login.refused" });
    throw new AppError("unauthorized", "Wrong user name or password.");
  }
  server.throttle.forgive(nameKey);
  const user: User = { id: row.id, username: row.username, role: row.role };
  return { token: await startSession(server, actor, user), user };
}

export async function startSession(server: Server, actor: Actor, user: User): Promise<string> {
  const token = randomSecret();
  const now = server.now();
  await server.db.transaction().execute(async (tx) => {
    await tx.insertInto("sessions").values({
      token_hash: sha256(token),
      user_id: user.id,
      created_at: now,
      last_seen_at: now,
      expires_at: now + LONGEST,
    }).execute();
    await recordAudit(tx, now, { ...actor, id: user.id, name: user.username }, { action: "login" });
  });
  return token;
}

/** `isUse` false only looks: an open page by itself does not keep a session from ending. */
export async function findSession(
  server: Server,
  token: string,
  isUse = true,
): Promise<Session | undefined> {
  const now = server.now();
  const row = await server.db.selectFrom("sessions")
    .innerJoin("users", "users.id", "sessions.user_id")
    .select(["users.id", "users.username", "users.role", "token_hash", "last_seen_at"])
    .where("token_hash", "=", sha256(token)).where("expires_at", ">", now)
    .where("last_seen_at", ">", now - IDLE).executeTakeFirst();
  if (!row) return undefined;
  if (isUse && now - row.last_seen_at > TOUCH_AFTER) {
    await server.db.updateTable("sessions").set({ last_seen_at: now })
      .where("token_hash", "=", row.token_hash).execute();
  }
  return {
    user: { id: row.id, username: row.username, role: row.role },
    tokenHash: row.token_hash,
  };
}

export async function logOut(server: Server, actor: Actor, session: Session): Promise<void> {
  await server.db.transaction().execute(async (tx) => {
    await tx.deleteFrom("sessions").where("token_hash", "=", session.tokenHash).execute();
    await recordAudit(tx, server.now(), actor, { action: "logout" });
  });
}

export async function removeExpiredSessions({ db, now }: Server): Promise<void> {
  await db.deleteFrom("sessions").where((where) =>
    where.or([where("expires_at", "<=", now()), where("last_seen_at", "<=", now() - IDLE)])
  ).execute();
}
