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
import { HostFrame, type HostFrameProps } from "./frame.tsx";
import type { Snapshot, SnapshotLoss } from "../../shared/shapes/snapshot.ts";

/** What changes while the page is open. */
export interface SnapshotListProps extends Pick<HostFrameProps, "host" | "mayRun"> {
  /** One page of them, the newest first. */
  snapshots: Snapshot[];
  /** When the agent last sent the list. */
  refreshed_at: number | null;
  /** What vanished without a forget of ours, the newest first. */
  losses: Pick<SnapshotLoss, "noticed_at" | "count">[];
  now: number;
}

export interface SnapshotsProps extends HostFrameProps, Omit<SnapshotListProps, "now"> {
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
export function SnapshotList(props: SnapshotListProps) {
  const { host, snapshots, refreshed_at, losses, now, mayRun } = props;
  if (snapshots.length === 0) {
    return (
      <div id="snapshots" data-shifts>
        <NoSnapshots {...props} />
      </div>
    );
  }
  return (
    <div id="snapshots" data-shifts>
      <p class="muted">
        {plural(host.snapshots_count ?? snapshots.length, "snapshot")}
        {refreshed_at !== null && (
          <>
            , list of <Time at={refreshed_at} now={now} />
          </>
        )}
      </p>
      {host.snapshots_cut > 0 && (
        <p class="warn">
          The host lists{" "}
          {plural(host.snapshots_cut, "more snapshot")}: the server keeps the newest of the list.
        </p>
      )}
      {losses.map((loss) => (
        <p class="warn">
          {lossInWords(loss.count)}, noticed <Time at={loss.noticed_at} now={now} />.
        </p>
      ))}
      {byDay(snapshots).map((group) => (
        <Day snapshots={group} now={now} repositoryId={mayRun ? host.repository_id : undefined} />
      ))}
    </div>
  );
}

interface Opened {
  /** For whoever may open it; its id may be in another one too. */
  repositoryId: string | undefined;
}

function Day(
  { snapshots, now, repositoryId }: { snapshots: Snapshot[]; now: number } & Opened,
) {
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
        <tbody>
          {snapshots.map((snapshot) => (
            <SnapshotRow snapshot={snapshot} repositoryId={repositoryId} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

function SnapshotRow({ snapshot: s, repositoryId }: { snapshot: Snapshot } & Opened) {
  const paths = s.paths.slice(0, 40).map(visible);
  return (
    <tr>
      <td>
        {repositoryId
          ? (
            <a href={`/snapshots/${s.id.slice(0, 12)}?repository=${repositoryId}`}>
              <At at={s.time} text={clock(s.time)} />
            </a>
          )
          : <At at={s.time} text={clock(s.time)} />}
      </td>
      <td>
        <Copyable text={s.id.slice(0, 8)} what="the snapshot id" />
      </td>
      <td>
        <Tags tags={s.tags.slice(0, 3)} />
        {s.withheld && (
          <span class="warn small" title="It waits until someone says on its job that it is right">
            not counted
          </span>
        )}
        {!s.ours && !s.withheld && (
          <span
            class="muted small"
            title="No group governs it: retention ignores it"
          >
            not ours
          </span>
        )}
      </td>
      <td class="first">
        <span class="cut mono" title={paths.join("\n").slice(0, 150)}>
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

function NoSnapshots({ host, refreshed_at, mayRun }: SnapshotListProps) {
  if (host.repository_state === "failed") {
    return (
      <Empty
        title="No snapshots: the repository could not be opened"
        action={host.repository_job_id
          ? { href: `/jobs/${host.repository_job_id}`, label: "Read why" }
          : undefined}
      >
        {host.repositoryReason && visible(host.repositoryReason)}
      </Empty>
    );
  }
  if (!host.online && host.last_seen_at === null) {
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
  return <NoneYet host={host} refreshed_at={refreshed_at} mayRun={mayRun} />;
}

function NoneYet(
  { host, refreshed_at, mayRun }: Pick<SnapshotListProps, "host" | "refreshed_at" | "mayRun">,
) {
  return (
    <Empty title="No snapshots yet">
      {refreshed_at === null
        ? "The list comes with the first backup."
        : "The repository holds no snapshot of this host."} {mayRun && host.online && (
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
