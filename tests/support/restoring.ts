// A real agent with a snapshot of a folder, and what it restores of it.
import assert from "node:assert/strict";
import { join } from "node:path";
import type { RestoreOrder } from "../../shared/job_kinds/restore.ts";
import { backingUp } from "./backing_up.ts";
import type { RealRestic } from "./restic.ts";
import { order } from "./start_agent.ts";

export type More = Partial<Omit<RestoreOrder, "target" | "snapshot" | "items">>;

/** A backup of `fill`, and a function that restores of it. */
export async function saved(restic: RealRestic, fill: (source: string) => void) {
  await using stack = new AsyncDisposableStack();
  const all = stack.use(await backingUp(restic));
  fill(all.source);
  const end = await all.run({ source_group: order([all.source]) });
  assert.equal(end.status, "succeeded", end.reason ?? "");
  const snapshot = end.summary!.snapshot_id!;
  const target = join(all.folder, "restored");
  const orderOf = (
    items: string[],
    to: RestoreOrder["target"] = { kind: "folder", path: target },
    more: More = {},
  ): RestoreOrder => ({
    snapshot,
    items,
    target: to,
    overwrite: "always",
    dry_run: false,
    verify: false,
    undo: false,
    within: null,
    ...more,
  });
  const restore = async (
    items: string[],
    to: RestoreOrder["target"] = { kind: "folder", path: target },
    more: More = {},
  ) => await all.run({ kind: "restore", restore: orderOf(items, to, more) });
  return Object.assign(stack.move(), { all, snapshot, target, orderOf, restore });
}

/** What a script prints, byte by byte. */
export function sh(script: string, ...args: string[]): string {
  const { code, stdout, stderr } = new Deno.Command("/bin/sh", {
    args: ["-ec", script, "sh", ...args],
  }).outputSync();
  const decode = (bytes: Uint8Array) => new TextDecoder("latin1").decode(bytes);
  assert.equal(code, 0, decode(stderr));
  return decode(stdout);
}

/** Every entry below with its type, mode, owner, time, size, target of a link and sum of its bytes. */
export function listed(folder: string): string {
  return sh(
    `cd "$1"; export LC_ALL=C; find . -printf '%P\\t%y %m %U:%G %T@ %s %l %n\\n' | sed -e 's/^\\t.*//' | sort; find . -type f -exec sha256sum {} + | sort`,
    folder,
  ).replaceAll(/(\td \S+ \S+ \S+ )\d+/g, "$1");
}
