// The maintenance of a repository.
import { problem } from "../../../shared/problems.ts";
import type {
  MaintenanceProps,
  MaintenanceTask,
} from "../../../templates/repositories/maintenance.tsx";
import { DAY, frame, GIB, HOSTILE, HOUR, id, LONG, MINUTE, NOW } from "./common.ts";

export const TASKS: MaintenanceTask[] = [
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
