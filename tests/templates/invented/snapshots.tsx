// The snapshots of a host.
import { SnapshotsPage } from "../../../templates/hosts/snapshots.tsx";
import { DAY, GIB, HOSTILE, HOUR, id, MINUTE, NOW, type Pages, RTL } from "./common.ts";
import { BROKEN_HOST, hostProps, hostView, NEW_HOST } from "./host.tsx";

export const snapshots = (n: number, paths = ["/etc", "/home", "/var/www"], tag = "default") =>
  Array.from({ length: n }, (_, i) => ({
    id: (0x1a2b3c4d + i * 7_654_321).toString(16).padStart(8, "0").slice(-8).repeat(8),
    time: NOW - i * 7.3 * HOUR,
    tags: [tag],
    paths,
    hostname: "web-01",
    username: "root",
    parent: null,
    files: i % 4 === 3 ? null : 20_104 + i,
    bytes: i % 4 === 3 ? null : 2 * GIB + i * 1e6,
    bytes_added: i % 4 === 3 ? null : 12e6 * (i + 1),
    job_id: i === 2 ? null : id(1000 + i),
    ours: i !== 2 && i !== 4,
    withheld: i === 4,
  }));

export const snapshotsPages: Pages = {
  "host-snapshots": () => (
    <SnapshotsPage
      {...hostProps(hostView())}
      snapshots={snapshots(12)}
      refreshed_at={NOW - 8 * MINUTE}
      losses={[{ noticed_at: NOW - 2 * HOUR, count: 3 }]}
      nextCursor="abc"
      isFirstPage
    />
  ),
  "host-snapshots-none": () => (
    <SnapshotsPage
      {...hostProps(NEW_HOST)}
      snapshots={[]}
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
      refreshed_at={null}
      losses={[]}
      nextCursor={null}
      isFirstPage
    />
  ),
  "host-snapshots-many": () => (
    <SnapshotsPage
      {...hostProps({ ...BROKEN_HOST, snapshots_count: 10_000 })}
      snapshots={snapshots(40, ["/home", HOSTILE, RTL, ...Array(20).fill("/a/b")], HOSTILE)}
      refreshed_at={NOW - 2 * DAY}
      losses={[]}
      nextCursor="abc"
      isFirstPage={false}
    />
  ),
};
