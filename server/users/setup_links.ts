// One-time links, valid for an hour, by which a person sets a password: the first admin, a new user, one whose password was
// reset. Stored as a hash, so that the command line makes them beside a running server.
import { type Change, change } from "../change.ts";
import { newId } from "../../shared/new_id.ts";
import { recordAudit } from "../audit/record.ts";
import { AppError } from "../errors.ts";
import { randomSecret, sha256 } from "../random.ts";
import type { Actor, Server } from "../server.ts";
import { checkPassword } from "./check_password.ts";
import { hasUsers } from "./find.ts";
import type { User } from "../../shared/shapes/user.ts";

const HOUR = 3_600_000;

/** Puts a new link in the place of all earlier ones of this user (null: of the first admin); returns its secret. */
export async function insertLink(
  { tx, now, actor }: Change,
  userId: string | null,
): Promise<string> {
  const token = randomSecret();
  // Who was left as the last admin when the token ended does not rest on it any more.
  const rest = actor.token === undefined ? undefined : await tx.selectFrom("api_tokens")
    .select("id").where("id", "=", actor.token).executeTakeFirst();
  await tx.deleteFrom("setup_links").where("user_id", "is", userId).execute();
  await tx.insertInto("setup_links").values({
    token_hash: sha256(token),
    user_id: userId,
    created_by_id: actor.kind === "user" ? actor.id : null,
    depends_on_token: rest?.id ?? null,
    created_at: now,
    expires_at: now + HOUR,
  }).execute();
  return token;
}

/** A link for the first admin, or null when there is a user. */
export async function createFirstLink(server: Server, actor: Actor): Promise<string | null> {
  return await change(server, actor, async (act) => {
    if (await hasUsers({ db: act.tx })) return null;
    const token = await insertLink(act, null);
    await act.audit({ action: "setup_link.created" });
    return token;
  });
}

export interface OpenLink {
  /** null: the first admin's, who chooses the name. */
  user: User | null;
}

/** undefined when the link is used, too old, or no link at all. */
export async function findLink(
  { db, now }: Pick<Server, "db" | "now">,
  token: string,
): Promise<OpenLink | undefined> {
  const row = await db.selectFrom("setup_links").leftJoin("users", "users.id", "user_id")
    .select(["user_id", "username", "role", "disabled_at"])
    .where("token_hash", "=", sha256(token)).where("expires_at", ">", now())
    .executeTakeFirst();
  if (!row || row.disabled_at !== null) return undefined;
  if (row.user_id === null) return await hasUsers({ db }) ? undefined : { user: null };
  return { user: { id: row.user_id, username: row.username!, role: row.role! } };
}

/** Sets the password, and makes the first admin where there is no user. The link then stops working; throws forbidden. */
export async function followLink(
  server: Server,
  address: string,
  input: { token: string; username: string; password: string },
): Promise<User> {
  const link = await findLink(server, input.token);
  if (!link) throw usedLink();
  const username = link.user?.username ?? input.username;
  checkPassword(input.password, username);
  const password_hash = await server.passwords.hash(input.password);
  const now = server.now();
  return await server.db.transaction().execute(async (tx) => {
    // Asked again: of two who follow the link at once, one wins.
    const found = await findLink({ db: tx, now: server.now }, input.token);
    if (!found) throw usedLink();
    const { depends_on_token } = await tx.deleteFrom("setup_links")
      .where("token_hash", "=", sha256(input.token)).returning("depends_on_token")
      .executeTakeFirstOrThrow();
    const user = found.user ?? { id: newId(), username, role: "admin" as const };
    const actor: Actor = { kind: "user", id: user.id, name: user.username, address };
    if (found.user) {
      await tx.updateTable("users").set({ password_hash, depends_on_token })
        .where("id", "=", user.id).execute();
    } else {
      await tx.insertInto("users").values({
        ...user,
        password_hash,
        disabled_at: null,
        depends_on_token,
        created_at: now,
      }).execute();
    }
    await recordAudit(tx, now, actor, {
      action: found.user ? "user.password_set" : "user.created",
      target: { kind: "user", id: user.id, name: user.username },
      detail: { by: "setup link", role: user.role },
    });
    return user;
  });
}

function usedLink(): AppError {
  return new AppError("forbidden", "This setup link is not valid any more. Sign in instead.");
}
