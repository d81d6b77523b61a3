// Invented data for the gallery and the page tests: none, a little, a lot, and what an enemy would send.
import type { Child } from "hono/jsx";
import type { JobStatus, Progress } from "../../shared/job.ts";
import { problem } from "../../shared/problems.ts";
import { AccountPage } from "../../templates/account/page.tsx";
import { AuditPage } from "../../templates/audit/page.tsx";
import type { HostRowData } from "../../templates/dashboard/host_row.tsx";
import { DashboardPage, type DashboardProps } from "../../templates/dashboard/page.tsx";
import { LoginPage } from "../../templates/entry/login.tsx";
import { SetupPage } from "../../templates/entry/setup.tsx";
import { ErrorPage, NotFoundPage } from "../../templates/errors/page.tsx";
import { AddHostPage, type AddHostProps } from "../../templates/hosts/add.tsx";
import { AddHostDonePage } from "../../templates/hosts/add_done.tsx";
import type { HostFrameProps, HostView } from "../../templates/hosts/frame.tsx";
import { HostJobsPage } from "../../templates/hosts/jobs.tsx";
import { HostRepositoryPage } from "../../templates/hosts/repository.tsx";
import { HostSettingsPage } from "../../templates/hosts/settings.tsx";
import { ScheduleFormPage } from "../../templates/hosts/schedule_form.tsx";
import { SchedulesPage } from "../../templates/hosts/schedules.tsx";
import { SnapshotsPage } from "../../templates/hosts/snapshots.tsx";
import {
  SourceFormPage,
  type SourceFormProps,
  type SourceFormValues,
} from "../../templates/hosts/source_form.tsx";
import { SourcesPage } from "../../templates/hosts/sources.tsx";
import { JobListPage, type JobRowData } from "../../templates/jobs/list.tsx";
import type { LogLine } from "../../templates/jobs/log.tsx";
import { JobPage } from "../../templates/jobs/page.tsx";
import type { Fleet, FrameProps, Role } from "../../templates/layout.tsx";
import type { DayState } from "../../templates/parts/strip.tsx";
import { AcceptedPage, AcceptPage, type AcceptProps } from "../../templates/pending/accept.tsx";
import type { PendingHostView, PendingProps } from "../../templates/pending/list.tsx";
import { PendingPage, type RejectedKeyView } from "../../templates/pending/page.tsx";
import { NO_CONNECTION } from "../../templates/repositories/connection_fields.tsx";
import { RepositoryFormPage } from "../../templates/repositories/form.tsx";
import { RepositoryListPage } from "../../templates/repositories/list.tsx";
import type { UngovernedProps } from "../../templates/repositories/ungoverned.tsx";
import { RepositoryPage, type RepositoryView } from "../../templates/repositories/page.tsx";
import type {
  MaintenanceProps,
  MaintenanceTask,
} from "../../templates/repositories/maintenance.tsx";
import type { JobView } from "../../templates/jobs/view.ts";

export const NOW = Date.UTC(2026, 10, 22, 3, 12, 45);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const GIB = 2 ** 30;

export const HOSTILE = `<script>alert(1)</script>"'&\u202Egnp.exe\u001b[31mred ${"x".repeat(150)}`;
const LONG = `${"very-long-host-name-".repeat(10)}01`.slice(0, 200);
const RTL = "خادم-النسخ-الاحتياطي";

