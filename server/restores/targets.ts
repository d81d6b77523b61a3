// Machines that a restore may go to, as a person may choose them.
import { isBelow } from "../../shared/roots.ts";
import { isRestricted } from "../rights.ts";
import type { Actor, Server } from "../server.ts";
import type { FoundSnapshot } from "../snapshots/get.ts";
import type { TargetHost } from "./rights.ts";

/** So many fit on a page; a script may name any. */
const HOSTS_SHOWN = 300;

/** The snapshot's own first; who is no admin restores to no other. */
export async function listTargetHosts(
  { db, agents }: Server,
  actor: Actor,
  { source }: FoundSnapshot,
): Promise<(TargetHost & { online: boolean })[]> {
  let query = db.selectFrom("hosts").select(["id", "name", "os", "approved_roots", "repository_id"])
    .orderBy("name").limit(HOSTS_SHOWN);
  if (isRestricted(actor)) query = query.where("id", "=", source?.id ?? "");
  const all = (await query.execute()).map((row) => ({
    ...row,
    approved_roots: JSON.parse(row.approved_roots) as string[],
    online: agents.isOnline(row.id),
  }));
  return all.sort((a, b) => Number(b.id === source?.id) - Number(a.id === source?.id));
}

/** Whether a source group of the host backs up what lies there. */
export async function isBackedUp(
  { db }: Server,
  host: Pick<TargetHost, "id" | "os">,
  path: string,
): Promise<boolean> {
  const groups = await db.selectFrom("source_groups").select("includes")
    .where("host_id", "=", host.id).execute();
  return groups.some(({ includes }) => isBelow(path, JSON.parse(includes), host.os));
}
