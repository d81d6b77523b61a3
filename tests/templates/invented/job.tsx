// One job with its log.
import type { StoredLine } from "../../../shared/shapes/job.ts";
import { JobPage } from "../../../templates/jobs/page.tsx";
import type { JobView } from "../../../templates/jobs/view.ts";
import type { Role } from "../../../shared/shapes/user.ts";
import { DAY, frame, GIB, HOSTILE, id, NOW, type Pages, progress } from "./common.ts";

const jobView = (changes: Partial<JobView> = {}): JobView => ({
  id: id(1004),
  kind: "backup",
  host_id: id(4),
  host_name: "web-01",
  repository_id: id(70),
  repositoryName: "office nas",
  source_group_name: "home",
  source_group_id: id(50),
  status: "running",
  actor: { kind: "user", name: "alice" },
  created_at: NOW - 33_000,
  started_at: NOW - 31_000,
  finished_at: null,
  duration_seconds: null,
  host_started_at: null,
  host_finished_at: null,
  isHostClockOther: false,
  exit_code: null,
  reason: null,
  reason_code: null,
  warnings: 0,
  bandwidth_up_kbps: 2048,
  bandwidth_down_kbps: null,
  cancel_requested_at: null,
  waitsFor: null,
  restic_version: "0.18.0",
  progress: progress(62),
  summary: null,
  attempt: 1,
  scheduled_at: null,
  catch_up: false,
  dry_run: false,
  forgotten: null,
  restore: null,
  withheld: null,
  accepted_at: null,
  accepted_by: null,
  lines_cut: 0,
  lines_removed_at: null,
  ...changes,
});

type Restore = NonNullable<JobView["restore"]>;

const restored = (changes: Partial<JobView>, result: Partial<Restore["result"]>): JobView =>
  jobView({
    ...ENDED,
    kind: "restore",
    source_group_name: null,
    source_group_id: null,
    restore: {
      snapshot_id: "1a2b3c4d".repeat(8),
      items_count: 7,
      first_items: [
        "/home/anna/letters",
        "/home/anna/photos",
        "bytes:/caf%E9",
        `/${HOSTILE}`,
        "/a",
        "/b",
      ],
      target: { kind: "folder", path: "/srv/restore/1a2b3c4d-20261126-0915", keep_paths: true },
      overwrite: "always",
      verify: true,
      result: {
        entries: 20_104,
        bytes: 2 * GIB,
        written: 0,
        same: 0,
        kept: 0,
        failed: 0,
        attributes: 0,
        failures: [],
        target: "/srv/restore/1a2b3c4d-20261126-0915",
        opened_for: null,
        checked: true,
        verified: true,
        continued: false,
        undo_snapshot: null,
        ...result,
      },
    },
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

const ENDED = { progress: null, finished_at: NOW - 2000, duration_seconds: 29 };

export const jobPages: Pages = {
  "job-running": () => jobPage(jobView(), 200),
  "job-starting": () =>
    jobPage(
      jobView({ progress: null, actor: { kind: "system", name: "" }, bandwidth_up_kbps: null }),
      0,
    ),
  "job-queued": () =>
    jobPage(
      jobView({
        status: "queued",
        started_at: null,
        waitsFor: { jobId: id(9), title: "Backup of “etc” on web-01" },
      }),
      0,
    ),
  "job-waits-for-another-host": () =>
    jobPage(
      jobView({
        status: "queued",
        started_at: null,
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
        exit_code: 0,
        host_started_at: NOW - 400 * DAY,
        host_finished_at: NOW - 400 * DAY + 29_000,
        isHostClockOther: true,
      }),
      12,
    ),
  "job-succeeded": () =>
    jobPage(jobView({ ...ENDED, status: "succeeded", summary: SUMMARY, exit_code: 0 }), 12),
  "job-warnings": () =>
    jobPage(
      jobView({
        ...ENDED,
        status: "succeeded",
        warnings: 2,
        reason: "A snapshot was made, but 2 files could not be read.",
        reason_code: "source_unreadable",
        summary: SUMMARY,
        exit_code: 3,
      }),
      12,
    ),
  "job-withheld": () =>
    jobPage(
      jobView({
        status: "failed",
        finished_at: NOW,
        progress: null,
        reason:
          "Nothing was saved: /srv/data is a link, and restic saves the link, not what it points to.",
        reason_code: "nothing_saved",
        withheld: "nothing_saved",
        summary: { ...SUMMARY, files_new: 0, files_changed: 0, files_unmodified: 0 },
      }),
      20,
    ),
  "job-accepted": () =>
    jobPage(
      jobView({
        status: "succeeded",
        finished_at: NOW,
        progress: null,
        reason: "Far less than usual was saved: 12 files, usually 4000.",
        reason_code: "less_than_usual",
        withheld: "less_than_usual",
        accepted_by: HOSTILE,
        accepted_at: NOW,
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
        reason_code: "wrong_password",
        exit_code: 12,
      }),
      6,
    ),
  "job-locked": () =>
    jobPage(
      jobView({
        ...ENDED,
        status: "failed",
        reason: "The repository is locked by web-01, since 3 h.",
        reason_code: "locked",
        exit_code: 11,
      }),
      6,
    ),
  "job-interrupted": () =>
    jobPage(
      jobView({ ...ENDED, status: "interrupted", reason: "The agent was ended while it ran." }),
      6,
      "viewer",
    ),
  "job-restored": () =>
    jobPage(
      restored({ status: "succeeded", reason: null }, {
        written: 20_090,
        same: 14,
        opened_for: 1000,
        undo_snapshot: "77".repeat(32),
      }),
      12,
    ),
  "job-restore-not-whole": () =>
    jobPage(
      restored({
        status: "failed",
        reason_code: "not_whole",
        reason:
          "Not whole: 2 of 20104 files and folders are not as they are in the snapshot, such as /home/anna/film.mkv: no space left on device.",
      }, {
        written: 20_102,
        failed: 2,
        attributes: 1,
        failures: [
          {
            path: "/home/anna/film.mkv",
            problem: "write /srv/restore/1a2b3c4d/home/anna/film.mkv: no space left on device",
          },
          { path: `/${HOSTILE}`, problem: HOSTILE },
          { path: "/home/anna/one", problem: "lchown: operation not permitted" },
        ],
      }),
      12,
    ),
  "job-restore-dry-run": () =>
    jobPage(
      restored({ status: "succeeded", reason: null, dry_run: true }, {
        written: 20_104,
        target: null,
      }),
      6,
    ),
  "job-hostile": () =>
    jobPage(
      jobView({
        host_name: HOSTILE,
        source_group_name: HOSTILE,
        actor: { kind: "user", name: HOSTILE },
        progress: { ...progress(3), current_path: `/${HOSTILE.repeat(20)}` },
      }),
      40,
    ),
};