const id = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`;

export function frame(changes: Partial<FrameProps> & { role?: Role } = {}): FrameProps {
  return {
    user: { username: "alice", role: changes.role ?? "admin" },
    theme: "auto",
    fleet: fleet(41, 2),
    csrf: "q3Yb0T0k-example-token-7cXk1mJd8sWnZ4fRv2LpAe6H",
    now: NOW,
    ...changes,
  };
}
const fleet = (ok: number, attention: number, running = 1, offline = 1): Fleet => ({
  ok,
  attention,
  running,
  offline,
  total: ok + attention + running + offline,
});
const NOBODY: FrameProps = { ...frame(), user: null, fleet: fleet(0, 0, 0, 0) };

const progress = (percent: number): Progress => ({
  percent,
  files_done: 12_345,
  files_total: 20_104,
  bytes_done: (percent / 100) * 2 * GIB,
  bytes_total: 2 * GIB,
  bytes_per_second: 41.3 * 2 ** 20,
  seconds_elapsed: 31,
  seconds_remaining: 18,
  current_path:
    "/srv/projects/customers/2026/a rather long folder/name with spaces/and more/report final v2 (copy).pdf",
});

function days(kind: number): DayState[] {
  if (kind > 4) return Array(30).fill("ok").with(kind, "bad");
  return Array.from(
    { length: 30 },
    (_, i) =>
      kind === 4
        ? "none"
        : (i * 7 + kind) % 23 === 0
        ? "bad"
        : (i + kind) % 17 === 0
        ? "warn"
        : (i + kind) % 11 === 0
        ? "none"
        : "ok",
  );
}

function hostRow(n: number, name: string, changes: Partial<HostRowData> = {}): HostRowData {
  return {
    id: id(n),
    name,
    os: n % 5 === 0 ? "windows" : "linux",
    tags: n % 3 === 0 ? ["berlin", "database"] : n % 3 === 1 ? ["web"] : [],
    state: "ok",
    isOnline: true,
    lastSeenAt: NOW - 20_000,
    lastBackup: { jobId: id(1000 + n), at: NOW - n * 8 * MINUTE, status: "succeeded", warnings: 0 },
    running: null,
    queued: 0,
    days: days(n % 9),
    sizeBytes: n * 3.7 * GIB,
    snapshots: 20 + n * 3,
    schedule: {
      nextRunAt: NOW + (n % 70) * 3 * HOUR,
      lastRun: { jobId: id(1000 + n), at: NOW - n * 8 * MINUTE, status: "succeeded", warnings: 0 },
    },
    ...changes,
  };
}

const FEW: HostRowData[] = [
  hostRow(1, "db-02", {
    state: "bad",
    lastBackup: { jobId: id(1001), at: NOW - 26 * HOUR, status: "failed", warnings: 0 },
    days: days(1),
  }),
  hostRow(2, "mail-01", {
    state: "warn",
    lastBackup: { jobId: id(1002), at: NOW - 2 * HOUR, status: "succeeded", warnings: 3 },
  }),
  hostRow(3, "nas", {
    state: "run",
    running: { jobId: id(1003), kind: "backup", progress: progress(62) },
  }),
  hostRow(4, "web-01", {
    schedule: {
      nextRunAt: NOW + 5 * HOUR,
      lastRun: { jobId: id(1), at: NOW - 8 * HOUR, status: "succeeded", warnings: 0 },
    },
  }),
  hostRow(5, "pc-leo", { state: "off", isOnline: false, lastSeenAt: NOW - 3 * DAY, os: "windows" }),
  hostRow(6, "fresh", {
    state: "off",
    lastBackup: null,
    days: days(4),
    sizeBytes: null,
    snapshots: null,
    tags: [],
  }),
];
const MANY: HostRowData[] = [
  hostRow(1, HOSTILE, { state: "bad", tags: [HOSTILE, LONG] }),
  hostRow(2, LONG, { state: "warn" }),
  hostRow(3, RTL),
  hostRow(4, "init-only", {
    state: "run",
    running: { jobId: id(1), kind: "init", progress: null },
    queued: 2,
  }),
  ...Array.from(
    { length: 32 },
    (_, i) => hostRow(i + 5, `web-${String(i).padStart(3, "0")}.example.org`),
  ),
];

const fingerprint = (n: number) => `SHA256:${`3f9a11c077de0b4${n % 10}`.repeat(4)}`;
const waiting = (n: number, changes: Partial<PendingHostView> = {}): PendingHostView => ({
  id: id(300 + n),
  hostname: `pc-${n}`,
  os: "windows",
  arch: "x86_64",
  agentVersion: "0.1.0",
  resticVersion: "0.18.0",
  fingerprint: fingerprint(n),
  address: `203.0.113.${n}`,
  firstSeenAt: NOW - n * 12_000,
  provenAt: NOW - 5000,
  isConnected: true,
  hasCollision: false,
  looksLike: null,
  nameWarning: null,
  isPlainHttp: false,
  revision: 1,
  ...changes,
});
const WAITING: PendingHostView[] = [
  waiting(1, { hostname: "pc-anna" }),
  waiting(2, {
    hostname: "w\u0435b-01",
    os: "linux",
    hasCollision: true,
    isConnected: false,
    looksLike: "web-01",
    nameWarning: "mixes scripts (Latin and Cyrillic: \u0435 U+0435)",
    isPlainHttp: true,
  }),
  waiting(3, {
    hostname: HOSTILE,
    os: HOSTILE,
    arch: HOSTILE,
    agentVersion: HOSTILE,
    resticVersion: null,
    address: "2001:db8:1234:5678:9abc:def0:1234:5678",
    provenAt: null,
    isConnected: false,
    hasCollision: true,
    looksLike: LONG,
    nameWarning: HOSTILE,
  }),
  waiting(4, { hostname: RTL }),
  waiting(5, { hostname: LONG }),
];
const REJECTED: RejectedKeyView[] = [
  {
    id: id(320),
    hostname: "pc-leo",
    fingerprint: fingerprint(7),
    rejectedBy: "alice",
    until: NOW + DAY,
  },
  {
    id: id(321),
    hostname: HOSTILE,
    fingerprint: fingerprint(8),
    rejectedBy: HOSTILE,
    until: NOW + HOUR,
  },
];
const pending = (changes: Partial<PendingProps> = {}): PendingProps => ({
  hosts: WAITING.slice(0, 2),
  total: 2,
  rejected: 0,
  now: NOW,
  mayDecide: true,
  ...changes,
});

const accept = (changes: Partial<AcceptProps> = {}): AcceptProps => ({
  frame: frame(),
  host: waiting(1, { hostname: "pc-anna" }),
  values: {
    name: "pc-anna",
    join_as: "new",
    host_id: "",
    tags: "",
    initial_paths: "",
    may_hold_admin_credential: true,
    repository_choice: "existing",
    repository_id: id(71),
    repository: NO_CONNECTION,
  },
  errors: {},
  awayHosts: [{ id: id(4), name: "web-01" }, { id: id(5), name: LONG }],
  repositories: CHOICES,
  ...changes,
});

function dashboard(changes: Partial<DashboardProps>): DashboardProps {
  return {
    frame: frame(),
    attention: [],
    oldest: null,
    pending: pending({ hosts: [], total: 0 }),
    hosts: FEW,
    matching: 45,
    page: 1,
    pages: 1,
    tags: ["berlin", "database", "web"],
    filter: { q: "", state: "all", tag: "", sort: "worst" },
    mayRun: true,
    mayAdd: true,
    ...changes,
  };
}
const backupProblem = (
  code: "backup_failed" | "backup_warnings",
  reason: string,
  reason_code: string | null,
) => problem(code, NOW - DAY, { job_id: id(1001), reason, reason_code, warnings: 3 });

const ATTENTION: DashboardProps["attention"] = [
  {
    host: { id: id(1), name: "db-02" },
    state: "bad",
    problems: [
      problem("backup_overdue", NOW - HOUR, { last_success_at: NOW - 27 * HOUR, hours: 27 }),
      backupProblem("backup_failed", "The repository is locked by PID 7 on host web-01.", "locked"),
    ],
    causeJobId: id(1001),
  },
  {
    host: { id: id(2), name: "mail-01" },
    state: "warn",
    problems: [
      backupProblem("backup_warnings", "3 files or folders could not be read.", "warnings"),
    ],
    causeJobId: id(1002),
  },
];

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
  hostnameWarning: null,
  brakes: null,
  isOnline: true,
  lastSeenAt: NOW - 12_000,
  lastBackup: { jobId: id(1004), at: NOW - 8 * MINUTE, status: "succeeded", warnings: 0 },
  running: null,
  nextRunAt: null,
  isOnHold: false,
  isDoubted: false,
  hasPaths: true,
  repository: {
    id: id(70),
    name: "office nas",
    state: "ready",
    readyAt: NOW - 3 * DAY,
    jobId: id(900),
    reason: null,
  },
  agentVersion: "0.1.0",
  resticVersion: "0.18.0",
  resticProblem: null,
  agentProblems: [],
  mayDismissProblems: false,
  days: days(2),
  ...changes,
});
const NEW_HOST = hostView({
  name: "fresh",
  state: "off",
  stateWord: "no backup yet",
  tags: [],
  lastBackup: null,
  days: days(4),
});
const BROKEN_HOST = hostView({
  agentProblems: [{ text: HOSTILE, receivedAt: NOW }, { text: LONG, receivedAt: NOW - DAY }],
  mayDismissProblems: true,
  hostname: "w\u0435b-01",
  hostnameWarning: "must not mix scripts (Latin and Cyrillic: \u0435 U+0435)",
  brakes: {
    allowsHooks: false,
    allowsRestoreInPlace: false,
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
  isOnline: false,
  lastSeenAt: NOW - 3 * DAY,
  lastBackup: { jobId: id(1004), at: NOW - 4 * DAY, status: "failed", warnings: 0 },
  repository: {
    id: id(70),
    name: HOSTILE,
    state: "failed",
    readyAt: null,
    jobId: id(900),
    reason: `Wrong password for the repository. ${HOSTILE}`,
  },
  agentVersion: HOSTILE,
  resticVersion: null,
  resticProblem: "looked for restic in /usr/bin and /usr/local/bin",
  days: days(1),
});
const hostProps = (host: HostView, role: Role = "admin"): HostFrameProps => ({
  frame: frame({ role }),
  host,
  mayRun: role !== "viewer",
});

const snapshots = (n: number, paths = ["/etc", "/home", "/var/www"], tag = "default") =>
  Array.from({ length: n }, (_, i) => ({
    id: (0x1a2b3c4d + i * 7_654_321).toString(16).padStart(8, "0").slice(-8).repeat(8),
    time: NOW - i * 7.3 * HOUR,
    tags: [tag],
    paths,
    hostname: "web-01",
    username: "root",
    parent: null,
    files: i % 4 === 3 ? null : 20_104 + i,
    bytes: i % 4 === 3 ? null : 2 * GIB + i * 1e6,
    bytes_added: i % 4 === 3 ? null : 12e6 * (i + 1),
    job_id: i === 2 ? null : id(1000 + i),
    ours: i !== 2 && i !== 4,
    withheld: i === 4,
  }));

const GROUP = {
  id: id(50),
  name: "default",
  includes: ["/etc", "/home", "/var/www"],
  excludes: ["*.tmp", "/home/*/.cache"],
  snapshotTag: "system",
  warnings: ["The exclude pattern /var/cache can match nothing: it lies in none of the paths."],
  retention: { keep_last: 7, keep_daily: 14, keep_weekly: 8 },
  retryMax: 2,
  retryBackoffSeconds: 60,
  hooks: [] as { name: "pre_hook"; from: "host" }[],
  lastRun: { jobId: id(1004), at: NOW - 8 * MINUTE, status: "succeeded" as JobStatus, warnings: 0 },
};

const repositoryView = (changes: Partial<RepositoryView> = {}): RepositoryView => ({
  id: id(70),
  name: "office nas",
  url: "rest:https://nas.example.org:8000/web-01/",
  username: "web-01",
  isPasswordSet: true,
  isRestPasswordSet: true,
  environmentNames: ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"],
  isAppendOnly: false,
  isOpenToOperators: false,
  initialisedAt: NOW - 3 * DAY,
  isNew: false,
  sizeBytes: 212 * GIB,
  sizeAt: NOW - 2 * HOUR,
  createdAt: NOW - 3 * DAY,
  hosts: [
    { id: id(4), name: "web-01", state: "ok", lastSuccessAt: NOW - 8 * MINUTE },
    { id: id(1), name: "db-02", state: "bad", lastSuccessAt: NOW - 26 * HOUR },
    { id: id(6), name: HOSTILE, state: "off", lastSuccessAt: null },
  ],
  hostCount: changes.hosts?.length ?? 3,
  places: [
    {
      hostId: id(4),
      hostName: HOSTILE,
      resticId: "3f".repeat(32),
      changed: {
        resticId: "a7".repeat(32),
        hostId: id(4),
        hostName: HOSTILE,
        at: NOW - 5 * MINUTE,
      },
    },
  ],
  sameAs: [{ id: id(71), name: HOSTILE, url: "sftp:nas.example.org:/srv/web-01" }],
  ...changes,
});

const TASKS: MaintenanceTask[] = [
  {
    kind: "forget",
    isEnabled: true,
    cron: "0 3 * * *",
    readDataPercent: null,
    nextRunAt: NOW + 20 * HOUR,
    lastRun: { jobId: id(1), at: NOW - 4 * HOUR, status: "failed", reason: HOSTILE },
    lastSuccessAt: NOW - 9 * DAY,
    offBecause: null,
    isForAdmins: false,
  },
  {
    kind: "prune",
    isEnabled: true,
    cron: "0 4 * * 0",
    readDataPercent: null,
    nextRunAt: null,
    lastRun: null,
    lastSuccessAt: null,
    offBecause: problem("no_admin_credential", NOW - DAY, {}),
    isForAdmins: false,
  },
  {
    kind: "check",
    isEnabled: false,
    cron: "0 5 1 * *",
    readDataPercent: 5,
    nextRunAt: null,
    lastRun: { jobId: id(2), at: NOW - 21 * DAY, status: "succeeded", reason: null },
    lastSuccessAt: NOW - 21 * DAY,
    offBecause: null,
    isForAdmins: false,
  },
];

export const maintenance = (changes: Partial<MaintenanceProps> = {}): MaintenanceProps => ({
  frame: frame(),
  repositoryId: id(70),
  tasks: TASKS,
  leases: [
    {
      jobId: id(3),
      kind: "prune",
      hostId: id(4),
      hostName: HOSTILE,
      isOnline: false,
      since: NOW - 2 * HOUR,
    },
  ],
  locks: [
    {
      id: "a1".repeat(32),
      at: NOW - 3 * HOUR,
      isExclusive: true,
      hostname: HOSTILE,
      username: "root",
      pid: 4711,
      isStale: true,
    },
    {
      id: "b2".repeat(32),
      at: NOW - MINUTE,
      isExclusive: false,
      hostname: LONG,
      username: null,
      pid: null,
      isStale: false,
    },
  ],
  seenAt: NOW - 8 * MINUTE,
  sizeBytes: 40 * GIB,
  restoreBytes: 410 * GIB,
  snapshots: 1204,
  isAdminSet: true,
  holders: [
    { id: id(4), name: "web-01", isNamed: true, waitsSince: null },
    { id: id(6), name: HOSTILE, isNamed: true, waitsSince: NOW - HOUR },
    { id: id(1), name: LONG, isNamed: false, waitsSince: null },
  ],
  hiddenHosts: 12,
  noHolder: null,
  mayChange: true,
  mayChangeAdmin: true,
  errors: {},
  ...changes,
});

const jobView = (changes: Partial<JobView> = {}): JobView => ({
  id: id(1004),
  kind: "backup",
  host: { id: id(4), name: "web-01" },
  repository: { id: id(70), name: "office nas" },
  groupName: "home",
  groupId: id(50),
  status: "running",
  actor: { kind: "user", name: "alice" },
  createdAt: NOW - 33_000,
  startedAt: NOW - 31_000,
  finishedAt: null,
  seconds: null,
  hostClock: null,
  exitCode: null,
  reason: null,
  reasonCode: null,
  warnings: 0,
  uploadKibps: 2048,
  downloadKibps: null,
  isCancelling: false,
  waitsFor: null,
  resticVersion: "0.18.0",
  progress: progress(62),
  summary: null,
  attempt: 1,
  missedAt: null,
  isDryRun: false,
  forgotten: null,
  withheld: null,
  accepted: null,
  ...changes,
});
const SUMMARY = {
  snapshot_id: "9f3a11c077de0b42".repeat(4),
  files_new: 120,
  files_changed: 14,
  files_unmodified: 19_970,
  bytes_added: 734e6,
  bytes_processed: 2 * GIB,
  seconds: 51.3,
};
const TEXTS = [
  "open repository",
  "repository 9f3a11c0 opened (version 2, compression level auto)",
  "using parent snapshot 1a2b3c4d",
  "found 4 old cache directories in /root/.cache/restic, run `restic cache --cleanup` to remove them",
  "scan finished in 1.204s: 20104 files, 2.000 GiB",
];
const lines = (n: number, from = 1): LogLine[] =>
  Array.from({ length: n }, (_, i) => ({
    line: from + i,
    at: NOW - 31_000 + i * 100,
    stream: i % 19 === 7 ? "stderr" : i % 23 === 2 ? "hook" : i % 29 === 0 ? "agent" : "stdout",
    text: i % 19 === 7
      ? `error: open /var/lib/private/${i}: permission denied`
      : i % 23 === 2
      ? "hook: dumping the database shop"
      : i % 29 === 0
      ? "restic 0.18.0 backup --tag home --host web-01"
      : i % 31 === 5
      ? HOSTILE
      : TEXTS[i % TEXTS.length]!,
  }));
const jobPage = (job: JobView, n: number, role: Role = "operator") => (
  <JobPage
    isAdmin
    frame={frame({ role })}
    job={job}
    lines={lines(n, n > 100 ? 401 : 1)}
    totalLines={n > 100 ? 400 + n : n}
    mayCancel={role !== "viewer"}
    mayRun={role !== "viewer"}
  />
);
const ENDED = { progress: null, finishedAt: NOW - 2000, seconds: 29 };

const STATUSES: JobStatus[] = [
  "running",
  "queued",
  "succeeded",
  "failed",
  "interrupted",
  "cancelled",
  "skipped",
];
const jobRows = (n: number): JobRowData[] =>
  Array.from({ length: n }, (_, i) => {
    const status = STATUSES[i % 7]!;
    const hasStarted = status !== "queued" && status !== "skipped";
    return {
      id: id(2000 + i),
      kind: i % 6 === 4 ? "init" : i % 6 === 5 ? "stats" : "backup",
      host: { id: id(i), name: i === 3 ? HOSTILE : i === 5 ? RTL : `web-${i}` },
      repository: { id: id(70), name: "office nas" },
      groupName: i % 6 > 3 ? null : i === 8 ? LONG : "home",
      status,
      warnings: i % 9 === 2 ? 3 : 0,
      reason: status === "failed" ? "Wrong repository password." : null,
      actor: i % 4 === 0 ? { kind: "system", name: "server" } : { kind: "user", name: "alice" },
      createdAt: NOW - i * 11 * MINUTE,
      startedAt: hasStarted ? NOW - i * 11 * MINUTE : null,
      finishedAt: hasStarted && status !== "running" ? NOW - i * 11 * MINUTE + 72_000 : null,
      seconds: hasStarted && status !== "running" ? 72 : null,
      bytesAdded: status === "succeeded" ? i * 1e7 : null,
    };
  });

const CHOICES = [
  { id: id(70), name: "office nas", url: "rest:https://nas.example.org:8000/web-01/" },
  { id: id(71), name: HOSTILE, url: `s3:https://s3.example.org/${LONG}` },
];
const addHost = (changes: Partial<AddHostProps> = {}): AddHostProps => ({
  frame: frame(),
  values: {
    hostname: "",
    replace_open: false,
    tags: "",
    initial_paths: "",
    may_hold_admin_credential: true,
    repository_choice: "new",
    repository_id: "",
    repository: NO_CONNECTION,
  },
  announceCommands: {
    linux:
      "curl -fsSL https://backup.example.org/install/install.sh | RM_SERVER=https://backup.example.org sh",
    windows:
      "$env:RM_SERVER='https://backup.example.org'; irm https://backup.example.org/install/install.ps1 | iex",
  },
  errors: {},
  repositories: [],
  mayName: true,
  ...changes,
});
const NO_GROUP: SourceFormValues = {
  name: "",
  includes: "",
  excludes: "",
  iexcludes: "",
  exclude_if_present: "",
  exclude_larger_than: "",
  exclude_caches: "",
  one_file_system: "",
  usual_share_percent: "50",
  keep_last: "",
  keep_hourly: "",
  keep_daily: "",
  keep_weekly: "",
  keep_monthly: "",
  keep_yearly: "",
  keep_within: "",
  retry_max: "0",
  retry_backoff_seconds: "60",
  use_fs_snapshot: "",
  pre_hook: "",
  post_hook: "",
  hook_timeout_seconds: "3600",
  hook_stop_at_error: "on",
};
const NO_HEIRS = { heirs: [], snapshotHost: "web-01", isAdmin: true };
const PREVIEW: SourceFormProps["preview"] = {
  keep: Array.from({ length: 30 }, (_, n) => ({
    id: "ab".repeat(32),
    time: NOW - n * DAY,
    reasons: ["daily", "within 30d"],
  })),
  remove: [{ id: "cd".repeat(32), time: NOW - 40 * DAY, reasons: [] }],
  held: "it would remove 20 of the 31 snapshots that were kept until now",
  refreshedAt: NOW - HOUR,
  withheld: 2,
};
const HEIRS = [{ id: id(50), name: `databases on ${HOSTILE}` }];
const UNGOVERNED: UngovernedProps = {
  repositoryId: id(70),
  csrf: "token",
  now: NOW,
  items: [
    {
      hostname: "web-00",
      tags: ["default"],
      count: 31,
      oldestAt: NOW - 900 * DAY,
      newestAt: NOW - 40 * DAY,
      keptBy: null,
      groups: HEIRS,
    },
    {
      hostname: HOSTILE,
      tags: [HOSTILE, LONG, RTL],
      count: 1,
      oldestAt: NOW,
      newestAt: NOW,
      keptBy: null,
      groups: HEIRS,
    },
    {
      hostname: "",
      tags: [],
      count: 4000,
      oldestAt: NOW - DAY,
      newestAt: NOW,
      keptBy: HOSTILE,
      groups: HEIRS,
    },
  ],
  listedAt: NOW - 4 * HOUR,
  mayChange: true,
  isAdmin: true,
};
const HOOK_TEXT = "set -e\npg_dump --format=custom shop > /var/backups/shop.dump";
const NO_HOOKS: SourceFormProps["hooks"] = [
  { hook: "pre_hook", cannotDecrypt: false, inForce: null },
  { hook: "post_hook", cannotDecrypt: false, inForce: null },
];
const NO_WINDOW = { days: "", from: "", to: "", bandwidth_up_kbps: "", bandwidth_down_kbps: "" };
const LINUX =
  "curl -fsSL https://backup.example.org/install/install.sh | RM_SERVER=https://backup.example.org RM_TOKEN=rme_3f9a11c077de0b42q3Yb0T0k7cXk1mJd8sWnZ4fRv2LpAe6H sh";
