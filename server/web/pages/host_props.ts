// A host as the templates want it: on the dashboard, on its own page, in a live fragment.
import type { HostRowData } from "../../../templates/dashboard/host_row.tsx";
import type { HostFrameProps, HostView } from "../../../templates/hosts/frame.tsx";
import { jobTitle } from "../../../templates/jobs/words.tsx";
import { backupStrips, type DayOutcome } from "../../hosts/backup_days.ts";
import { isDismissable } from "../../hosts/agent_problems.ts";
import { getHost, type Host } from "../../hosts/find.ts";
import { findJobRow } from "../../jobs/find.ts";
import type { Server } from "../../server.ts";
import { hasPathsToSave } from "../../source_groups/find.ts";
import { pathId } from "../body.ts";
import type { Ctx } from "../context.ts";
import { frameOf, mayRun } from "./page.ts";
import type { HostState } from "../../../shared/shapes/host.ts";
import type { SnapshotLoss } from "../../../shared/shapes/snapshot.ts";

export async function hostRows(server: Server, hosts: Host[]): Promise<HostRowData[]> {
  const strips = await backupStrips(server, hosts.map((host) => host.id));
  return hosts.map((host) => hostRow(host, strips.get(host.id) ?? []));
}

function hostRow(host: Host, days: DayOutcome[]): HostRowData {
  const queued = host.running.filter((job) => job.status === "queued").length;
  return { ...host, runningJob: runningJob(host), queued, days };
}

/** What runs, as far as is known: not what ran when the connection went away. */
function runningJob(host: Host) {
  return host.online ? host.running.find((job) => job.status === "running") ?? null : null;
}

const STATE_WORDS: Record<HostState, string> = {
  ok: "backed up",
  warn: "needs a look",
  bad: "needs you",
  run: "running",
  off: "offline",
};

/** The host with what its pages work out of it; what they show of the host itself, HostView says. */
export async function hostView(server: Server, hostId: string): Promise<Host & HostView> {
  const host = await getHost(server, hostId);
  const [strips, hasPaths, repositoryJob] = await Promise.all([
    backupStrips(server, [hostId]),
    hasPathsToSave(server, hostId),
    host.repository_job_id ? findJobRow(server, host.repository_job_id) : undefined,
  ]);
  return {
    ...host,
    stateWord: STATE_WORDS[host.state],
    runningJobId: runningJob(host)?.id ?? null,
    hasPaths,
    repositoryReason: repositoryJob?.reason ?? null,
    mayDismissProblems: host.agent_problems.some(isDismissable),
    days: strips.get(hostId) ?? [],
  };
}

/** The title of a job of this host, as plain text. */
export function titleOn(host: Host, job: Host["running"][number]): string {
  return jobTitle({ ...job, host_name: host.name, repositoryName: host.repository_name });
}

export async function hostFrame(
  server: Server,
  c: Ctx,
): Promise<HostFrameProps & { host: Host }> {
  const host = await hostView(server, pathId(c, "id"));
  return { frame: await frameOf(server, c), host, mayRun: mayRun(c) };
}

/** What is older than a month is no news. */
export function lossesOf(
  { losses }: { losses: SnapshotLoss[] },
  now: number,
) {
  const since = now - 30 * 86_400_000;
  return losses.filter((loss) => loss.noticed_at > since);
}
