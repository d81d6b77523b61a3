// What the page of a restore shows: which machines may write it, where it would come to lie, and the command by which anybody could do it.
import type { RestorePageProps } from "../../../templates/restores/page.tsx";
import type { Errors } from "../../../templates/parts/field.tsx";
import { isBelow } from "../../../shared/roots.ts";
import type { Draft } from "../../restores/drafts.ts";
import { proposedTarget, type TargetHost } from "../../restores/rights.ts";
import type { Server } from "../../server.ts";
import { snapshotFacts } from "../../snapshots/facts.ts";
import { type FoundSnapshot, getSnapshot } from "../../snapshots/get.ts";
import { actorOf, type Ctx } from "../context.ts";
import { frameOf, isAdmin } from "./page.ts";

const HOSTS_SHOWN = 300;
const ITEMS_SHOWN = 60;

export async function restoreProps(
  server: Server,
  c: Ctx,
  draft: Draft,
  errors: Errors,
): Promise<RestorePageProps> {
  const snapshot = await getSnapshot(server, draft.snapshot_id, draft.repository_id);
  const hosts = await hostsFor(server, snapshot, isAdmin(c));
  const host = hosts.find(({ id }) => id === draft.choice.host_id);
  const proposed = host
    ? proposedTarget(actorOf(c), { host, snapshot, now: server.now() })
    : undefined;
  const path = draft.choice.path || proposed;
  return {
    frame: await frameOf(server, c),
    draft: { ...draft, items: draft.items.slice(0, ITEMS_SHOWN), items_count: draft.items.length },
    snapshot: { ...snapshot, ...await snapshotFacts(server, snapshot) },
    hosts: hosts.map(({ id, name, os, online }) => ({ id, name, os, online })),
    host: host && { id: host.id, name: host.name, os: host.os, online: host.online },
    proposed,
    isBackedUp: host && path ? await isBackedUp(server, host, path) : false,
    isAdmin: isAdmin(c),
    errors,
  };
}

/** The snapshot's own first; an operator restores to no other. */
async function hostsFor(
  { db, agents }: Server,
  { source }: FoundSnapshot,
  mayAll: boolean,
): Promise<(TargetHost & { online: boolean })[]> {
  let query = db.selectFrom("hosts").select(["id", "name", "os", "approved_roots"])
    .orderBy("name").limit(HOSTS_SHOWN);
  if (!mayAll) query = query.where("id", "=", source?.id ?? "");
  const rows = await query.execute();
  const all = rows.map((row) => ({
    ...row,
    approved_roots: JSON.parse(row.approved_roots) as string[],
    online: agents.isOnline(row.id),
  }));
  return all.sort((a, b) => Number(b.id === source?.id) - Number(a.id === source?.id));
}

/** What is restored there would be in the next backup too. */
async function isBackedUp({ db }: Server, host: TargetHost, path: string): Promise<boolean> {
  const groups = await db.selectFrom("source_groups").select("includes")
    .where("host_id", "=", host.id).execute();
  return groups.some(({ includes }) => isBelow(path, JSON.parse(includes), host.os));
}
