// Snapshots as a table: on the tab of a host and on the list of a repository.
import { bytes, count, duration, middleCut, plural } from "../format.ts";
import { visible } from "../../shared/redact.ts";
import type { ListedSnapshot } from "../../shared/shapes/snapshot.ts";
import { Copyable } from "../parts/copyable.tsx";
import { Name, Tags, titleOf } from "../parts/name.tsx";
import { StateWord } from "../parts/state.tsx";
import { When } from "../parts/time.tsx";

export interface SnapshotRowView extends ListedSnapshot {
  /** What the host is called here; null: no host here lists it. */
  host_name: string | null;
  time_zone: string | null;
}

export interface SnapshotTableProps {
  snapshots: SnapshotRowView[];
  now: number;
  /** Whether each row leads to its snapshot. */
  mayOpen: boolean;
  /** Of one host: its name is not repeated. */
  isOfHost?: boolean;
}

export function SnapshotTable(props: SnapshotTableProps) {
  return (
    <table class="table fold snaps">
      <thead>
        <tr>
          <th class="c-at" scope="col">Made</th>
          <th class="c-id" scope="col">Id</th>
          {!props.isOfHost && <th class="c-host" scope="col">Host</th>}
          <th class="c-tag" scope="col">Group</th>
          <th scope="col">Paths</th>
          <th class="c-n num" scope="col">Files</th>
          <th class="c-n num" scope="col">Size</th>
          <th class="c-n num" scope="col">Job</th>
        </tr>
      </thead>
      <tbody>
        {props.snapshots.map((snapshot) => <SnapshotRow {...props} snapshot={snapshot} />)}
      </tbody>
    </table>
  );
}

function SnapshotRow(
  { snapshot: s, now, mayOpen, isOfHost }: SnapshotTableProps & { snapshot: SnapshotRowView },
) {
  const href = mayOpen ? snapshotLink(s) : undefined;
  return (
    <tr>
      <td>
        <When at={s.time} now={now} zone={s.time_zone} href={href} />
      </td>
      <td>
        <Copyable text={s.id.slice(0, 8)} what="the snapshot id" />
      </td>
      {!isOfHost && (
        <td title={titleOf(s.host_name ?? s.host)}>
          <OfHost snapshot={s} />
        </td>
      )}
      <td>
        <Tags tags={s.tags.slice(0, 3)} /> <Marks snapshot={s} />
      </td>
      <Paths paths={s.paths} />
      <td class={s.files === null ? "num desk" : "num side"}>
        {s.files === null ? "—" : plural(s.files, "file")}
      </td>
      <td class={s.bytes === null ? "num desk" : "num"}>
        {s.bytes === null ? "—" : bytes(s.bytes)}
      </td>
      <td class={s.job_id === null ? "num desk" : "num side"}>
        {s.job_id === null
          ? "—"
          : <a href={`/jobs/${s.job_id}`}>{s.seconds === null ? "job" : duration(s.seconds)}</a>}
      </td>
    </tr>
  );
}

/** Its id may be in another repository too. */
function snapshotLink({ id, repository_id }: SnapshotRowView): string {
  return `/snapshots/${id.slice(0, 12)}?repository=${repository_id}`;
}

function OfHost({ snapshot: s }: { snapshot: SnapshotRowView }) {
  if (s.host_name !== null && s.host_id !== null) {
    return (
      <a href={`/hosts/${s.host_id}`}>
        <Name text={middleCut(s.host_name, 40)} />
      </a>
    );
  }
  return (
    <>
      <Name text={middleCut(s.host || "—", 40)} /> <span class="muted small">not here</span>
    </>
  );
}

function Paths({ paths }: { paths: string[] }) {
  const shown = paths.slice(0, 40).map(visible);
  return (
    <td class="first">
      <span class="cut mono" title={shown.join("\n").slice(0, 150)}>
        <bdi>{shown.slice(0, 3).map((path) => middleCut(path, 40)).join("  ")}</bdi>
        {paths.length > 3 && ` and ${count(paths.length - 3)} more`}
      </span>
    </td>
  );
}

/** What is to be known before it is restored or counted on. */
export function Marks(
  { snapshot: s }: {
    snapshot: Pick<
      ListedSnapshot,
      "incomplete" | "much_smaller" | "pin" | "listed" | "withheld" | "ours"
    >;
  },
) {
  return (
    <>
      {s.pin && (
        <span class="small" title={visible(middleCut(`${s.pin.by}: ${s.pin.reason}`, 120))}>
          pinned
        </span>
      )} {!s.listed && (
        <span class="small">
          <StateWord state="bad" word="no longer listed" />
        </span>
      )} {s.incomplete && (
        <span class="small">
          <StateWord state="warn" word="incomplete" />
        </span>
      )} {s.much_smaller && (
        <span class="small" title="Less than half of the one before">
          <StateWord state="warn" word="much smaller" />
        </span>
      )}{" "}
      {s.withheld && (
        <span class="warn small" title="It waits until someone says on its job that it is right">
          not counted
        </span>
      )} {s.listed && !s.ours && !s.withheld && (
        <span
          class="muted small"
          title="No group governs it: retention ignores it"
        >
          not ours
        </span>
      )}
    </>
  );
}