const WINDOWS =
  "$env:RM_SERVER='https://backup.example.org'; $env:RM_TOKEN='rme_3f9a11c077de0b42q3Yb0T0k7cXk1mJd8sWnZ4fRv2LpAe6H'; irm https://backup.example.org/install/install.ps1 | iex";

const auditEntries = (n: number) =>
  Array.from({ length: n }, (_, i) => ({
    id: String(900 - i),
    at: NOW - i * 37 * MINUTE,
    actor: i % 5 === 4
      ? { kind: "agent" as const, name: "web-01" }
      : { kind: "user" as const, name: i === 2 ? HOSTILE : "alice" },
    action: ["user.login", "job.start", "repository.change", "host.delete", "token.create"][i % 5]!,
    target: i % 5 === 0 ? null : {
      kind: "host",
      name: i === 3 ? HOSTILE : "web-01",
      href: i % 2 ? `/hosts/${id(4)}` : null,
    },
    address: i % 5 === 4 ? null : "2001:db8::1",
    detail: i % 3 === 0 ? {} : { kind: "backup", fields: ["url", "password"] },
  }));

const account = (tokens: number, changes = {}) => (
  <AccountPage
    frame={frame()}
    passwordErrors={{}}
    tokens={Array.from({ length: tokens }, (_, i) => ({
      id: id(i),
      name: i === 1 ? HOSTILE : "nightly report",
      createdAt: NOW - 40 * DAY,
      expiresAt: i % 3 === 0 ? null : NOW + (i - 2) * 20 * DAY,
      lastUsedAt: i % 2 ? null : NOW - 3 * HOUR,
    }))}
    newToken={null}
    tokenValues={{ name: "", lifetime: "90" }}
    tokenErrors={{}}
    {...changes}
  />
);

