// What do I have: the snapshots of a host.
import { plural } from "../format.ts";
import { visible } from "../../shared/redact.ts";
import { PostButton } from "../parts/csrf.tsx";
import { Empty } from "../parts/empty.tsx";
import { Pager } from "../parts/pager.tsx";
import { Time } from "../parts/time.tsx";
import { lossInWords } from "../repositories/maintenance.tsx";
import { FindField } from "../find/page.tsx";
import { type UnlistedPin, UnlistedPins } from "../snapshots/list.tsx";
import { type SnapshotRowView, SnapshotTable } from "../snapshots/rows.tsx";
import { Timeline } from "../snapshots/timeline.tsx";
import { HostFrame, type HostFrameProps } from "./frame.tsx";
import type { SnapshotLoss } from "../../shared/shapes/snapshot.ts";

/** What changes while the page is open. */
export interface SnapshotListProps extends Pick<HostFrameProps, "host" | "mayRun"> {
  /** One page of them, the newest first. */
  snapshots: SnapshotRowView[];
  /** Days since 1970 (UTC) that have some. */
  days: number[];
  /** Pinned ones that no list holds any more. */
  unlisted: UnlistedPin[];
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
      {props.mayRun && props.snapshots.length > 0 && <FindField host={host.id} />}
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
        <UnlistedPins pins={props.unlisted} mayOpen={mayRun} />
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
        )} ·{" "}
        <a href={`${allOf(host)}?host=${encodeURIComponent(host.snapshot_host)}`}>Filter them</a> ·
        {" "}
        <a href={allOf(host)}>Those of all hosts in the repository</a>
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
      <UnlistedPins pins={props.unlisted} mayOpen={mayRun} />
      <Timeline
        action={allOf(host)}
        kept={{ host: host.snapshot_host }}
        days={props.days}
        lastDay={Math.floor(now / 86_400_000)}
      />
      <SnapshotTable snapshots={snapshots} now={now} mayOpen={mayRun} isOfHost />
    </div>
  );
}

const allOf = ({ repository_id }: { repository_id: string }) =>
  `/repositories/${repository_id}/snapshots`;

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
