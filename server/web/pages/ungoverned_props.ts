// Snapshots that no source group governs, as a repository's page shows them.
import type { UngovernedProps } from "../../../templates/repositories/ungoverned.tsx";
import { listUngoverned } from "../../retention/ungoverned.ts";
import type { Server } from "../../server.ts";
import { heirsOf } from "../../source_groups/find.ts";
import type { Ctx } from "../context.ts";
import { isAdmin, mayRun } from "./page.ts";

export async function ungovernedProps(
  server: Server,
  c: Ctx,
  repositoryId: string,
): Promise<UngovernedProps> {
  const { items, listed_at } = await listUngoverned(server, repositoryId);
  const shown = items.slice(0, SHOWN);
  const heirs = await heirsOf(server, repositoryId, shown.map(({ hostname }) => hostname));
  const most = Math.max(10, Math.floor(CHOICES / shown.length));
  return {
    repositoryId,
    csrf: c.get("csrf") ?? "",
    now: server.now(),
    items: shown.map((each) => ({
      ...each,
      groups: [true, false].flatMap((isOwn) =>
        heirs.filter(({ snapshot_host }) => (snapshot_host === each.hostname) === isOwn)
      ).slice(0, most),
    })),
    listed_at,
    mayChange: mayRun(c),
    isAdmin: isAdmin(c),
  };
}

/** Each has forms of its own. */
const SHOWN = 20;

/** On the whole page. */
const CHOICES = 100;
