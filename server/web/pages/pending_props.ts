// Machines that wait for approval, as pages show them.
import type { PendingHostView, PendingProps } from "../../../templates/pending/list.tsx";
import { countRejectedKeys, listPendingHosts } from "../../pending_hosts/find.ts";
import type { Server } from "../../server.ts";
import type { Ctx } from "../context.ts";
import { isAdmin } from "./page.ts";
import type { PendingHost } from "../../../shared/shapes/pending_host.ts";

/** A flood of strangers must not push the hosts out of sight. */
const ON_DASHBOARD = 5;

/** What the dashboard shows of them, the live one too. */
export async function pendingProps(server: Server, c: Ctx): Promise<PendingProps> {
  const { items, total } = await listPendingHosts(server, { limit: ON_DASHBOARD, cursor: null });
  return {
    hosts: items.map(pendingHostView),
    total,
    rejected: await countRejectedKeys(server),
    now: server.now(),
    mayDecide: isAdmin(c),
  };
}

export function pendingHostView(host: PendingHost): PendingHostView {
  return {
    id: host.id,
    hostname: host.hostname,
    os: host.os,
    arch: host.arch,
    agentVersion: host.agent_version,
    resticVersion: host.restic_version,
    fingerprint: host.fingerprint,
    address: host.announced_from_ip,
    firstSeenAt: host.first_seen_at,
    provenAt: host.proven_at,
    isConnected: host.connected,
    hasCollision: host.hostname_collision,
    looksLike: host.looks_like,
    nameWarning: host.name_warning,
    isPlainHttp: host.plain_http,
    revision: host.revision,
  };
}
