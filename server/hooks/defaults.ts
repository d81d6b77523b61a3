// The hooks of a host for those of its source groups that have none of their own.
import { change } from "../change.ts";
import { z } from "zod";
import { hookStopAtError, hookText } from "../../shared/fields.ts";
import { HOOK_NAMES } from "../../shared/hooks.ts";
import type { Actor, Server } from "../server.ts";
import { hostHooks } from "./resolve.ts";
import { changedHook, openHook, refuseUnlessAdmin } from "./seal.ts";
import type { DefaultHooks } from "../../shared/shapes/hooks.ts";

export const DefaultHooksInput = z.strictObject({
  /** Blank or null: none. Absent: as it is. */
  pre_hook_default: hookText.nullable().optional(),
  post_hook_default: hookText.nullable().optional(),
  hook_stop_at_error_default: hookStopAtError.optional(),
});
export type DefaultHooksInput = z.infer<typeof DefaultHooksInput>;

/** Throws not_found. */
export async function getDefaultHooks(server: Server, hostId: string): Promise<DefaultHooks> {
  const host = await hostHooks(server, hostId);
  const answer: DefaultHooks = {
    pre_hook_default: null,
    post_hook_default: null,
    hook_stop_at_error_default: host.hook_stop_at_error_default === 1,
    cannot_decrypt: [],
  };
  for (const name of HOOK_NAMES) {
    const owner = { table: "hosts" as const, row: hostId };
    const text = await openHook(server, owner, name, host[`${name}_default_sealed`]);
    answer[`${name}_default`] = text ?? null;
    if (text === undefined) answer.cannot_decrypt.push(`${name}_default`);
  }
  return answer;
}

/** Throws forbidden when someone else than an admin would change one. */
export async function setDefaultHooks(
  server: Server,
  actor: Actor,
  hostId: string,
  input: DefaultHooksInput,
): Promise<void> {
  await change(server, actor, async (act) => {
    const { tx, audit, planChanged } = act;
    const host = await hostHooks({ db: tx }, hostId);
    const detail: Record<string, string | boolean> = {};
    for (const name of HOOK_NAMES) {
      const stored = host[`${name}_default_sealed`];
      const owner = { table: "hosts" as const, row: hostId };
      const wanted = input[`${name}_default`];
      const change = await changedHook(act, { owner, name, stored, wanted });
      if (!change) continue;
      await tx.updateTable("hosts").set({ [`${name}_default_sealed`]: change.sealed })
        .where("id", "=", hostId).execute();
      detail[`${name}_default`] = change.sealed ? "set" : "cleared";
    }
    const { hook_stop_at_error_default: stops } = input;
    if (stops !== undefined && stops !== (host.hook_stop_at_error_default === 1)) {
      refuseUnlessAdmin(actor, "hook_stop_at_error_default");
      await tx.updateTable("hosts").set({ hook_stop_at_error_default: stops ? 1 : 0 })
        .where("id", "=", hostId).execute();
      detail.hook_stop_at_error_default = stops;
    }
    if (Object.keys(detail).length === 0) return;
    await planChanged(hostId);
    await audit({
      action: "host.default_hook_updated",
      target: { kind: "host", id: hostId, name: host.name },
      detail,
    });
  });
}
