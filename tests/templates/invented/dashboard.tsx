// The dashboard.
import { problem } from "../../../shared/problems.ts";
import type { HostRowData } from "../../../templates/dashboard/host_row.tsx";
import { DashboardPage, type DashboardProps } from "../../../templates/dashboard/page.tsx";
import {
  backupProblem,
  DAY,
  days,
  fleet,
  frame,
  GIB,
  HOSTILE,
  HOUR,
  id,
  LONG,
  MINUTE,
  NOW,
  type Pages,
  progress,
  RTL,
} from "./common.ts";
import { pending, WAITING } from "./pending.tsx";

function hostRow(n: number, name: string, changes: Partial<HostRowData> = {}): HostRowData {
  return {
    id: id(n),
    name,
    os: n % 5 === 0 ? "windows" : "linux",
    tags: n % 3 === 0 ? ["berlin", "database"] : n % 3 === 1 ? ["web"] : [],
    state: "ok",
    online: true,
    last_seen_at: NOW - 20_000,
    last_backup: {
      job_id: id(1000 + n),
      at: NOW - n * 8 * MINUTE,
      status: "succeeded",
      warnings: 0,
    },
    runningJob: null,
    queued: 0,
    days: days(n % 9),
    repository_size: n * 3.7 * GIB,
    snapshots_count: 20 + n * 3,
    next_run_at: NOW + (n % 70) * 3 * HOUR,
    schedule: {
      last_run: {
        job_id: id(1000 + n),
        at: NOW - n * 8 * MINUTE,
        status: "succeeded",
        warnings: 0,
      },
    },
    ...changes,
  };
}

const FEW: HostRowData[] = [
  hostRow(1, "db-02", {
    state: "bad",
    last_backup: { job_id: id(1001), at: NOW - 26 * HOUR, status: "failed", warnings: 0 },
    days: days(1),
  }),
  hostRow(2, "mail-01", {
    state: "warn",
    last_backup: { job_id: id(1002), at: NOW - 2 * HOUR, status: "succeeded", warnings: 3 },
  }),
  hostRow(3, "nas", {
    state: "run",
    runningJob: { id: id(1003), kind: "backup", progress: progress(62) },
  }),
  hostRow(4, "web-01", {
    next_run_at: NOW + 5 * HOUR,
    schedule: { last_run: { job_id: id(1), at: NOW - 8 * HOUR, status: "succeeded", warnings: 0 } },
  }),
  hostRow(5, "pc-leo", { state: "off", online: false, last_seen_at: NOW - 3 * DAY, os: "windows" }),
  hostRow(6, "fresh", {
    state: "off",
    last_backup: null,
    days: days(4),
    repository_size: null,
    snapshots_count: null,
    tags: [],
  }),
];

const MANY: HostRowData[] = [
  hostRow(1, HOSTILE, { state: "bad", tags: [HOSTILE, LONG] }),
  hostRow(2, LONG, { state: "warn" }),
  hostRow(3, RTL),
  hostRow(4, "init-only", {
    state: "run",
    runningJob: { id: id(1), kind: "init", progress: null },
    queued: 2,
  }),
  ...Array.from(
    { length: 32 },
    (_, i) => hostRow(i + 5, `web-${String(i).padStart(3, "0")}.example.org`),
  ),
];

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

const ATTENTION: DashboardProps["attention"] = [
  {
    id: id(1),
    name: "db-02",
    state: "bad",
    problems: [
      problem("backup_overdue", NOW - HOUR, { last_success_at: NOW - 27 * HOUR, hours: 27 }),
      backupProblem("backup_failed", "The repository is locked by PID 7 on host web-01.", "locked"),
    ],
    job_id: id(1001),
  },
  {
    id: id(2),
    name: "mail-01",
    state: "warn",
    problems: [
      backupProblem("backup_warnings", "3 files or folders could not be read.", "warnings"),
    ],
    job_id: id(1002),
  },
];

export const dashboardPages: Pages = {
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
        oldest: { name: "nas", last_success_at: NOW - 7 * HOUR },
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
            id: id(9),
            name: HOSTILE,
            state: "bad",
            problems: [
              problem("backup_overdue", NOW - DAY, { last_success_at: null, hours: 50 }),
              problem("state_put_aside", NOW - DAY, { text: HOSTILE }),
            ],
            job_id: null,
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
  "dashboard-no-match": () => (
    <DashboardPage
      {...dashboard({
        hosts: [],
        matching: 0,
        filter: { q: HOSTILE, state: "ok", tag: "web", sort: "name" },
      })}
    />
  ),
};
