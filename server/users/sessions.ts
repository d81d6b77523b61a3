// A session is a random cookie of which only the hash is stored. It ends after 12 idle hours, after 7 days, at
// sign-out, and when the password or the role changes.
import { change } from "../change.ts";
import type { Transaction } from "kysely";
import { newId } from "../../shared/new_id.ts";
import type { Tables } from "../database/tables.ts";
import { unlessStorageFails } from "../database/storage_error.ts";
import { recordAudit } from "../audit/record.ts";
import { AppError } from "../errors.ts";
import { randomSecret, sha256 } from "../random.ts";
import type { Actor, Server } from "../server.ts";
import { countGuess, rememberNetwork } from "./guesses.ts";
import type { User } from "../../shared/shapes/user.ts";
import type { Session as SessionShape } from "../../shared/shapes/user.ts";

const HOUR = 3_600_000;
const IDLE = 12 * HOUR;
const LONGEST = 7 * 24 * HOUR;
/** Not every page view is worth a write. */
const TOUCH_AFTER = 60_000;

export const SESSION_SECONDS = LONGEST / 1000;

export interface Session {
  id: string;
  user: User;
  tokenHash: Uint8Array;
  /** The API token by which the account was made or changed. */
  dependsOnToken: string | null;
}

/** Who is in the audit where someone tried a name that no user has. */
const NOBODY = "no such user";

/** Checks name and password, counted as a guess; returns the cookie's value. */
export async function logIn(
  server: Server,
  address: string,
  input: { username: string; password: string },
): Promise<{ token: string; user: User }> {
  const row = await server.db.selectFrom("users").selectAll().where("username", "=", input.username)
    .executeTakeFirst();
  const guess = await countGuess(server, {
    userId: row?.id ?? null,
    username: input.username,
    address,
  });
  const actor: Actor = {
    kind: "user",
    id: row?.id ?? null,
    // Not what was typed: in the wrong field people type their password.
    name: row?.username ?? NOBODY,
    address,
  };
  let right: boolean;
  try {
    right = await server.passwords.verify(input.password, row?.password_hash || undefined, guess);
  } catch (error) {
    await guess.takeBack();
    throw error;
  }
  const user = row && { id: row.id, username: row.username, role: row.role };
  const token = user && right
    ? await startSession(server, actor, user, row.password_hash)
    : undefined;
  if (!user || token === undefined) {
    await recordAudit(server.db, server.now(), actor, { action: "login.refused" });
    throw new AppError("unauthorized", "Wrong user name or password.");
  }
  await guess.takeBack();
  return { token, user };
}

/**
 * Undefined when the account was disabled, or its password is another than `passwordHash` by now: it may have changed while
 * the password was being looked at.
 */
export async function startSession(
  server: Server,
  actor: Actor,
  user: User,
  passwordHash?: string,
): Promise<string | undefined> {
  const now = server.now();
  const token = await server.db.transaction().execute(async (tx) => {
    const row = await tx.selectFrom("users").select(["password_hash"]).where("id", "=", user.id)
      .where("disabled_at", "is", null).executeTakeFirst();
    if (!row || (passwordHash !== undefined && row.password_hash !== passwordHash)) return;
    const token = await insertSession(tx, now, user.id, actor.address);
    await recordAudit(tx, now, { ...actor, id: user.id, name: user.username }, { action: "login" });
    return token;
  });
  const { address } = actor;
  if (token !== undefined && address !== null) {
    await server.database.raw((sqlite) =>
      rememberNetwork(sqlite, { userId: user.id, address, now })
    );
  }
  return token;
}

/** Returns the cookie's value. */
export async function insertSession(
  tx: Transaction<Tables>,
  now: number,
  userId: string,
  address: string | null,
): Promise<string> {
  const token = randomSecret();
  await tx.insertInto("sessions").values({
    token_hash: sha256(token),
    id: newId(),
    user_id: userId,
    address,
    created_at: now,
    last_seen_at: now,
    expires_at: now + LONGEST,
  }).execute();
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
    .select(["sessions.id as session_id", "depends_on_token"])
    .where("token_hash", "=", sha256(token)).where("expires_at", ">", now)
    .where("last_seen_at", ">", now - IDLE).where("disabled_at", "is", null).executeTakeFirst();
  if (!row) return undefined;
  if (isUse && now - row.last_seen_at > TOUCH_AFTER) {
    await unlessStorageFails(
      server.db.updateTable("sessions").set({ last_seen_at: now })
        .where("token_hash", "=", row.token_hash).execute(),
    );
  }
  return {
    id: row.session_id,
    user: { id: row.id, username: row.username, role: row.role },
    tokenHash: row.token_hash,
    dependsOnToken: row.depends_on_token,
  };
}

/** Which of them is the reader's own only the request knows. */
export type OpenSession = Omit<SessionShape, "current">;

export async function listSessions({ db, now }: Server, user: User): Promise<OpenSession[]> {
  return await db.selectFrom("sessions")
    .select(["id", "address", "created_at", "last_seen_at", "expires_at"])
    .where("user_id", "=", user.id).where("expires_at", ">", now())
    .where("last_seen_at", ">", now() - IDLE).orderBy("last_seen_at", "desc").execute();
}

/** One of the user's own. Throws not_found. */
export async function endSession(
  server: Server,
  actor: Actor,
  user: User,
  id: string,
): Promise<void> {
  await change(server, actor, async ({ tx, audit }) => {
    const { numDeletedRows } = await tx.deleteFrom("sessions").where("id", "=", id)
      .where("user_id", "=", user.id).executeTakeFirst();
    if (numDeletedRows === 0n) {
      throw new AppError("not_found", "There is no such session of yours.");
    }
    await audit({
      action: "session.ended",
      target: { kind: "session", id, name: null },
    });
  });
}

export async function logOut(server: Server, actor: Actor, session: Session): Promise<void> {
  await change(server, actor, async ({ tx, audit }) => {
    await tx.deleteFrom("sessions").where("token_hash", "=", session.tokenHash).execute();
    await audit({ action: "logout" });
  });
}

export async function removeExpiredSessions({ db, now }: Server): Promise<void> {
  await db.deleteFrom("sessions").where((where) =>
    where.or([where("expires_at", "<=", now()), where("last_seen_at", "<=", now() - IDLE)])
  ).execute();
  await db.deleteFrom("setup_links").where("expires_at", "<=", now()).execute();
}
