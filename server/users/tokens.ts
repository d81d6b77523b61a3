// API tokens: for scripts, with the role of the user who made them.
import { recordAudit } from "../audit/record.ts";
import { AppError } from "../errors.ts";
import { newId } from "../../shared/new_id.ts";
import { randomSecret, sha256 } from "../random.ts";
import type { Actor, Server } from "../server.ts";
import type { User } from "./find.ts";

export interface ApiToken {
  id: string;
  name: string;
  created_at: number;
  expires_at: number | null;
  last_used_at: number | null;
}

const MOST = 50;
const TOUCH_AFTER = 60_000;

/** The secret is in the answer and nowhere else afterwards. */
export async function createToken(
  server: Server,
  actor: Actor,
  user: User,
  wish: { name: string; expires_at?: number | null },
): Promise<{ id: string; token: string }> {
  const expires_at = wish.expires_at ?? null;
  if (expires_at !== null && expires_at <= server.now()) {
    throw new AppError("invalid", "expires_at must be in the future.", "expires_at");
  }
  if ((await listTokens(server, user)).length >= MOST) {
    throw new AppError("conflict", `You have ${MOST} tokens already; revoke one first.`);
  }
  const id = newId();
  const token = randomSecret("rm_");
  await server.db.transaction().execute(async (tx) => {
    await tx.insertInto("api_tokens").values({
      id,
      user_id: user.id,
      name: wish.name,
      token_hash: sha256(token),
      created_at: server.now(),
      expires_at,
      last_used_at: null,
    }).execute();
    await recordAudit(tx, server.now(), actor, {
      action: "token.created",
      target: { kind: "token", id, name: wish.name },
    });
  });
  return { id, token };
}

export async function listTokens({ db }: Server, user: User): Promise<ApiToken[]> {
  return await db.selectFrom("api_tokens")
    .select(["id", "name", "created_at", "expires_at", "last_used_at"])
    .where("user_id", "=", user.id).orderBy("created_at", "desc").execute();
}

export async function revokeToken(
  server: Server,
  actor: Actor,
  user: User,
  id: string,
): Promise<void> {
  await server.db.transaction().execute(async (tx) => {
    const gone = await tx.deleteFrom("api_tokens").where("id", "=", id)
      .where("user_id", "=", user.id).returning("name").executeTakeFirst();
    if (!gone) throw new AppError("not_found", "There is no such token of yours.");
    await recordAudit(tx, server.now(), actor, {
      action: "token.revoked",
      target: { kind: "token", id, name: gone.name },
    });
  });
}

export async function findUserByToken(server: Server, token: string): Promise<User | undefined> {
  const now = server.now();
  const row = await server.db.selectFrom("api_tokens")
    .innerJoin("users", "users.id", "api_tokens.user_id")
    .select(["users.id", "username", "role", "api_tokens.id as token_id", "last_used_at"])
    .where("token_hash", "=", sha256(token))
    .where((where) => where.or([where("expires_at", "is", null), where("expires_at", ">", now)]))
    .executeTakeFirst();
  if (!row) return undefined;
  if (now - (row.last_used_at ?? 0) > TOUCH_AFTER) {
    await server.db.updateTable("api_tokens").set({ last_used_at: now })
      .where("id", "=", row.token_id).execute();
  }
  return { id: row.id, username: row.username, role: row.role };
}
