// A host: its frame and its settings.
import { problem } from "../../../shared/problems.ts";
import type { HostFrameProps, HostView } from "../../../templates/hosts/frame.tsx";
import { HostJobsPage } from "../../../templates/hosts/jobs.tsx";
import { HostSettingsPage } from "../../../templates/hosts/settings.tsx";
import { SnapshotsPage } from "../../../templates/hosts/snapshots.tsx";
import type { Role } from "../../../shared/shapes/user.ts";
import {
  backupProblem,
  CHOICES,
  DAY,
  days,
  frame,
  HOSTILE,
  HOUR,
  id,
  LONG,
  MINUTE,
  NOW,
  type Pages,
  RTL,
} from "./common.ts";
import { snapshots } from "./snapshots.tsx";
import { jobRows } from "./jobs.tsx";

export const hostView = (changes: Partial<HostView> = {}): HostView => ({
  id: id(4),
  name: "web-01",
  state: "ok",
  stateWord: "backed up",
  problems: [],
  tags: ["berlin", "web"],
  os: "linux",
  arch: "amd64",
  hostname: "web-01.example.org",
  snapshot_host: "web-01",
  hostname_warning: null,
  brakes: null,
  online: true,
  last_seen_at: NOW - 12_000,
  last_backup: { job_id: id(1004), at: NOW - 8 * MINUTE, status: "succeeded", warnings: 0 },
  runningJobId: null,
  next_run_at: null,
  on_hold_since: null,
  doubted_since: null,
  time_zone: "Europe/Berlin",
  plan_version: 3,
  applied_plan_version: 3,
  hasPaths: true,
  repository_id: id(70),
  repository_name: "office nas",
  repository_state: "ready",
  repository_ready_at: NOW - 3 * DAY,
  repository_job_id: id(900),
  repositoryReason: null,
  snapshots_count: 31,
  snapshots_cut: 0,
  agent_version: "0.1.0",
  restic_version: "0.18.0",
  restic_problem: null,
  agent_problems: [],
  mayDismissProblems: false,
  days: days(2),
  ...changes,
});

export const NEW_HOST = hostView({
  name: "fresh",
  state: "off",
  stateWord: "no backup yet",
  tags: [],
  last_backup: null,
  days: days(4),
});

export const BROKEN_HOST = hostView({
  agent_problems: [{ text: HOSTILE, received_at: NOW }, { text: LONG, received_at: NOW - DAY }],
  mayDismissProblems: true,
  hostname: "w\u0435b-01",
  hostname_warning: "must not mix scripts (Latin and Cyrillic: \u0435 U+0435)",
  brakes: {
    allow_hooks: false,
    allow_restore_in_place: false,
    roots: ["/home", HOSTILE, LONG],
    repositories: [],
  },
  name: HOSTILE,
  tags: [HOSTILE, LONG, RTL, "ok"],
  state: "bad",
  stateWord: "needs you",
  problems: [
    problem("init_failed", NOW - 4 * DAY, { job_id: id(1005) }),
    backupProblem("backup_failed", HOSTILE, null),
    problem("lease_not_ended", NOW - DAY, {
      job_id: id(1),
      kind: HOSTILE,
      host_id: id(2),
      host_name: HOSTILE,
    }),
    problem("host_offline", NOW - 3 * DAY, { last_seen_at: NOW - 3 * DAY }),
  ],
  online: false,
  last_seen_at: NOW - 3 * DAY,
  last_backup: { job_id: id(1004), at: NOW - 4 * DAY, status: "failed", warnings: 0 },
  repository_name: HOSTILE,
  repository_state: "failed",
  repository_ready_at: null,
  repositoryReason: `Wrong password for the repository. ${HOSTILE}`,
  agent_version: HOSTILE,
  restic_version: null,
  restic_problem: "looked for restic in /usr/bin and /usr/local/bin",
  days: days(1),
});

export const hostProps = (host: HostView, role: Role = "admin"): HostFrameProps => ({
  frame: frame({ role }),
  host,
  mayRun: role !== "viewer",
});

export const hostPages: Pages = {
  "host-on-hold": () => (
    <SnapshotsPage
      {...hostProps(hostView({
        state: "warn",
        stateWord: "needs a look",
        on_hold_since: NOW - DAY,
        snapshots_count: 2,
        problems: [problem("on_hold", NOW - DAY, {})],
      }))}
      snapshots={snapshots(2)}
      days={[]}
      unlisted={[]}
      refreshed_at={NOW - 8 * MINUTE}
      losses={[]}
      nextCursor={null}
      isFirstPage
    />
  ),
  "host-jobs": () => (
    <HostJobsPage {...hostProps(hostView())} jobs={jobRows(12)} nextCursor="x" isFirstPage />
  ),
  "host-jobs-none": () => (
    <HostJobsPage {...hostProps(NEW_HOST)} jobs={[]} nextCursor={null} isFirstPage />
  ),
  "host-settings": () => (
    <HostSettingsPage
      {...hostProps(hostView())}
      values={{
        name: "web-01",
        tags: "berlin web",
        time_zone: "Europe/Berlin",
        repository_id: id(70),
      }}
      errors={{}}
      repositories={CHOICES}
      approvals={{
        roots: `/home\n/srv/${LONG}`,
        repositories: [
          { id: id(70), name: "office nas", isApproved: true, isBound: true },
          { id: id(71), name: HOSTILE, isApproved: true, isBound: false },
          { id: id(72), name: LONG, isApproved: false, isBound: false },
        ],
        hiddenRepositories: 31,
        mayChange: true,
        errors: { approved_roots: "line 2 must be an absolute path such as /home" },
      }}
      machines={[
        {
          id: "1".repeat(16),
          hostname: "web-01",
          os: "linux",
          arch: "amd64",
          agent_version: "0.1.0",
          address: "192.0.2.7",
          boot_time: NOW - 3 * DAY,
          first_seen_at: NOW - 3 * DAY,
          last_seen_at: NOW - MINUTE,
          connected: true,
        },
        {
          id: "2".repeat(16),
          hostname: HOSTILE,
          os: LONG,
          arch: HOSTILE,
          agent_version: "0.1.0",
          address: null,
          boot_time: null,
          first_seen_at: NOW - HOUR,
          last_seen_at: NOW - 2 * MINUTE,
          connected: false,
        },
      ]}
      mayDelete
      deleteErrors={{ confirm_name: "confirm_name must be web-01" }}
    />
  ),
};
