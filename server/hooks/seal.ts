// Hooks as they are stored: sealed, each bound to its row and column, since their text often holds secrets.
import type { HookName } from "../../shared/hooks.ts";
import type { Change } from "../change.ts";
import { AppError } from "../errors.ts";
import type { Actor, Server } from "../server.ts";

/** Whose hook it is: a source group's own, or a host's default one. */
export type HookOwner = { table: "source_groups" | "hosts"; row: string };

export const COLUMNS = {
  source_groups: { pre_hook: "pre_hook", post_hook: "post_hook" },
  hosts: { pre_hook: "pre_hook_default", post_hook: "post_hook_default" },
} as const;

const place = ({ table, row }: HookOwner, name: HookName) => ({
  table,
  row,
  column: COLUMNS[table][name],
});

/** undefined when it does not open: sealed with another key, or moved from another row. null when there is none. */
export async function openHook(
  server: Server,
  owner: HookOwner,
  name: HookName,
  sealed: Uint8Array | null,
): Promise<string | null | undefined> {
  if (!sealed) return null;
  try {
    return await server.secrets.open(sealed, place(owner, name));
  } catch (error) {
    server.log.error(`${name} of ${owner.table} ${owner.row}: ${(error as Error).message}`);
    return undefined;
  }
}

/**
 * What to store for a hook, or undefined when it stays as it is: blank and null clear it, absent keeps it. Throws
 * forbidden when someone else than an admin would change it.
 */
export async function changedHook(
  { server, actor }: Pick<Change, "server" | "actor">,
  { owner, name, stored, wanted }: {
    owner: HookOwner;
    name: HookName;
    stored: Uint8Array | null;
    wanted: string | null | undefined;
  },
): Promise<{ sealed: Uint8Array | null } | undefined> {
  if (wanted === undefined) return undefined;
  const text = wanted?.trim() ? wanted : null;
  const before = await openHook(server, owner, name, stored);
  // A form shows one that does not open as blank: that is no word to clear it.
  if (before === text || before === undefined && wanted !== null && text === null) return undefined;
  refuseUnlessAdmin(actor, COLUMNS[owner.table][name]);
  return { sealed: text === null ? null : await server.secrets.seal(text, place(owner, name)) };
}

/** A hook runs with all rights on its host: anyone who may edit it is root there. */
export function refuseUnlessAdmin(actor: Actor, field: string): void {
  if (actor.role === "admin") return;
  throw new AppError(
    "forbidden",
    `${field} may only be changed by an admin; leave it out to keep it as it is.`,
    field,
  );
}
