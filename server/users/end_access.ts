// A door that is shut is shut: what a user, a session or an API token opened or made ends with it, however many steps on.
import type { Transaction } from "kysely";
import type { Tables } from "../database/tables.ts";
import { recordAudit } from "../audit/record.ts";
import type { Actor } from "../server.ts";

type Tx = Transaction<Tables>;

/**
 * Ends all that a user has open: sessions, API tokens with all that rests on them, links and join commands. Comes after the
 * account itself was shut, so that it does not count any more as an admin who can sign in.
 */
export async function endAccess(tx: Tx, now: number, actor: Actor, userId: string): Promise<void> {
  await tx.deleteFrom("setup_links").where("user_id", "=", userId).execute();
  await endSessions(tx, now, userId);
  const tokens = await tx.selectFrom("api_tokens").select("id").where("user_id", "=", userId)
    .execute();
  await endTokens(tx, now, actor, tokens.map(({ id }) => id));
}

/** Ends the sessions, and what was made in them and is not used yet. */
export async function endSessions(tx: Tx, now: number, userId: string): Promise<void> {
  await tx.deleteFrom("sessions").where("user_id", "=", userId).execute();
  await tx.deleteFrom("setup_links").where("created_by_id", "=", userId).execute();
  await tx.updateTable("enrolment_tokens").set({ expires_at: now })
    .where("created_by_id", "=", userId).where("used_at", "is", null)
    .where("expires_at", ">", now).execute();
}

/**
 * Removes API tokens, the tokens that they made, and so on. An account that was made, raised, enabled or given its password
 * by one of them is shut: anyone who stole the token may hold that password.
 */
export async function endTokens(tx: Tx, now: number, actor: Actor, ids: string[]): Promise<void> {
  const gone = new Set(ids);
  // A set that grows while it is walked through is walked to its end.
  for (const id of gone) {
    const made = await tx.selectFrom("api_tokens").select("id").where("depends_on_token", "=", id)
      .execute();
    for (const each of made) gone.add(each.id);
    const users = await tx.selectFrom("users").select("id").where("depends_on_token", "=", id)
      .execute();
    for (const user of users) {
      if (!await shutAccount(tx, now, actor, user.id)) continue;
      const theirs = await tx.selectFrom("api_tokens").select("id").where("user_id", "=", user.id)
        .execute();
      for (const each of theirs) gone.add(each.id);
    }
  }
  for (const id of gone) {
    await tx.deleteFrom("api_tokens").where("id", "=", id).execute();
    await tx.deleteFrom("setup_links").where("depends_on_token", "=", id).execute();
    await tx.updateTable("enrolment_tokens").set({ expires_at: now })
      .where("depends_on_token", "=", id).where("used_at", "is", null)
      .where("expires_at", ">", now).execute();
  }
}

/** False for the last admin who can sign in: he is left as he is, and the audit says so. */
async function shutAccount(tx: Tx, now: number, actor: Actor, id: string): Promise<boolean> {
  const user = await tx.selectFrom("users").select("username").where("id", "=", id)
    .executeTakeFirstOrThrow();
  const { numUpdatedRows } = await tx.updateTable("users").set((column) => ({
    password_hash: "",
    depends_on_token: null,
    disabled_at: column.fn.coalesce("disabled_at", column.val(now)),
  })).where("id", "=", id).where((where) => mayGo(where, id)).executeTakeFirst();
  const isShut = numUpdatedRows > 0n;
  if (isShut) {
    await tx.deleteFrom("setup_links").where("user_id", "=", id).execute();
    await endSessions(tx, now, id);
  } else {
    await tx.updateTable("users").set({ depends_on_token: null }).where("id", "=", id).execute();
  }
  await recordAudit(tx, now, actor, {
    action: isShut ? "user.shut" : "user.kept",
    target: { kind: "user", id, name: user.username },
    detail: {
      because: "it was made or changed by an API token that has ended" +
        (isShut ? "" : ", but is the last admin who can sign in"),
    },
  });
  return isShut;
}

/** Whether this user may stop being an enabled admin: there is another one who can sign in, or he is none. */
// deno-lint-ignore no-explicit-any -- Kysely's builder, whose type names the whole query
export function mayGo(where: any, id: string) {
  return where.or([
    where("role", "!=", "admin"),
    where("disabled_at", "is not", null),
    where.exists(
      where.selectFrom("users as other").select("other.id").where("other.id", "!=", id)
        .where("other.role", "=", "admin").where("other.disabled_at", "is", null)
        .where("other.password_hash", "!=", ""),
    ),
  ]);
}
