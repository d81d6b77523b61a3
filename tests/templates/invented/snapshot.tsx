// One snapshot and a folder of it.
import { PreviewPage, type PreviewPageProps } from "../../../templates/snapshots/preview.tsx";
import { SnapshotPage, type SnapshotPageProps } from "../../../templates/snapshots/page.tsx";
import { ByHandPage } from "../../../templates/snapshots/by_hand.tsx";
import type { SnapshotTree, TreeEntry } from "../../../shared/shapes/tree.ts";
import { TREE_ENTRY_TYPES } from "../../../shared/tree.ts";
import { DAY, frame, GIB, HOSTILE, HOUR, id, LONG, NOW, type Pages, RTL } from "./common.ts";

export const SNAPSHOT = {
  id: "1a2b3c4d".repeat(8),
  time: NOW - 8 * HOUR,
  hostname: "web-01",
  username: "root",
  tags: ["default"],
  paths: ["/etc", "/home", "/var/www"],
  files: 20_104,
  bytes: 2 * GIB,
  bytes_added: 12e6,
  withheld: false,
  repository_id: id(70),
  repository_name: "office nas",
  source: { id: id(1), name: "web-01", os: "linux", time_zone: "Europe/Berlin" },
  job: { id: id(1001), warnings: 0, seconds: 192 },
  incomplete: false,
  much_smaller: false,
  before: null,
  pin: null,
  listed: true,
};

const entry = (n: number, more: Partial<TreeEntry> = {}): TreeEntry => ({
  name: `report ${n}.pdf`,
  path: `/home/report ${n}.pdf`,
  type: "file",
  size: n * 1_234_567,
  mtime: NOW - n * 1.7 * DAY,
  mode: "0644",
  uid: 1000,
  gid: 1000,
  ...more,
});

const folder = (name: string, path = `/home/${name}`) =>
  entry(1, { name, path, type: "folder", size: null, mode: "0755" });

const tree = (items: TreeEntry[], more: Partial<SnapshotTree> = {}): SnapshotTree => ({
  items,
  next_cursor: null,
  snapshot_id: SNAPSHOT.id,
  repository_id: SNAPSHOT.repository_id,
  path: "/home",
  reader: { id: id(1), name: "web-01", is_source: true },
  reader_host_id: id(1),
  total: items.length,
  matching: items.length,
  cut: false,
  left_out: 0,
  ...more,
});

const page = (more: Partial<SnapshotPageProps>) => (
  <SnapshotPage
    frame={frame()}
    snapshot={SNAPSHOT}
    choice={{ path: "/home", sort: "name", order: "asc", q: "" }}
    crumbs={[{ name: "home", path: "/home" }]}
    others={{
      before: "0badcafe".repeat(8),
      all: [1, 2, 3].map((n) => ({ id: `${n}`.repeat(64), time: NOW - n * DAY })),
    }}
    mayPin
    isAdmin
    tree={{
      state: "ready",
      tree: tree([folder("alice"), folder("bob"), ...[3, 4, 5].map((n) => entry(n))]),
      previousCursor: undefined,
    }}
    downloads="on"
    {...more}
  />
);

const preview = (state: PreviewPageProps["preview"], name = "report.txt") => (
  <PreviewPage
    frame={frame()}
    snapshot={SNAPSHOT}
    path={`/home/${name}`}
    name={name}
    folder={`/snapshots/${SNAPSHOT.id}?path=%2Fhome`}
    preview={state}
  />
);
const READER = { id: id(1), name: "web-01", is_source: true };
const ready = (shown: Extract<PreviewPageProps["preview"], { state: "ready" }>["shown"]) => ({
  state: "ready" as const,
  reader: READER,
  size: 12_345,
  shown,
});

const failed = (title: string, sentence: string) => ({ state: "failed" as const, title, sentence });

