// Source groups and their form.
import type { JobStatus } from "../../../shared/job.ts";
import {
  SourceFormPage,
  type SourceFormProps,
  type SourceFormValues,
} from "../../../templates/hosts/source_form.tsx";
import { SourcesPage } from "../../../templates/hosts/sources.tsx";
import { DAY, frame, HOSTILE, HOUR, id, MINUTE, NOW, type Pages } from "./common.ts";
import { BROKEN_HOST, hostProps, hostView, NEW_HOST } from "./host.tsx";

const GROUP = {
  id: id(50),
  name: "default",
  includes: ["/etc", "/home", "/var/www"],
  excludes: ["*.tmp"],
  iexcludes: ["/home/*/.cache"],
  snapshot_tag: "system",
  warnings: ["The exclude pattern /var/cache can match nothing: it lies in none of the paths."],
  retention: { keep_last: 7, keep_daily: 14, keep_weekly: 8 },
  retry_max: 2,
  retry_backoff_seconds: 60,
  hooks: [] as { name: "pre_hook"; from: "host" }[],
  last_run: {
    job_id: id(1004),
    at: NOW - 8 * MINUTE,
    status: "succeeded" as JobStatus,
    warnings: 0,
  },
};

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

const NO_HEIRS = { heirs: [], isAdmin: true };
const PREVIEW: SourceFormProps["preview"] = {
  keep: Array.from({ length: 30 }, (_, n) => ({
    id: "ab".repeat(32),
    time: NOW - n * DAY,
    reasons: ["daily", "within 30d"],
  })),
  remove: [{ id: "cd".repeat(32), time: NOW - 40 * DAY, reasons: [] }],
  held: "it would remove 20 of the 31 snapshots that were kept until now",
  refreshed_at: NOW - HOUR,
  withheld: 2,
};

export const HOOK_TEXT = "set -e\npg_dump --format=custom shop > /var/backups/shop.dump";
const NO_HOOKS: SourceFormProps["hooks"] = [
  { hook: "pre_hook", cannotDecrypt: false, inForce: null },
  { hook: "post_hook", cannotDecrypt: false, inForce: null },
];

export const sourcesPages: Pages = {
  "host-sources": () => (
    <SourcesPage
      {...hostProps(hostView())}
      groups={[GROUP, {
        ...GROUP,
        id: id(51),
        name: "databases",
        excludes: [],
        iexcludes: [],
        retention: {},
        retry_max: 0,
        hooks: [
          { name: "pre_hook" as const, from: "group" as const },
          { name: "post_hook" as const, from: "host" as const },
        ],
        last_run: null,
      }]}
      refused={{
        what: id(51),
        field: "bandwidth_up_kbps",
        message: "bandwidth_up_kbps must be a whole number of KiB/s, or blank for no limit",
        bandwidth_up_kbps: "fast",
        bandwidth_down_kbps: "",
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
      host={{ id: id(4), name: "web-01", os: "linux", online: true, snapshot_host: "web-01" }}
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
      host={{ id: id(4), name: "web-01", os: "windows", online: true, snapshot_host: "web-01" }}
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
      host={{ id: id(4), name: HOSTILE, os: "linux", online: false, snapshot_host: HOSTILE }}
      hooks={[{ hook: "pre_hook", cannotDecrypt: true, inForce: { from: "group", text: null } }, {
        hook: "post_hook",
        cannotDecrypt: false,
        inForce: null,
      }]}
      mayEditHooks={false}
      group={{ id: id(50), name: HOSTILE, snapshot_tag: HOSTILE }}
      heirs={[{ id: id(51), name: HOSTILE }]}
      isAdmin={false}
      values={{ ...NO_GROUP, name: HOSTILE, includes: "\n/etc", keep_last: "7", keep_daily: "14" }}
      errors={{
        name: "name must be at most 64 characters",
        keep_within: "keep_within must be a duration such as 30d, 6m or 1y6m",
      }}
    />
  ),
};
