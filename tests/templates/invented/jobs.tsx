// Lists of jobs.
import type { JobStatus } from "../../../shared/job.ts";
import { JobListPage } from "../../../templates/jobs/list.tsx";
import type { JobRowData } from "../../../templates/jobs/view.ts";
import { CHOICES, frame, HOSTILE, id, LONG, MINUTE, NOW, type Pages, RTL } from "./common.ts";

const STATUSES: JobStatus[] = [
  "running",
  "queued",
  "succeeded",
  "failed",
  "interrupted",
  "cancelled",
  "skipped",
];

export const jobRows = (n: number): JobRowData[] =>
  Array.from({ length: n }, (_, i) => {
    const status = STATUSES[i % 7]!;
    const hasStarted = status !== "queued" && status !== "skipped";
    return {
      id: id(2000 + i),
      kind: i % 6 === 4 ? "init" : i % 6 === 5 ? "stats" : "backup",
      host_name: i === 3 ? HOSTILE : i === 5 ? RTL : `web-${i}`,
      repositoryName: "office nas",
      source_group_name: i % 6 > 3 ? null : i === 8 ? LONG : "home",
      status,
      warnings: i % 9 === 2 ? 3 : 0,
      reason: status === "failed" ? "Wrong repository password." : null,
      actor: i % 4 === 0 ? { kind: "system", name: "server" } : { kind: "user", name: "alice" },
      created_at: NOW - i * 11 * MINUTE,
      started_at: hasStarted ? NOW - i * 11 * MINUTE : null,
      finished_at: hasStarted && status !== "running" ? NOW - i * 11 * MINUTE + 72_000 : null,
      duration_seconds: hasStarted && status !== "running" ? 72 : null,
      summary: status === "succeeded" ? { bytes_added: i * 1e7 } : null,
    };
  });

export const jobsPages: Pages = {
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
};
