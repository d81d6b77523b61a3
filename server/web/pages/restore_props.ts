// What the page of a restore shows: which machines may write it, where it would come to lie, and the command by which anybody could do it.
import type { RestorePageProps } from "../../../templates/restores/page.tsx";
import type { Errors } from "../../../templates/parts/field.tsx";
import type { Draft } from "../../restores/drafts.ts";
import { proposedTarget } from "../../restores/rights.ts";
import { isBackedUp, listTargetHosts } from "../../restores/targets.ts";
import type { Server } from "../../server.ts";
import { snapshotFacts } from "../../snapshots/facts.ts";
import { getSnapshot } from "../../snapshots/get.ts";
import { actorOf, type Ctx } from "../context.ts";
import { frameOf, isAdmin } from "./page.ts";

const ITEMS_SHOWN = 60;

export async function restoreProps(
  server: Server,
  c: Ctx,
  draft: Draft,
  errors: Errors,
): Promise<RestorePageProps> {
  const snapshot = await getSnapshot(server, draft.snapshot_id, draft.repository_id);
  const hosts = await listTargetHosts(server, actorOf(c), snapshot);
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
    host: host && {
      id: host.id,
      name: host.name,
      os: host.os,
      online: host.online,
      hasRepository: host.repository_id === snapshot.repository_id,
    },
    proposed,
    isBackedUp: host && path ? await isBackedUp(server, host, path) : false,
    isAdmin: isAdmin(c),
    errors,
  };
}
