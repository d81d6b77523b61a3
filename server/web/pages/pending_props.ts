// Machines that wait for approval, as pages show them.
import type { PendingProps } from "../../../templates/pending/list.tsx";
import { countRejectedKeys, listPendingHosts } from "../../pending_hosts/find.ts";
import type { Server } from "../../server.ts";
import type { Ctx } from "../context.ts";
import { isAdmin } from "./page.ts";

/** A flood of strangers must not push the hosts out of sight. */
const ON_DASHBOARD = 5;

/** What the dashboard shows of them, the live one too. */
export async function pendingProps(server: Server, c: Ctx): Promise<PendingProps> {
  const { items, total } = await listPendingHosts(server, { limit: ON_DASHBOARD, cursor: null });
  return {
    hosts: items,
    total,
    rejected: await countRejectedKeys(server),
    now: server.now(),
    mayDecide: isAdmin(c),
  };
}
