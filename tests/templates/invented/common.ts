// What the samples share: a time, names that are long, foreign or hostile, the frame of a page.
import type { Progress } from "../../../shared/job.ts";
import { problem } from "../../../shared/problems.ts";
import type { Fleet, FrameProps } from "../../../templates/layout.tsx";
import type { DayState } from "../../../templates/parts/strip.tsx";
import type { Role } from "../../../shared/shapes/user.ts";
import type { Child } from "hono/jsx";

/** Pages by a name that says what is in them. */
export type Pages = Record<string, () => Child>;

export const NOW = Date.UTC(2026, 10, 22, 3, 12, 45);
export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
export const GIB = 2 ** 30;
export const HOSTILE = `<script>alert(1)</script>"'&\u202Egnp.exe\u001b[31mred ${"x".repeat(150)}`;
export const LONG = `${"very-long-host-name-".repeat(10)}01`.slice(0, 200);
export const RTL = "خادم-النسخ-الاحتياطي";
export const id = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`;
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

export const fleet = (ok: number, attention: number, running = 1, offline = 1): Fleet => ({
  ok,
  attention,
  running,
  offline,
  total: ok + attention + running + offline,
});

export const NOBODY: FrameProps = { ...frame(), user: null, fleet: fleet(0, 0, 0, 0) };
export const progress = (percent: number): Progress => ({
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

export function days(kind: number): DayState[] {
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

export const backupProblem = (
  code: "backup_failed" | "backup_warnings",
  reason: string,
  reason_code: string | null,
) => problem(code, NOW - DAY, { job_id: id(1001), reason, reason_code, warnings: 3 });

export const CHOICES = [
  { id: id(70), name: "office nas", url: "rest:https://nas.example.org:8000/web-01/" },
  { id: id(71), name: HOSTILE, url: `s3:https://s3.example.org/${LONG}` },
];
