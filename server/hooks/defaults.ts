// The hooks of a host for those of its source groups that have none of their own.
import { z } from "zod";
import { hookText } from "../../shared/fields.ts";
import { HOOK_NAMES } from "../../shared/hooks.ts";
import { recordAudit } from "../audit/record.ts";
import { planChanged, pushChangedPlan } from "../hosts/push.ts";
import type { Actor, Server } from "../server.ts";
import { hostHooks } from "./resolve.ts";
import { changedHook, openHook } from "./seal.ts";

export const DefaultHooksWish = z.strictObject({
  /** Blank or null: none. Absent: as it is. */
  pre_hook_default: hookText.nullable().optional(),
  post_hook_default: hookText.nullable().optional(),
});
export type DefaultHooksWish = z.infer<typeof DefaultHooksWish>;

export interface DefaultHooks {
  pre_hook_default: string | null;
  post_hook_default: string | null;
  /** Those that are stored and do not open any more. */
  unsealable: string[];
}

/** Throws not_found. */
export async function getDefaultHooks(server: Server, hostId: string): Promise<DefaultHooks> {
  const host = await hostHooks(server, hostId);
  const answer: DefaultHooks = { pre_hook_default: null, post_hook_default: null, unsealable: [] };
  for (const name of HOOK_NAMES) {
    const owner = { table: "hosts" as const, row: hostId };
    const text = await openHook(server, owner, name, host[`${name}_default_sealed`]);
    answer[`${name}_default`] = text ?? null;
    if (text === undefined) answer.unsealable.push(`${name}_default`);
  }
  return answer;
}

/** Throws forbidden when somebody else than an admin would change one. */
export async function setDefaultHooks(
  server: Server,
  actor: Actor,
  hostId: string,
  wish: DefaultHooksWish,
): Promise<void> {
  const isChanged = await server.db.transaction().execute(async (tx) => {
    const host = await hostHooks({ db: tx }, hostId);
    const detail: Record<string, string> = {};
    for (const name of HOOK_NAMES) {
      const stored = host[`${name}_default_sealed`];
      const owner = { table: "hosts" as const, row: hostId };
      const change = await changedHook(server, actor, owner, name, stored, wish[`${name}_default`]);
      if (!change) continue;
      await tx.updateTable("hosts").set({ [`${name}_default_sealed`]: change.sealed })
        .where("id", "=", hostId).execute();
      detail[`${name}_default`] = change.sealed ? "set" : "cleared";
    }
    if (Object.keys(detail).length === 0) return false;
    await planChanged(tx, hostId);
    await recordAudit(tx, server.now(), actor, {
      action: "host.default_hook_updated",
      target: { kind: "host", id: hostId, name: host.name },
      detail,
    });
    return true;
  });
  if (isChanged) await pushChangedPlan(server, hostId);
}
