// What differs between two snapshots, and files that were found.
import { FindPage, type FindPageProps } from "../../../templates/find/page.tsx";
import type { FindResultsProps, FoundFileView } from "../../../templates/find/results.tsx";
import { DiffPage, type DiffPageProps } from "../../../templates/snapshots/diff.tsx";
import type { DiffItem, SnapshotDiff } from "../../../shared/shapes/diff.ts";
import { DAY, frame, HOSTILE, HOUR, id, LONG, NOW, type Pages, RTL } from "./common.ts";
import { SNAPSHOT } from "./snapshot.tsx";

const READER = { id: id(1), name: "web-01", is_source: true };
const BASE = { ...SNAPSHOT, id: "0badcafe".repeat(8), time: NOW - 32 * HOUR };
const NOTHING = { added: 0, removed: 0, changed: 0, metadata: 0 };
const SIDE = { files: 31, folders: 2, others: 0, bytes: 123_456_789 };

const item = (name: string, more: Partial<DiffItem> = {}): DiffItem => ({
  name,
  path: `/home/${name}`,
  type: "file",
  change: "changed",
  type_changed: false,
  suspect: false,
  exact: !name.includes("\ufffd"),
  below: NOTHING,
  ...more,
});

const diff = (items: DiffItem[], more: Partial<SnapshotDiff> = {}): SnapshotDiff => ({
  items,
  next_cursor: null,
  snapshot_id: SNAPSHOT.id,
  with: BASE.id,
  repository_id: SNAPSHOT.repository_id,
  path: "/home",
  q: "",
  reader: READER,
  added: 31,
  removed: 4,
  changed: 12_345,
  metadata: 2,
  matching: items.length,
  cut: false,
  left_out: 0,
  statistics: { changed_files: 12, added: SIDE, removed: SIDE },
  ...more,
});

const diffPage = (view: DiffPageProps["view"], more: Partial<DiffPageProps> = {}) => (
  <DiffPage
    frame={frame()}
    repository_id={SNAPSHOT.repository_id}
    repository_name={SNAPSHOT.repository_name}
    snapshot={SNAPSHOT}
    base={BASE}
    choice={{ path: "/home", q: "" }}
    crumbs={[{ name: "home", path: "/home" }]}
    view={view}
    {...more}
  />
);

const ready = (items: DiffItem[], more: Partial<SnapshotDiff> = {}) => ({
  state: "ready" as const,
  diff: diff(items, more),
  previousCursor: undefined,
});

const version = (n: number, more = {}) => ({
  size: 1_234_567 - n * 1000,
  modified_at: NOW - n * 3 * DAY,
  type: "file" as const,
  snapshot_id: `${n}`.repeat(64),
  snapshot_at: NOW - n * 2 * DAY,
  snapshots: n,
  ...more,
});

const file = (path: string, more: Partial<FoundFileView> = {}): FoundFileView => ({
  path,
  exact: !path.includes("\ufffd"),
  host_name: "web-01",
  host_id: id(1),
  repository_id: id(70),
  versions: [version(1), version(2)],
  more: 0,
  missing: null,
  ...more,
});

const results = (
  files: FoundFileView[],
  more: Partial<FindResultsProps> = {},
): FindResultsProps => ({
  state: { snapshots: 120, searched: 120, matches: 40, cut: false, not_searched: [] },
  ended: "done",
  files,
  total: files.length,
  mayDownload: true,
  isOfHost: false,
  ...more,
});

const FORM = {
  pattern: "report",
  mode: "part",
  case: "ignore",
  host: "",
  repository: "",
  newer: "",
  older: "",
  min_size: "",
  max_size: "",
};

const findPage = (found: FindPageProps["results"], more: Partial<FindPageProps> = {}) => (
  <FindPage frame={frame()} form={FORM} scope={null} results={found} {...more} />
);

const FILES = [
  file("/home/anna/report.pdf"),
  file("/home/bob/Report 2025.ods", {
    versions: [version(3)],
    missing: { snapshot_id: "9".repeat(64), time: NOW - DAY, job_id: id(1001) },
  }),
];

