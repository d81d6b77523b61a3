import { sql, type Transaction } from "kysely";
import type { Db } from "../database/open.ts";
import type { Tables } from "../database/tables.ts";
import type { Actor } from "../server.ts";

export interface Act {
  /** subject.verb, such as host.renamed. */
  action: string;
  target?: { kind: string; id: string | null; name: string | null };
  /** Never a secret: what was changed, not what it is. */
  detail?: Record<string, unknown>;
}

/**
 * Writes who did what. Pass the act's own transaction: without the record there is no act. The row is chained to the one
 * before it in this same statement, so that nobody can come in between (audit/chain.ts has the function).
 */
export async function recordAudit(
  db: Db | Transaction<Tables>,
  at: number,
  actor: Actor,
  act: Act,
): Promise<void> {
  const target = act.target ?? { kind: null, id: null, name: null };
  await sql`
    with entry(at, actor_kind, actor_id, actor_name, action, target_kind, target_id, target_name, address, detail) as (
      values (${at}, ${actor.kind}, ${actor.id}, ${actor.name}, ${act.action}, ${target.kind}, ${target.id},
        ${target.name}, ${actor.address}, ${JSON.stringify(act.detail ?? {})})
    ), next(id, mac_before) as (
      select coalesce(max(id), 0) + 1, (select mac from audit order by id desc limit 1) from audit
    )
    insert into audit (id, at, actor_kind, actor_id, actor_name, action, target_kind, target_id, target_name, address,
      detail, mac)
    select id, entry.*, audit_next_mac(mac_before, id, at, actor_kind, actor_id, actor_name, action, target_kind,
      target_id, target_name, address, detail)
    from entry, next`.execute(db);
}