/** Every page, by a name that says what is in it. */
export const pages: Record<string, () => Child> = {
  "setup": () => <SetupPage frame={NOBODY} token="abc" account={null} values={{}} errors={{}} />,
  "setup-user": () => (
    <SetupPage
      frame={NOBODY}
      token="abc"
      account={{ username: "u".repeat(64), role: "operator" }}
      values={{}}
      errors={{ password_again: "password_again must be the same password" }}
    />
  ),
  "setup-used": () => (
    <SetupPage frame={NOBODY} token={null} account={null} values={{}} errors={{}} />
  ),
  "login": () => <LoginPage frame={NOBODY} next="/" values={{}} errors={{}} />,
  "login-wrong": () => (
    <LoginPage
      frame={NOBODY}
      next="/"
      values={{ username: HOSTILE }}
      errors={{ "": "The user name or the password is wrong." }}
    />
  ),
  "dashboard-none": () => (
    <DashboardPage {...dashboard({ frame: frame({ fleet: fleet(0, 0, 0, 0) }), hosts: [] })} />
  ),
  "dashboard-few": () => <DashboardPage {...dashboard({ attention: ATTENTION })} />,
  "dashboard-well": () => (
    <DashboardPage
      {...dashboard({
        frame: frame({
          fleet: fleet(43, 0, 0, 0),
          flash: { text: "web-07 was deleted. Its snapshots stay in the repository." },
        }),
        oldest: { name: "nas", at: NOW - 7 * HOUR },
        hosts: FEW.slice(2, 4),
      })}
    />
  ),
  "dashboard-many": () => (
    <DashboardPage
      {...dashboard({
        frame: frame({ fleet: fleet(951, 12, 20, 17) }),
        attention: [
          ...ATTENTION,
          {
            host: { id: id(9), name: HOSTILE },
            state: "bad",
            problems: [
              problem("backup_overdue", NOW - DAY, { last_success_at: null, hours: 50 }),
              problem("state_put_aside", NOW - DAY, { text: HOSTILE }),
            ],
          },
        ],
        hosts: MANY,
        matching: 1000,
        page: 2,
        pages: 20,
      })}
    />
  ),
  "dashboard-pending": () => (
    <DashboardPage {...dashboard({ attention: ATTENTION.slice(0, 1), pending: pending() })} />
  ),
  "dashboard-first-pending": () => (
    <DashboardPage
      {...dashboard({
        frame: frame({ fleet: fleet(0, 0, 0, 0) }),
        pending: pending({ hosts: WAITING.slice(0, 1), total: 1, rejected: 1 }),
        hosts: [],
      })}
    />
  ),
  "dashboard-pending-flood": () => (
    <DashboardPage
      {...dashboard({
        frame: frame({ fleet: fleet(951, 12, 20, 17) }),
        attention: ATTENTION,
        pending: pending({ hosts: WAITING, total: 100, rejected: 2 }),
        hosts: MANY,
        matching: 1000,
        pages: 20,
      })}
    />
  ),
  "dashboard-pending-operator": () => (
    <DashboardPage {...dashboard({ pending: pending({ mayDecide: false }) })} />
  ),
  "pending": () => (
    <PendingPage
      frame={frame()}
      hosts={[...WAITING, ...Array.from({ length: 20 }, (_, n) => waiting(n + 6))]}
      total={100}
      rejected={REJECTED}
      mayDecide
      next="/pending-hosts?cursor=25"
    />
  ),
  "pending-none": () => (
    <PendingPage frame={frame()} hosts={[]} total={0} rejected={[]} mayDecide={false} />
  ),
  "accept": () => <AcceptPage {...accept()} />,
  "accept-wrong": () => (
    <AcceptPage
      {...accept({
        host: waiting(3, { hostname: LONG, hasCollision: true }),
        repositories: CHOICES,
        errors: {
          "": "fingerprint is not that of the machine that waits here. Compare it again.",
          name: "name must begin with a letter or digit.",
          "repository.password": "repository.password is required to open a repository.",
        },
        values: { ...accept().values, name: HOSTILE, repository_choice: "new" },
      })}
    />
  ),
  "accept-reinstalled": () => (
    <AcceptPage
      {...accept({
        errors: {
          host_id:
            "The agent of web-01 is connected, so its place is not free. Stop that agent, or wait two minutes if its machine is gone, and try again.",
        },
        values: { ...accept().values, join_as: "existing", host_id: id(5) },
      })}
    />
  ),
  "accepted": () => (
    <AcceptedPage
      frame={frame()}
      host={{ id: id(5), name: "pc-anna" }}
      password="k7x4m-q2p9v-h5n3w-t8r6y-b4c7d"
    />
  ),
  "dashboard-no-match": () => (
    <DashboardPage
      {...dashboard({
        hosts: [],
        matching: 0,
        filter: { q: HOSTILE, state: "ok", tag: "web", sort: "name" },
      })}
    />
  ),
  "add-host": () => <AddHostPage {...addHost()} />,
  "add-host-wrong": () => (
    <AddHostPage
      {...addHost({
        repositories: CHOICES,
        values: {
          hostname: HOSTILE,
          replace_open: true,
          tags: "a b",
          initial_paths: "etc\n/home",
          may_hold_admin_credential: true,
          repository_choice: "new",
          repository_id: id(71),
          repository: {
            ...NO_CONNECTION,
            name: "nas",
            url: "rest:https://user:pw@nas/",
            is_new: false,
            environment: [{ name: "AWS_REGION", isSet: false }],
          },
        },
        errors: {
          hostname:
            "hostname must begin with a letter or digit and hold only letters, digits, dots, dashes and underscores",
          initial_paths:
            "line 1 must be an absolute path such as /home, C:\\Users or \\\\server\\share",
          "repository.url":
            "repository.url must not hold a user and password; put them into the fields for user and password",
        },
      })}
    />
  ),
  "add-host-done": () => (
    <AddHostDonePage
      frame={frame()}
      hostname="web-02"
      tokenId={id(1)}
      commands={{ linux: LINUX, windows: WINDOWS }}
      expiresAt={NOW + HOUR - 2000}
      generatedPassword="vK3q-Zt8w-Rb5m-Xn2c-Jd7f-Hs9p-Lg4y-Qa6e"
      missing={{
        folder: "/var/lib/restic-manager-server/agent-binaries",
        linux: [],
        windows: ["restic-manager-agent-windows-x64.exe", "nssm.exe"],
      }}
      joined={null}
    />
  ),
  "add-host-joined": () => (
    <AddHostDonePage
      frame={frame()}
      hostname={LONG}
      tokenId={id(1)}
      commands={{ linux: LINUX, windows: WINDOWS }}
      expiresAt={NOW + HOUR}
      generatedPassword={null}
      missing={{ folder: "", linux: [], windows: [] }}
      joined={{ id: id(2), name: LONG, os: "linux", isOnline: true }}
    />
  ),
  "host-join-again": () => (
    <AddHostDonePage
      frame={frame()}
      hostname="web-02"
      tokenId={id(1)}
      commands={{ linux: LINUX, windows: WINDOWS }}
      expiresAt={NOW + HOUR}
      generatedPassword={null}
      missing={{ folder: "", linux: [], windows: [] }}
      joined={null}
      rejoins={{ hostId: id(2), isOnline: true }}
    />
  ),
  "host-on-hold": () => (
    <SnapshotsPage
      {...hostProps(hostView({
        state: "warn",
        stateWord: "needs a look",
        isOnHold: true,
        problems: [problem("on_hold", NOW - DAY, {})],
      }))}
      snapshots={snapshots(2)}
      total={2}
      refreshedAt={NOW - 8 * MINUTE}
      losses={[]}
      nextCursor={null}
      isFirstPage
    />
  ),
  "host-snapshots": () => (
    <SnapshotsPage
      {...hostProps(hostView())}
      snapshots={snapshots(12)}
      total={31}
      refreshedAt={NOW - 8 * MINUTE}
      losses={[{ noticedAt: NOW - 2 * HOUR, count: 3 }]}
      nextCursor="abc"
      isFirstPage
    />
  ),
  "host-snapshots-none": () => (
    <SnapshotsPage
      {...hostProps(NEW_HOST)}
      snapshots={[]}
      total={0}
      refreshedAt={null}
      losses={[]}
      nextCursor={null}
      isFirstPage
    />
  ),
  "host-snapshots-broken": () => (
    <SnapshotsPage
      {...hostProps(BROKEN_HOST, "viewer")}
      snapshots={[]}
      total={0}
      refreshedAt={null}
      losses={[]}
      nextCursor={null}
      isFirstPage
    />
  ),
  "host-snapshots-many": () => (
    <SnapshotsPage
      {...hostProps(BROKEN_HOST)}
      snapshots={snapshots(40, ["/home", HOSTILE, RTL, ...Array(20).fill("/a/b")], HOSTILE)}
      total={10_000}
      refreshedAt={NOW - 2 * DAY}
      losses={[]}
      nextCursor="abc"
      isFirstPage={false}
    />
  ),
  "host-sources": () => (
    <SourcesPage
      {...hostProps(hostView())}
      groups={[GROUP, {
        ...GROUP,
        id: id(51),
        name: "databases",
        excludes: [],
        retention: {},
        retryMax: 0,
        hooks: [
          { name: "pre_hook" as const, from: "group" as const },
          { name: "post_hook" as const, from: "host" as const },
        ],
        lastRun: null,
      }]}
      refused={{
        what: id(51),
        field: "bandwidth_up_kbps",
        message: "bandwidth_up_kbps must be a whole number of KiB/s, or blank for no limit",
        upload: "fast",
        download: "",
      }}
    />
  ),
  "host-sources-none": () => <SourcesPage {...hostProps(NEW_HOST)} groups={[]} />,
  "host-sources-broken": () => (
    <SourcesPage
      {...hostProps(BROKEN_HOST)}
      groups={[{ ...GROUP, name: HOSTILE, includes: Array(30).fill(HOSTILE) }]}
    />
  ),
  "source-form": () => (
    <SourceFormPage
      approvedRoots={["/home", "/srv"]}
      frame={frame()}
      host={{ id: id(4), name: "web-01", os: "linux", isOnline: true }}
      group={null}
      values={NO_GROUP}
      errors={{}}
      hooks={NO_HOOKS}
      mayEditHooks
      {...NO_HEIRS}
    />
  ),
  "source-form-hooks": () => (
    <SourceFormPage
      approvedRoots={["/home", "/srv"]}
      frame={frame()}
      host={{ id: id(4), name: "web-01", os: "windows", isOnline: true }}
      group={{ id: id(50), name: "databases", snapshot_tag: "databases" }}
      {...NO_HEIRS}
      preview={PREVIEW}
      values={{
        ...NO_GROUP,
        name: "databases",
        includes: "D:\\Data",
        pre_hook: HOOK_TEXT,
        use_fs_snapshot: "on",
      }}
      errors={{}}
      hooks={[
        { hook: "pre_hook", cannotDecrypt: false, inForce: { from: "group", text: HOOK_TEXT } },
        {
          hook: "post_hook",
          cannotDecrypt: false,
          inForce: { from: "host", text: `echo ${HOSTILE}` },
        },
      ]}
      mayEditHooks
    />
  ),
  "source-form-wrong": () => (
    <SourceFormPage
      approvedRoots={["/home", "/srv"]}
      frame={frame()}
      host={{ id: id(4), name: HOSTILE, os: "linux", isOnline: false }}
      hooks={[{ hook: "pre_hook", cannotDecrypt: true, inForce: { from: "group", text: null } }, {
        hook: "post_hook",
        cannotDecrypt: false,
        inForce: null,
      }]}
      mayEditHooks={false}
      group={{ id: id(50), name: HOSTILE, snapshot_tag: HOSTILE }}
      heirs={[{ id: id(51), name: HOSTILE }]}
      snapshotHost={HOSTILE}
      isAdmin={false}
      values={{ ...NO_GROUP, name: HOSTILE, includes: "\n/etc", keep_last: "7", keep_daily: "14" }}
      errors={{
        name: "name must be at most 64 characters",
        keep_within: "keep_within must be a duration such as 30d, 6m or 1y6m",
      }}
    />
  ),
  "host-repository": () => (
    <HostRepositoryPage
      {...hostProps(hostView())}
      repository={repositoryView()}
      limits={{ up: "2048", down: "" }}
      windows={[
        {
          days: "mon,tue,wed,thu,fri",
          from: "08:00",
          to: "18:00",
          bandwidth_up_kbps: "512",
          bandwidth_down_kbps: "",
        },
        { ...NO_WINDOW, days: "mon,wed", from: "22:00", to: "06:00" },
        NO_WINDOW,
      ]}
      timeZone="Europe/Berlin"
      limitErrors={{}}
      hooks={[
        {
          hook: "pre_hook",
          name: "pre_hook_default",
          value: HOOK_TEXT,
          cannotDecrypt: false,
          inForce: { from: "host", text: HOOK_TEXT },
        },
        {
          hook: "post_hook",
          name: "post_hook_default",
          value: "",
          cannotDecrypt: false,
          inForce: null,
        },
      ]}
      hooksStopAtError
      hookErrors={{}}
      isAdmin
      reinitName=""
      reinitErrors={{}}
    />
  ),
  "host-repository-broken": () => (
    <HostRepositoryPage
      {...hostProps({ ...BROKEN_HOST, isOnline: true })}
      repository={repositoryView({
        name: HOSTILE,
        url: `/mnt/${HOSTILE}`,
        initialisedAt: null,
        sizeBytes: null,
        environmentNames: [],
      })}
      limits={{ up: "fast", down: "" }}
      windows={[{ ...NO_WINDOW, days: "mon", from: HOSTILE }, NO_WINDOW]}
      timeZone="UTC"
      limitErrors={{
        bandwidth_up_kbps: "bandwidth_up_kbps must be a whole number",
        "windows.0.from": "windows.0.from must be a time from 00:00 to 23:59",
      }}
      hooks={[{
        hook: "pre_hook",
        name: "pre_hook_default",
        value: "echo </textarea><script>alert(1)</script>",
        error: "pre_hook_default must be at most 32768 characters",
        cannotDecrypt: true,
        inForce: { from: "host", text: null },
      }]}
      hooksStopAtError
      hookErrors={{ pre_hook_default: "pre_hook_default must be at most 32768 characters" }}
      isAdmin
      reinitName="web-1"
      reinitErrors={{ confirm_hostname: "confirm_hostname must be the name of the host" }}
    />
  ),
  "host-schedules": () => (
    <SchedulesPage
      {...hostProps(hostView())}
      timeZone="Europe/Berlin"
      isBehind
      hasGroups
      schedules={[
        {
          id: id(80),
          cron: "0 3 * * *",
          isEnabled: true,
          groups: ["home", "etc"],
          nextRunAt: NOW + 20 * HOUR,
          lastRun: { jobId: id(1), at: NOW - 4 * HOUR, status: "succeeded", warnings: 0 },
        },
        {
          id: id(81),
          cron: "*/15 8-18 * * 1-5",
          isEnabled: false,
          groups: [HOSTILE, LONG],
          nextRunAt: null,
          lastRun: null,
        },
      ]}
    />
  ),
  "host-schedules-none": () => (
    <SchedulesPage
      {...hostProps(NEW_HOST)}
      timeZone="UTC"
      isBehind={false}
      hasGroups={false}
      schedules={[]}
    />
  ),
  "schedule-form": () => (
    <ScheduleFormPage
      frame={frame()}
      host={{ id: id(4), name: "web-01" }}
      scheduleId={id(80)}
      groups={[{ id: id(50), name: "home" }, { id: id(51), name: HOSTILE }]}
      values={{ cron: "0 3 * * *", isEnabled: true, groupIds: [id(50)] }}
      timeZone="Europe/Berlin"
      errors={{}}
      preview={{
        words: "At 03:00",
        problem: null,
        next: [1, 2, 3, 4, 5].map((day) => NOW + day * DAY),
        timeZone: "Europe/Berlin",
      }}
    />
  ),
  "schedule-form-errors": () => (
    <ScheduleFormPage
      frame={frame()}
      host={{ id: id(4), name: LONG }}
      scheduleId={null}
      groups={[{ id: id(50), name: "home" }]}
      values={{ cron: HOSTILE, isEnabled: false, groupIds: [] }}
      timeZone="UTC"
      errors={{
        cron: "cron must be five fields",
        source_group_ids: "source_group_ids must name at least one source group",
      }}
      preview={{ words: null, problem: "It must be five fields.", next: [], timeZone: "UTC" }}
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
          system: "linux amd64",
          agentVersion: "0.1.0",
          address: "192.0.2.7",
          bootTime: NOW - 3 * DAY,
          firstSeenAt: NOW - 3 * DAY,
          lastSeenAt: NOW - MINUTE,
          isConnected: true,
        },
        {
          id: "2".repeat(16),
          hostname: HOSTILE,
          system: LONG,
          agentVersion: "0.1.0",
          address: null,
          bootTime: null,
          firstSeenAt: NOW - HOUR,
          lastSeenAt: NOW - 2 * MINUTE,
          isConnected: false,
        },
      ]}
      snapshots={31}
      mayDelete
      deleteErrors={{ confirm_name: "confirm_name must be web-01" }}
    />
  ),
  "repositories": () => (
    <RepositoryListPage
      frame={frame()}
      repositories={[
        { ...repositoryView(), hosts: 3 },
        {
          ...repositoryView(),
          id: id(71),
          name: HOSTILE,
          url: `/mnt/${LONG}`,
          initialisedAt: null,
          hosts: 0,
          sizeBytes: null,
        },
        {
          ...repositoryView(),
          id: id(72),
          name: "offsite",
          url: "s3:https://s3.example.org/backups",
          isAppendOnly: true,
          hosts: 41,
        },
      ]}
      nextCursor={null}
      isFirstPage
      mayAdd
    />
  ),
  "repositories-none": () => (
    <RepositoryListPage frame={frame()} repositories={[]} nextCursor={null} isFirstPage mayAdd />
  ),
  "repository": () => (
    <RepositoryPage
      frame={frame()}
      repository={repositoryView()}
      mayChange
      mayDelete
      mayAnswer
      errors={{}}
      maintenance={maintenance()}
      ungoverned={UNGOVERNED}
    />
  ),
  "repository-unused": () => (
    <RepositoryPage
      frame={frame()}
      repository={repositoryView({ name: HOSTILE, hosts: [], initialisedAt: null, isNew: true })}
      generatedPassword="vK3q-Zt8w-Rb5m-Xn2c-Jd7f-Hs9p-Lg4y-Qa6e"
      mayChange
      mayDelete
      mayAnswer={false}
      errors={{ confirm_name: "confirm_name must be the name of the repository" }}
      maintenance={maintenance({
        tasks: TASKS.map((task) => ({ ...task, lastRun: null, lastSuccessAt: null })),
        locks: [],
        leases: [],
        seenAt: null,
        sizeBytes: null,
        restoreBytes: null,
        snapshots: null,
        isAdminSet: false,
        errors: { "check.cron": "check.cron would never fire: there is no such day" },
      })}
      ungoverned={{ ...UNGOVERNED, items: [] }}
    />
  ),
  "repository-form": () => (
    <RepositoryFormPage
      frame={frame()}
      repository={null}
      values={NO_CONNECTION}
      errors={{}}
      isPasswordSet={false}
      isRestPasswordSet={false}
      isAdmin
    />
  ),
  "repository-form-edit": () => (
    <RepositoryFormPage
      frame={frame()}
      repository={{ id: id(70), name: "office nas" }}
      values={{
        name: "office nas",
        url: "ftp://nas",
        username: "web",
        is_new: false,
        open_to_operators: true,
        append_only: true,
        certificate_authority: `-----BEGIN CERTIFICATE-----\n${LONG}`,
        options: "s3.storage-class=STANDARD_IA",
        environment: [{ name: "AWS_ACCESS_KEY_ID", isSet: true }],
      }}
      errors={{
        url:
          "url must be an absolute path, or rest:, s3:, sftp:, b2:, azure:, gs:, rclone: or swift: followed by what restic expects",
        password: "password must be one line",
      }}
      isPasswordSet
      isRestPasswordSet
      isAdmin
    />
  ),
  "jobs": () => (
    <JobListPage
      frame={frame()}
      jobs={jobRows(50)}
      filter={{ host: "", kind: "", status: "" }}
      hosts={CHOICES}
      nextCursor="abc"
      isFirstPage={false}
    />
  ),
  "jobs-none": () => (
    <JobListPage
      frame={frame()}
      jobs={[]}
      filter={{ host: "", kind: "", status: "" }}
      hosts={[]}
      nextCursor={null}
      isFirstPage
    />
  ),
  "job-running": () => jobPage(jobView(), 200),
  "job-starting": () =>
    jobPage(jobView({ progress: null, actor: { kind: "system", name: "" }, uploadKibps: null }), 0),
  "job-queued": () =>
    jobPage(
      jobView({
        status: "queued",
        startedAt: null,
        waitsFor: { jobId: id(9), title: "Backup of “etc” on web-01" },
      }),
      0,
    ),
  "job-waits-for-another-host": () =>
    jobPage(
      jobView({
        status: "queued",
        startedAt: null,
        waitsFor: { jobId: id(9), title: `prune of ${HOSTILE}`, isOfOtherHost: true },
      }),
      0,
    ),
  "job-clock-wrong": () =>
    jobPage(
      jobView({
        ...ENDED,
        status: "succeeded",
        summary: SUMMARY,
        exitCode: 0,
        hostClock: { startedAt: NOW - 400 * DAY, finishedAt: NOW - 400 * DAY + 29_000 },
      }),
      12,
    ),
  "jobs-cannot-save": () => (
    <JobListPage
      frame={frame({
        notice:
          "Nothing can be saved since 09:30:32 UTC, because another program, such as a sqlite3 shell, keeps the database locked. Pages show what was saved before; agents keep backing up and report later.",
      })}
      jobs={jobRows(5)}
      filter={{ host: "", kind: "", status: "" }}
      hosts={CHOICES}
      nextCursor={null}
      isFirstPage
    />
  ),
  "job-succeeded": () =>
    jobPage(jobView({ ...ENDED, status: "succeeded", summary: SUMMARY, exitCode: 0 }), 12),
  "job-warnings": () =>
    jobPage(
      jobView({
        ...ENDED,
        status: "succeeded",
        warnings: 2,
        reason: "A snapshot was made, but 2 files could not be read.",
        reasonCode: "source_unreadable",
        summary: SUMMARY,
        exitCode: 3,
      }),
      12,
    ),
  "job-withheld": () =>
    jobPage(
      jobView({
        status: "failed",
        finishedAt: NOW,
        progress: null,
        reason:
          "Nothing was saved: /srv/data is a link, and restic saves the link, not what it points to.",
        reasonCode: "nothing_saved",
        withheld: "nothing_saved",
        summary: { ...SUMMARY, files_new: 0, files_changed: 0, files_unmodified: 0 },
      }),
      20,
    ),
  "job-accepted": () =>
    jobPage(
      jobView({
        status: "succeeded",
        finishedAt: NOW,
        progress: null,
        reason: "Far less than usual was saved: 12 files, usually 4000.",
        reasonCode: "less_than_usual",
        withheld: "less_than_usual",
        accepted: { by: HOSTILE, at: NOW },
        summary: SUMMARY,
      }),
      20,
    ),
  "job-wrong-password": () =>
    jobPage(
      jobView({
        ...ENDED,
        status: "failed",
        reason: "Wrong repository password.",
        reasonCode: "wrong_password",
        exitCode: 12,
      }),
      6,
    ),
  "job-locked": () =>
    jobPage(
      jobView({
        ...ENDED,
        status: "failed",
        reason: "The repository is locked by web-01, since 3 h.",
        reasonCode: "locked",
        exitCode: 11,
      }),
      6,
    ),
  "job-interrupted": () =>
    jobPage(
      jobView({ ...ENDED, status: "interrupted", reason: "The agent was ended while it ran." }),
      6,
      "viewer",
    ),
  "job-hostile": () =>
    jobPage(
      jobView({
        host: { id: id(4), name: HOSTILE },
        groupName: HOSTILE,
        actor: { kind: "user", name: HOSTILE },
        progress: { ...progress(3), current_path: `/${HOSTILE.repeat(20)}` },
      }),
      40,
    ),
  "audit": () => (
    <AuditPage
      frame={frame()}
      entries={auditEntries(50)}
      filter={{ actor: "", action: "", target: "", from: "", to: "" }}
      fault={{ id: 1234, what: "was changed, or put in the place of another" }}
      nextCursor="abc"
      isFirstPage
    />
  ),
  "audit-none": () => (
    <AuditPage
      frame={frame()}
      entries={[]}
      filter={{ actor: HOSTILE, action: "", target: "", from: "2026-13-01", to: "" }}
      fault={null}
      error="from must be a date such as 2026-11-22"
      nextCursor={null}
      isFirstPage
    />
  ),
  "account": () => account(0),
  "account-tokens": () =>
    account(4, {
      newToken: {
        name: "nightly report",
        token: "rmt_3f9a11c077de0b42q3Yb0T0k7cXk1mJd8sWnZ4fRv2LpAe6H",
      },
      passwordErrors: { current_password: "current_password is not your password" },
      tokenErrors: { name: "name must not be empty" },
    }),
  "error-403": () => (
    <ErrorPage
      frame={frame({ role: "viewer" })}
      status={403}
      message="Deleting a host needs an admin."
    />
  ),
  "error-409": () => (
    <ErrorPage
      frame={frame()}
      status={409}
      message="The job has ended already."
    />
  ),
  "error-cannot-save": () => (
    <ErrorPage
      frame={frame()}
      status={503}
      code="storage_cannot_write"
      message="The server cannot save anything, because its disk is full. Nothing was saved."
    />
  ),
  "error-500": () => <ErrorPage frame={frame()} status={500} id="3f9a11c077de" />,
  "error-nobody": () => <ErrorPage frame={NOBODY} status={404} />,
  "not-found": () => <NotFoundPage frame={frame()} />,
};

export function render(name: string): string {
  return `<!doctype html>${pages[name]!()}`;
}
