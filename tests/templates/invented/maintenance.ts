// The maintenance of a repository.
import { problem } from "../../../shared/problems.ts";
import type { MaintenanceProps, ShownTask } from "../../../templates/repositories/maintenance.tsx";
import { DAY, frame, GIB, HOSTILE, HOUR, id, LONG, MINUTE, NOW } from "./common.ts";

export const TASKS: ShownTask[] = [
  {
    kind: "forget",
    enabled: true,
    cron: "0 3 * * *",
    read_data_percent: null,
    next_run_at: NOW + 20 * HOUR,
    last_run: { job_id: id(1), at: NOW - 4 * HOUR, status: "failed", reason: HOSTILE },
    last_success_at: NOW - 9 * DAY,
    off_because: null,
    uses_admin_credential: false,
  },
  {
    kind: "prune",
    enabled: true,
    cron: "0 4 * * 0",
    read_data_percent: null,
    next_run_at: null,
    last_run: null,
    last_success_at: null,
    off_because: problem("no_admin_credential", NOW - DAY, {}),
    uses_admin_credential: false,
  },
  {
    kind: "check",
    enabled: false,
    cron: "0 5 1 * *",
    read_data_percent: 5,
    next_run_at: null,
    last_run: { job_id: id(2), at: NOW - 21 * DAY, status: "succeeded", reason: null },
    last_success_at: NOW - 21 * DAY,
    off_because: null,
    uses_admin_credential: false,
  },
];

export const maintenance = (changes: Partial<MaintenanceProps> = {}): MaintenanceProps => ({
  frame: frame(),
  repository: {
    id: id(70),
    total_size: 40 * GIB,
    restore_size: 410 * GIB,
    snapshots_count: 1204,
    admin_credential_set: true,
  },
  tasks: TASKS,
  leases: [
    {
      job_id: id(3),
      kind: "prune",
      host_id: id(4),
      host_name: HOSTILE,
      online: false,
      since: NOW - 2 * HOUR,
    },
  ],
  locks: [
    {
      id: "a1".repeat(32),
      at: NOW - 3 * HOUR,
      exclusive: true,
      hostname: HOSTILE,
      username: "root",
      pid: 4711,
      isStale: true,
    },
    {
      id: "b2".repeat(32),
      at: NOW - MINUTE,
      exclusive: false,
      hostname: LONG,
      username: null,
      pid: null,
      isStale: false,
    },
  ],
  locks_seen_at: NOW - 8 * MINUTE,
  holders: [
    { id: id(4), name: "web-01", isNamed: true, waits_since: null },
    { id: id(6), name: HOSTILE, isNamed: true, waits_since: NOW - HOUR },
    { id: id(1), name: LONG, isNamed: false, waits_since: null },
  ],
  hiddenHosts: 12,
  noHolder: null,
  mayChange: true,
  mayChangeAdmin: true,
  errors: {},
  ...changes,
});