export const snapshotPages: Pages = {
  "snapshot-by-hand": () =>
    ByHandPage({
      frame: frame(),
      snapshot: { ...SNAPSHOT },
      text: `export RESTIC_REPOSITORY='rest:https://alice:${
        "x".repeat(60)
      }@backup.example.org/alice/'\nexport RESTIC_PASSWORD='a <b>password</b>'\nrestic snapshots\nrestic ls ${
        SNAPSHOT.id.slice(0, 63)
      }\nrestic restore ${SNAPSHOT.id.slice(0, 63)} --target /srv/restore\n`,
    }),
  "snapshot-operator": () => page({ downloads: null }),
  "snapshot-downloads-off": () => page({ downloads: "off" }),
  "preview-text": () =>
    preview(
      ready({
        kind: "text",
        text: `# Made by hand\n\nlisten = 127.0.0.1\n\ttab\n${HOSTILE}\n${RTL}\n${
          "long ".repeat(100)
        }\n\ufffd`,
        encoding: "utf-8",
      }),
      HOSTILE,
    ),
  "preview-image": () => preview(ready({ kind: "image" }), HOSTILE),
  "preview-empty": () => preview(ready({ kind: "text", text: "", encoding: "utf-8" })),
  "preview-binary": () => preview(ready({ kind: "binary" })),
  "preview-large": () => preview(ready({ kind: "large", limit: 1_048_576 })),
  "preview-waiting": () => preview({ state: "waiting", reader: READER }),
  "preview-failed": () =>
    preview(failed("It is not there", "/home/report.txt is not in this snapshot.")),
  "snapshot": () => page({}),
  "snapshot-pinned": () =>
    page({
      snapshot: {
        ...SNAPSHOT,
        pin: { by: "olive", at: NOW - DAY, reason: "before the move to the new cluster" },
      },
    }),
  "snapshot-waiting": () =>
    page({ tree: { state: "waiting", reader: { id: id(1), name: "web-01", is_source: true } } }),
  "snapshot-empty": () =>
    page({ tree: { state: "ready", tree: tree([]), previousCursor: undefined } }),
  "snapshot-filter-none": () =>
    page({
      choice: { path: "/home", sort: "size", order: "desc", q: "nothing" },
      tree: {
        state: "ready",
        tree: tree([], { total: 12_345, matching: 0 }),
        previousCursor: undefined,
      },
    }),
  "snapshot-offline": () =>
    page({
      tree: failed(
        "No machine that can read it is online",
        "No machine that can read this snapshot is online: start the agent on web-01, or on another of the 3 hosts of office nas.",
      ),
    }),
  "snapshot-hostile": () =>
    page({
      snapshot: {
        ...SNAPSHOT,
        hostname: HOSTILE,
        username: HOSTILE,
        tags: [HOSTILE, RTL],
        paths: [HOSTILE, RTL, ...Array(40).fill("/a/b")],
        repository_name: HOSTILE,
        source: null,
        job: { id: id(3), warnings: 3, seconds: null },
        incomplete: true,
        much_smaller: true,
        before: { id: "cd".repeat(32), files: 40_000, bytes: 9 * GIB },
        pin: { by: LONG, at: NOW - DAY, reason: HOSTILE },
        listed: false,
      },
      choice: { path: `/${HOSTILE}`, sort: "time", order: "desc", q: HOSTILE },
      crumbs: [HOSTILE, RTL, LONG, "two\nlines"].map((name) => ({ name, path: `/${name}` })),
      tree: {
        state: "ready",
        tree: tree([
          folder(HOSTILE),
          folder(RTL),
          folder("caf\ufffd", "bytes:/home/caf%E9"),
          folder(LONG),
          folder("two\nlines"),
          ...TREE_ENTRY_TYPES.map((type, n) =>
            entry(n, { type, name: `${type} ${"x".repeat(n * 30)}`, mtime: n ? NOW : null })
          ),
          ...Array.from({ length: 40 }, (_, n) => entry(n + 10, { mode: "4755" })),
        ], {
          total: 100_000,
          matching: 72,
          next_cursor: "144",
          cut: true,
          left_out: 3,
          reader: { id: id(2), name: LONG, is_source: false },
        }),
        previousCursor: null,
      },
    }),
};