export const findPages: Pages = {
  "diff": () =>
    diffPage(
      ready([
        item("anna", { type: "folder", change: null, below: { ...NOTHING, added: 3, removed: 1 } }),
        item("bob", { type: "folder", change: "added", below: { ...NOTHING, added: 12_345 } }),
        item("notes.txt"),
        item("old.txt", { change: "removed" }),
        item("rotten.jpg", { suspect: true }),
        item("was a folder", { type_changed: true }),
        item("mode", { change: "metadata" }),
      ]),
    ),
  "diff-operator": () => diffPage(ready([item("notes.txt")], { statistics: null })),
  "diff-nothing": () => diffPage(ready([], { ...NOTHING, path: "/" }), { crumbs: [] }),
  "diff-filter-none": () => diffPage(ready([]), { choice: { path: "/home", q: "nothing" } }),
  "diff-waiting": () => diffPage({ state: "waiting", reader: READER }),
  "diff-failed": () =>
    diffPage({
      state: "failed",
      title: "No machine that can read it is online",
      sentence: "No machine that can read this snapshot is online: start the agent on web-01.",
    }),
  "diff-hostile": () =>
    diffPage(
      ready(
        [HOSTILE, RTL, LONG, "caf\ufffd", "two\nlines"].map((name, n) =>
          item(name, {
            type: n % 2 ? "folder" : "file",
            below: n % 2 ? { added: 1, removed: 2, changed: 3, metadata: 4 } : NOTHING,
          })
        ),
        { cut: true, left_out: 3, next_cursor: "80", q: HOSTILE },
      ),
      {
        choice: { path: `/${HOSTILE}`, q: HOSTILE },
        crumbs: [HOSTILE, RTL, LONG].map((name) => ({ name, path: `/${name}` })),
        snapshot: { ...SNAPSHOT, source: null, hostname: HOSTILE },
        repository_name: HOSTILE,
      },
    ),
  "find": () => findPage(null, { form: { ...FORM, pattern: "" } }),
  "find-found": () => findPage(results(FILES)),
  "find-of-host": () =>
    findPage(results(FILES, { isOfHost: true, mayDownload: false }), {
      form: { ...FORM, host: id(1) },
      scope: { kind: "host", name: "web-01" },
    }),
  "find-searching": () =>
    findPage(
      results(FILES, {
        ended: null,
        state: { snapshots: 120, searched: 26, matches: 3, cut: false, not_searched: [] },
      }),
    ),
  "find-nothing": () =>
    findPage(
      results([], {
        state: {
          snapshots: 120,
          searched: 100,
          matches: 0,
          cut: false,
          not_searched: [{
            repository_id: id(70),
            repository: "office nas",
            snapshots: 20,
            why: "No machine that can read this snapshot is online: start the agent on web-01.",
          }],
        },
      }),
    ),
  "find-refused": () =>
    findPage(null, {
      error: "pattern must be a pattern of * ? and [abc].",
      form: { ...FORM, pattern: "[" },
    }),
  "find-hostile": () =>
    findPage(
      results(
        [HOSTILE, RTL, LONG, "caf\ufffd", "two\nlines"].map((name) =>
          file(`/${name}`, {
            host_name: name,
            more: 12_345,
            versions: [1, 2, 3].map((n) => version(n)),
          })
        ),
        {
          total: 400,
          ended: "timed_out",
          state: {
            snapshots: 2000,
            searched: 3,
            matches: 5000,
            cut: true,
            not_searched: [HOSTILE, RTL, LONG, ""].map((name) => ({
              repository_id: id(70),
              repository: name,
              snapshots: 7,
              why: HOSTILE,
            })),
          },
        },
      ),
      {
        form: { ...FORM, pattern: HOSTILE, repository: id(70) },
        scope: { kind: "repository", name: HOSTILE },
      },
    ),
};
