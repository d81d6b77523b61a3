// What do I have: the snapshots of a host, by day.
import { bytes, clock, count, day, dayInWords, middleCut, plural } from "../format.ts";
import { visible } from "../../shared/redact.ts";
import { Copyable } from "../parts/copyable.tsx";
import { PostButton } from "../parts/csrf.tsx";
import { Empty } from "../parts/empty.tsx";
import { Tags } from "../parts/name.tsx";
import { Pager } from "../parts/pager.tsx";
import { At, Time } from "../parts/time.tsx";
import { lossInWords } from "../repositories/maintenance.tsx";
import { HostFrame, type HostFrameProps, type HostView } from "./frame.tsx";
import type { Snapshot, SnapshotLoss as ListedLoss } from "../../shared/shapes/snapshot.ts";

export type SnapshotLoss = Pick<ListedLoss, "noticed_at" | "count">;

export interface SnapshotsProps extends HostFrameProps {
  /** One page of them, the newest first. */
  snapshots: Snapshot[];
  total: number;
  /** When the agent last sent the list. */
  refreshedAt: number | null;
  /** What vanished without a forget of ours, the newest first. */
  losses: SnapshotLoss[];
  /** How many are listed beyond what is kept of the list. */
  cut?: number;
  nextCursor: string | null;
  isFirstPage: boolean;
}

export function SnapshotsPage(props: SnapshotsProps) {
  const { host, nextCursor, isFirstPage } = props;
  return (
    <HostFrame {...props} tab="snapshots">
      <SnapshotList {...props} now={props.frame.now} />
      <Pager
        previous={isFirstPage ? undefined : `/hosts/${host.id}`}
        previousLabel="Newest"
        next={nextCursor ? `/hosts/${host.id}?cursor=${encodeURIComponent(nextCursor)}` : undefined}
        nextLabel="Older"
      />
    </HostFrame>
  );
}

/** Live fragment `snapshots`, pushed only to the first page. */
export function SnapshotList(
  { host, snapshots, total, refreshedAt, losses, cut = 0, now, mayRun }: {
    host: HostView;
    snapshots: Snapshot[];
    total: number;
    refreshedAt: number | null;
    losses: SnapshotLoss[];
    /** How many are listed beyond what is kept of the list. */
    cut?: number;
    now: number;
    mayRun: boolean;
  },
) {
  if (snapshots.length === 0) {
    return (
      <div id="snapshots" data-shifts>
        <NoSnapshots host={host} refreshedAt={refreshedAt} mayRun={mayRun} />
      </div>
    );
  }
  return (
    <div id="snapshots" data-shifts>
      <p class="muted">
        {plural(total, "snapshot")}
        {refreshedAt !== null && (
          <>
            , list of <Time at={refreshedAt} now={now} />
          </>
        )}
      </p>
      {cut > 0 && (
        <p class="warn">
          The host lists {plural(cut, "more snapshot")}: the server keeps the newest of the list.
        </p>
      )}
      {losses.map((loss) => (
        <p class="warn">
          {lossInWords(loss.count)}, noticed <Time at={loss.noticed_at} now={now} />.
        </p>
      ))}
      {byDay(snapshots).map((group) => <Day snapshots={group} now={now} />)}
    </div>
  );
}

function Day({ snapshots, now }: { snapshots: Snapshot[]; now: number }) {
  return (
    <section class="day">
      <h2>{dayInWords(snapshots[0]!.time, now)}</h2>
      <table class="table fold snaps">
        <thead class="off-screen">
          <tr>
            <th scope="col">Time (UTC)</th>
            <th scope="col">Id</th>
            <th scope="col">Group</th>
            <th scope="col">Paths</th>
            <th scope="col">Files</th>
            <th scope="col">Size</th>
            <th scope="col">Added</th>
          </tr>
        </thead>
        <colgroup>
          <col class="c-at" />
          <col class="c-id" />
          <col class="c-tag" />
          <col />
          <col class="c-n" />
          <col class="c-n" />
          <col class="c-n" />
        </colgroup>
        <tbody>{snapshots.map((snapshot) => <SnapshotRow snapshot={snapshot} />)}</tbody>
      </table>
    </section>
  );
}

function SnapshotRow({ snapshot: s }: { snapshot: Snapshot }) {
  const paths = s.paths.slice(0, 40).map(visible);
  return (
    <tr>
      <td>
        <At at={s.time} text={clock(s.time)} />
      </td>
      <td>
        <Copyable text={s.id.slice(0, 8)} what="the snapshot id" />
      </td>
      <td>
        <Tags tags={s.tags.slice(0, 3)} />
        {s.withheld && (
          <span class="warn small" title="It waits until somebody says on its job that it is right">
            not counted
          </span>
        )}
        {!s.ours && !s.withheld && (
          <span
            class="muted small"
            title="No source group governs it: retention neither counts nor removes it"
          >
            not ours
          </span>
        )}
      </td>
      <td class="first">
        <span class="cut mono" title={paths.join("\n").slice(0, 200)}>
          <bdi>{paths.slice(0, 4).map((path) => middleCut(path, 40)).join("  ")}</bdi>
          {s.paths.length > 4 && ` and ${count(s.paths.length - 4)} more`}
        </span>
      </td>
      <td class={s.files === null ? "num desk" : "num side"}>
        {s.files === null ? "—" : plural(s.files, "file")}
      </td>
      <td class={s.bytes === null ? "num desk" : "num"}>
        {s.bytes === null ? "—" : bytes(s.bytes)}
      </td>
      <td class={s.bytes_added === null ? "num desk" : "num side"}>
        {s.bytes_added === null ? "—" : `+${bytes(s.bytes_added)}`}
      </td>
    </tr>
  );
}

function NoSnapshots(
  { host, refreshedAt, mayRun }: { host: HostView; refreshedAt: number | null; mayRun: boolean },
) {
  if (host.repository.state === "failed") {
    return (
      <Empty
        title="No snapshots: the repository could not be opened"
        action={host.repository.jobId
          ? { href: `/jobs/${host.repository.jobId}`, label: "Read why" }
          : undefined}
      >
        {host.repository.reason && visible(host.repository.reason)}
      </Empty>
    );
  }
  if (!host.isOnline && host.lastSeenAt === null) {
    return (
      <Empty title="This host has not connected yet">
        Its agent connects by itself as soon as it runs. On the machine,{" "}
        <code>restic-manager-agent status</code> says what it waits for.
      </Empty>
    );
  }
  if (!host.hasPaths) {
    return (
      <Empty
        title="No snapshots yet"
        action={mayRun
          ? { href: `/hosts/${host.id}/sources`, label: "Say what to back up" }
          : undefined}
      >
        No source group of this host says what to back up.
      </Empty>
    );
  }
  return (
    <Empty title="No snapshots yet">
      {refreshedAt === null
        ? "The list comes with the first backup."
        : "The repository holds no snapshot of this host."} {mayRun && host.isOnline && (
        <>
          Run the first one now:{" "}
          <PostButton
            to={`/hosts/${host.id}/jobs`}
            name="kind"
            value="backup"
            label="Run all now"
          />
        </>
      )}
    </Empty>
  );
}

function byDay(snapshots: Snapshot[]): Snapshot[][] {
  const days = new Map<string, Snapshot[]>();
  for (const snapshot of snapshots) {
    const key = day(snapshot.time);
    const group = days.get(key);
    if (group) group.push(snapshot);
    else days.set(key, [snapshot]);
  }
  return [...days.values()];
}
