// The snapshots of a host.
import {
  SnapshotListPage,
  type SnapshotListPageProps,
} from "../../../templates/snapshots/list.tsx";
import { SnapshotsPage } from "../../../templates/hosts/snapshots.tsx";
import {
  DAY,
  frame,
  GIB,
  HOSTILE,
  HOUR,
  id,
  LONG,
  MINUTE,
  NOW,
  type Pages,
  RTL,
} from "./common.ts";
import { BROKEN_HOST, hostProps, hostView, NEW_HOST } from "./host.tsx";

const TODAY = Math.floor(NOW / DAY);

export const snapshots = (n: number, paths = ["/etc", "/home", "/var/www"], tag = "default") =>
  Array.from({ length: n }, (_, i) => ({
    id: (0x1a2b3c4d + i * 7_654_321).toString(16).padStart(8, "0").slice(-8).repeat(8),
    time: NOW - i * 7.3 * HOUR,
    tags: [tag],
    paths,
    repository_id: id(70),
    host: "web-01",
    host_id: i === 5 ? null : id(1),
    host_name: i === 5 ? null : "web-01",
    time_zone: i === 5 ? null : i % 2 ? "UTC" : "Europe/Berlin",
    files: i % 4 === 3 ? null : 20_104 + i,
    bytes: i % 4 === 3 ? null : 2 * GIB + i * 1e6,
    job_id: i === 2 ? null : id(1000 + i),
    seconds: i === 2 ? null : 40 + i * 71,
    incomplete: i === 2 ? null : i === 1,
    much_smaller: i === 1 || i === 6,
    pinned: i === 3 || i === 7,
    pin: i === 3 || i === 7 ? { by: "olive", at: NOW - DAY, reason: "before the move" } : null,
    listed: i !== 7,
    ours: i !== 2 && i !== 4,
    withheld: i === 4,
  }));

const listPage = (more: Partial<SnapshotListPageProps>) => (
  <SnapshotListPage
    frame={frame()}
    repository={{ id: id(70), name: "office nas", listing_at: NOW - 3 * DAY }}
    snapshots={snapshots(12)}
    filter={{ host: "", tag: "", path: "", from: "", to: "" }}
    days={Array.from({ length: 40 }, (_, n) => TODAY - n * 2)}
    lastDay={TODAY}
    unlisted={[]}
    nextCursor="abc"
    isFirstPage
    mayRun
    {...more}
  />
);

export const snapshotsPages: Pages = {
  "repository-snapshots": () => listPage({}),
  "repository-snapshots-none": () =>
    listPage({
      snapshots: [],
      filter: { host: HOSTILE, tag: "x", path: RTL, from: "2026-11-01", to: "" },
      error: "from must be a time such as 2026-11-22 or 2026-11-22T03:00:00Z.",
      nextCursor: null,
      days: [],
      mayRun: false,
    }),
  "repository-snapshots-hostile": () =>
    listPage({
      repository: { id: id(70), name: LONG, listing_at: null },
      snapshots: snapshots(30, ["/home", HOSTILE, RTL, ...Array(20).fill("/a/b")], HOSTILE)
        .map((each, n) => ({ ...each, host: HOSTILE, host_name: n % 2 ? LONG : null })),
      unlisted: [{ id: "ab".repeat(32), repository_id: id(70), time: NOW - 90 * DAY, host: RTL }],
      isFirstPage: false,
    }),
  "host-snapshots": () => (
    <SnapshotsPage
      {...hostProps(hostView())}
      snapshots={snapshots(12)}
      refreshed_at={NOW - 8 * MINUTE}
      days={[1, 2, 3, 5, 8, 13, 21, 22, 34, 55].map((n) => TODAY - n)}
      unlisted={[]}
      losses={[{ noticed_at: NOW - 2 * HOUR, count: 3 }]}
      nextCursor="abc"
      isFirstPage
    />
  ),
  "host-snapshots-none": () => (
    <SnapshotsPage
      {...hostProps(NEW_HOST)}
      snapshots={[]}
      days={[]}
      unlisted={[]}
      refreshed_at={null}
      losses={[]}
      nextCursor={null}
      isFirstPage
    />
  ),
  "host-snapshots-broken": () => (
    <SnapshotsPage
      {...hostProps(BROKEN_HOST, "viewer")}
      snapshots={[]}
      days={[]}
      unlisted={[]}
      refreshed_at={null}
      losses={[]}
      nextCursor={null}
      isFirstPage
    />
  ),
  "host-snapshots-many": () => (
    <SnapshotsPage
      {...hostProps({ ...BROKEN_HOST, snapshots_count: 10_000 })}
      snapshots={snapshots(30, ["/home", HOSTILE, RTL, ...Array(20).fill("/a/b")], HOSTILE)}
      days={[]}
      unlisted={[{
        id: "ab".repeat(32),
        repository_id: id(70),
        time: NOW - 90 * DAY,
        host: HOSTILE,
      }]}
      refreshed_at={NOW - 2 * DAY}
      losses={[]}
      nextCursor="abc"
      isFirstPage={false}
    />
  ),
};
