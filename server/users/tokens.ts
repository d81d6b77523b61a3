// API tokens: for scripts, with the role of the user who made them.
import { change } from "../change.ts";
import type { Transaction } from "kysely";
import type { Tables } from "../database/tables.ts";
import { unlessStorageFails } from "../database/storage_error.ts";
import { AppError } from "../errors.ts";
import { newId } from "../../shared/new_id.ts";
import { randomSecret, sha256 } from "../random.ts";
import type { Actor, Server } from "../server.ts";
import { endTokens } from "./end_access.ts";
import { refuseEnded } from "./find.ts";
import type { User } from "../../shared/shapes/user.ts";
import type { ApiToken } from "../../shared/shapes/user.ts";
import type { CreatedToken } from "../../shared/shapes/user.ts";

const MOST = 50;
const TOUCH_AFTER = 60_000;

/**
 * The secret is in the answer and nowhere else afterwards. What comes with a token, or from an account that rests on one,
 * makes only tokens that end with it: revoked with it, and expiring no later.
 */
export async function createToken(
  server: Server,
  actor: Actor,
  user: User,
  input: { name: string; expires_at?: number | null },
): Promise<CreatedToken> {
  const id = newId();
  const token = randomSecret("rm_");
  const expires_at = await change(server, actor, async ({ tx, audit }) => {
    await refuseEnded(tx, actor);
    const expires_at = await expiryOf(tx, actor, input.expires_at);
    if (expires_at !== null && expires_at <= server.now()) {
      throw new AppError("invalid", "expires_at must be in the future.", "expires_at");
    }
    if ((await listTokens({ db: tx }, user)).length >= MOST) {
      throw new AppError("conflict", `You have ${MOST} tokens already; revoke one first.`);
    }
    await tx.insertInto("api_tokens").values({
      id,
      user_id: user.id,
      name: input.name,
      token_hash: sha256(token),
      created_at: server.now(),
      expires_at,
      last_used_at: null,
      depends_on_token: actor.token ?? null,
    }).execute();
    await audit({
      action: "token.created",
      target: { kind: "token", id, name: input.name },
      detail: { user: user.username, ...(actor.token ? { by_token: actor.token } : {}) },
    });
    return expires_at;
  });
  return { id, token, expires_at };
}

async function expiryOf(
  tx: Transaction<Tables>,
  actor: Actor,
  input: number | null | undefined,
): Promise<number | null> {
  const parent = actor.token === undefined ? undefined : await tx.selectFrom("api_tokens")
    .select("expires_at").where("id", "=", actor.token).executeTakeFirst();
  const latest = parent?.expires_at ?? null;
  if (latest === null || input === undefined) return input ?? latest;
  if (input !== null && input <= latest) return input;
  throw new AppError(
    "invalid",
    `expires_at must be no later than the token that makes it: ${new Date(latest).toISOString()}.`,
    "expires_at",
  );
}

export async function listTokens(
  { db }: Pick<Server, "db">,
  user: Pick<User, "id">,
): Promise<ApiToken[]> {
  return await db.selectFrom("api_tokens")
    .select(["id", "name", "created_at", "expires_at", "last_used_at"])
    .where("user_id", "=", user.id).orderBy("created_at", "desc").execute();
}

/** Ends it with all that rests on it. Throws not_found when this user has no such token. */
export async function revokeToken(
  server: Server,
  actor: Actor,
  user: Pick<User, "id">,
  id: string,
): Promise<void> {
  await change(server, actor, async ({ tx, audit }) => {
    const gone = await tx.selectFrom("api_tokens")
      .innerJoin("users", "users.id", "api_tokens.user_id").select(["name", "username"])
      .where("api_tokens.id", "=", id).where("user_id", "=", user.id).executeTakeFirst();
    if (!gone) throw new AppError("not_found", "There is no such token of yours.");
    await endTokens(tx, server.now(), actor, [id]);
    await audit({
      action: "token.revoked",
      target: { kind: "token", id, name: gone.name },
      detail: { user: gone.username },
    });
  });
}

export interface TokenUser {
  user: User;
  tokenId: string;
}

export async function findUserByToken(
  server: Server,
  token: string,
): Promise<TokenUser | undefined> {
  const now = server.now();
  const row = await server.db.selectFrom("api_tokens")
    .innerJoin("users", "users.id", "api_tokens.user_id")
    .select(["users.id", "username", "role", "api_tokens.id as token_id", "last_used_at"])
    .where("token_hash", "=", sha256(token)).where("disabled_at", "is", null)
    .where((where) => where.or([where("expires_at", "is", null), where("expires_at", ">", now)]))
    .executeTakeFirst();
  if (!row) return undefined;
  if (now - (row.last_used_at ?? 0) > TOUCH_AFTER) {
    await unlessStorageFails(
      server.db.updateTable("api_tokens").set({ last_used_at: now })
        .where("id", "=", row.token_id).execute(),
    );
  }
  const { id, username, role } = row;
  return { user: { id, username, role }, tokenId: row.token_id };
}
