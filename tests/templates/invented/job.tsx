// One job with its log.
import type { StoredLine } from "../../../shared/shapes/job.ts";
import { JobPage } from "../../../templates/jobs/page.tsx";
import type { JobView } from "../../../templates/jobs/view.ts";
import type { Role } from "../../../shared/shapes/user.ts";
import { DAY, frame, GIB, HOSTILE, id, NOW, type Pages, progress } from "./common.ts";

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

const lines = (n: number, from = 1): StoredLine[] =>
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

export const jobPages: Pages = {
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
};
