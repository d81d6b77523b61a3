// Which hooks are in force for a source group: its own, else the host's default, each hook by itself.
import type { Selectable } from "kysely";
import { DEFAULT_HOOK_TIMEOUT_SECONDS, HOOK_NAMES, type HookName } from "../../shared/hooks.ts";
import type { KindOrder } from "../jobs/kind.ts";
import type { HostsTable, SourceGroupsTable } from "../database/tables.ts";
import { AppError } from "../errors.ts";
import type { Server } from "../server.ts";
import { type HookOwner, openHook } from "./seal.ts";
import type { Hooks } from "../../shared/hook_order.ts";

export type HostHooks = Pick<
  Selectable<HostsTable>,
  "id" | "pre_hook_default_sealed" | "post_hook_default_sealed" | "hook_stop_at_error_default"
>;
export type GroupHooks = Pick<
  Selectable<SourceGroupsTable>,
  "id" | "pre_hook_sealed" | "post_hook_sealed" | "hook_timeout_seconds" | "hook_stop_at_error"
>;

export interface HookInForce {
  from: "group" | "host";
  /** undefined when it cannot be decrypted. */
  text: string | undefined;
  /** It ends at the first step that fails; anyone who owns the hook owns this too. */
  stopsAtError: boolean;
}

/** null where neither the group nor the host has one. */
export async function hookInForce(
  server: Server,
  host: HostHooks,
  group: GroupHooks | null,
  name: HookName,
): Promise<HookInForce | null> {
  const own = group?.[`${name}_sealed`] ?? null;
  const sealed = own ?? host[`${name}_default_sealed`];
  if (!sealed) return null;
  const owner: HookOwner = own
    ? { table: "source_groups", row: group!.id }
    : { table: "hosts", row: host.id };
  const text = await openHook(server, owner, name, sealed);
  const stops = own ? group!.hook_stop_at_error : host.hook_stop_at_error_default;
  return { from: own ? "group" : "host", text: text ?? undefined, stopsAtError: stops === 1 };
}

/** For the agent. undefined when there is no hook at all. */
export async function hooksFor(
  server: Server,
  host: HostHooks,
  group: GroupHooks | null,
  timeoutSeconds: number,
): Promise<Hooks | undefined> {
  const hooks: Hooks = { timeout_seconds: timeoutSeconds };
  for (const name of HOOK_NAMES) {
    const hook = await hookInForce(server, host, group, name);
    if (hook) addHook(hooks, name, hook);
  }
  return hooks.pre_hook || hooks.post_hook || hooks.cannot_decrypt ? hooks : undefined;
}

function addHook(hooks: Hooks, name: HookName, { text, stopsAtError }: HookInForce): void {
  if (text === undefined) hooks.cannot_decrypt = name;
  else {
    hooks[name] = text;
    if (stopsAtError) hooks.stop_at_error = [...hooks.stop_at_error ?? [], name];
  }
}

/** Throws not_found. */
export async function hostHooks(
  { db }: Pick<Server, "db">,
  hostId: string,
): Promise<HostHooks & { name: string }> {
  const host = await db.selectFrom("hosts")
    .select([
      "id",
      "name",
      "pre_hook_default_sealed",
      "post_hook_default_sealed",
      "hook_stop_at_error_default",
    ])
    .where("id", "=", hostId).executeTakeFirst();
  if (!host) throw new AppError("not_found", "There is no such host.");
  return host;
}

/** For the order of such a job. Throws when the group is gone meanwhile. */
export async function hookToTry(
  server: Server,
  job: { host_id: string; source_group_id: string | null; source_group_name: string | null },
  name: HookName,
): Promise<NonNullable<KindOrder<"hook">["hook"]>> {
  const host = await hostHooks(server, job.host_id);
  const group = job.source_group_id
    ? await server.db.selectFrom("source_groups").selectAll().where("id", "=", job.source_group_id)
      .executeTakeFirstOrThrow(() => new Error("its source group was removed."))
    : null;
  const hook = await hookInForce(server, host, group, name);
  if (!hook) throw new Error("the hook was removed.");
  const hooks: Hooks = {
    timeout_seconds: group?.hook_timeout_seconds ?? DEFAULT_HOOK_TIMEOUT_SECONDS,
  };
  addHook(hooks, name, hook);
  return { name, hooks, source_group_name: job.source_group_name };
}
