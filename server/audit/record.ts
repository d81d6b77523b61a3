import type { Transaction } from "kysely";
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

/** Writes who did what. Pass the act's own transaction: without the record there is no act. */
export async function recordAudit(
  db: Db | Transaction<Tables>,
  at: number,
  actor: Actor,
  act: Act,
): Promise<void> {
  await db.insertInto("audit").values({
    at,
    actor_kind: actor.kind,
    actor_id: actor.id,
    actor_name: actor.name,
    address: actor.address,
    action: act.action,
    target_kind: act.target?.kind ?? null,
    target_id: act.target?.id ?? null,
    target_name: act.target?.name ?? null,
    detail: JSON.stringify(act.detail ?? {}),
  }).execute();
}
