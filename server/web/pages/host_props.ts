// A host as the templates want it: on the dashboard, on its own page, in a live fragment.
import type { HostRowData } from "../../../templates/dashboard/host_row.tsx";
import type { AttentionItem } from "../../../templates/dashboard/page.tsx";
import type { HostFrameProps, HostView } from "../../../templates/hosts/frame.tsx";
import { jobTitle } from "../../../templates/jobs/words.tsx";
import { backupStrips, type DayOutcome } from "../../hosts/backup_days.ts";
import { isDismissable } from "../../hosts/agent_problems.ts";
import { getHost, type Host } from "../../hosts/find.ts";
import type { FleetSummary } from "../../hosts/fleet.ts";
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
  const running = runningJob(host);
  return {
    id: host.id,
    name: host.name,
    os: host.os,
    tags: host.tags,
    state: host.state,
    isOnline: host.online,
    lastSeenAt: host.last_seen_at,
    lastBackup: host.last_backup,
    running: running && { jobId: running.id, kind: running.kind, progress: running.progress },
    queued: host.running.filter((job) => job.status === "queued").length,
    days,
    sizeBytes: host.repository_size,
    snapshots: host.snapshots_count,
    schedule: host.schedule &&
      { nextRunAt: host.next_run_at, lastRun: host.schedule.last_run },
  };
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

export async function hostView(server: Server, hostId: string): Promise<HostView> {
  const host = await getHost(server, hostId);
  const [strips, hasPaths, repositoryJob] = await Promise.all([
    backupStrips(server, [hostId]),
    hasPathsToSave(server, hostId),
    host.repository_job_id ? findJobRow(server, host.repository_job_id) : undefined,
  ]);
  const running = runningJob(host);
  return {
    id: host.id,
    name: host.name,
    state: host.state,
    stateWord: STATE_WORDS[host.state],
    problems: host.problems,
    tags: host.tags,
    os: host.os,
    arch: host.arch,
    hostname: host.hostname,
    hostnameWarning: host.hostname_warning,
    brakes: host.brakes,
    isOnline: host.online,
    lastSeenAt: host.last_seen_at,
    lastBackup: host.last_backup,
    running: running && { jobId: running.id, title: titleOn(host, running) },
    nextRunAt: host.next_run_at,
    isOnHold: host.on_hold_since !== null,
    isDoubted: host.doubted_since !== null,
    hasPaths,
    repository: {
      id: host.repository_id,
      name: host.repository_name,
      state: REPOSITORY_STATES[host.repository_state],
      readyAt: host.repository_ready_at,
      jobId: host.repository_job_id,
      reason: repositoryJob?.reason ?? null,
    },
    agentVersion: host.agent_version,
    resticVersion: host.restic_version,
    resticProblem: host.restic_problem,
    agentProblems: host.agent_problems,
    mayDismissProblems: host.agent_problems.some(isDismissable),
    days: strips.get(hostId) ?? [],
  };
}

const REPOSITORY_STATES = {
  ready: "ready",
  working: "opening",
  failed: "failed",
  none: "waiting",
} as const;

/** The title of a job of this host, as plain text. */
export function titleOn(host: Host, job: Host["running"][number]): string {
  return jobTitle({ ...job, host_name: host.name, repositoryName: host.repository_name });
}

export function attentionItems(summary: FleetSummary): AttentionItem[] {
  return summary.worst.map((host) => ({
    host: { id: host.id, name: host.name },
    state: host.state as HostState,
    problems: host.problems,
    causeJobId: host.job_id ?? undefined,
  }));
}

export async function hostFrame(server: Server, c: Ctx): Promise<HostFrameProps> {
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
