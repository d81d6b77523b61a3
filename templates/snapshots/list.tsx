// The snapshots of a repository, of all hosts, also of those that are not here any more.
import { middleCut, plural } from "../format.ts";
import { visible } from "../../shared/redact.ts";
import { type FrameProps, Layout } from "../layout.tsx";
import { FindField } from "../find/page.tsx";
import { Empty } from "../parts/empty.tsx";
import { Name } from "../parts/name.tsx";
import { Pager } from "../parts/pager.tsx";
import { Time } from "../parts/time.tsx";
import { type SnapshotRowView, SnapshotTable } from "./rows.tsx";
import { Timeline } from "./timeline.tsx";

/** As typed; from and to are dates. */
export interface SnapshotListFilter {
  host: string;
  tag: string;
  path: string;
  from: string;
  to: string;
}

export interface UnlistedPin {
  id: string;
  repository_id: string;
  time: number;
  host: string;
}

export interface SnapshotListPageProps {
  frame: FrameProps;
  repository: { id: string; name: string; listing_at: number | null };
  snapshots: SnapshotRowView[];
  filter: SnapshotListFilter;
  /** The sentence when the filter could not be read. */
  error?: string;
  days: number[];
  lastDay: number;
  unlisted: UnlistedPin[];
  nextCursor: string | null;
  isFirstPage: boolean;
  mayRun: boolean;
}

export function SnapshotListPage(props: SnapshotListPageProps) {
  const { frame, repository: r, snapshots, filter, mayRun, nextCursor, isFirstPage } = props;
  const base = `/repositories/${r.id}/snapshots`;
  const { from: _, to: __, ...kept } = filter;
  return (
    <Layout {...frame} title={`Snapshots of ${r.name}`} current="repositories">
      <Crumbs repository={r} mayRun={mayRun} />
      <div class="head">
        <div>
          <h1>Snapshots</h1>
          <p class="lead">
            Of all hosts, as their agents list them{r.listing_at === null
              ? ". Those of hosts that are not here follow with the first maintenance."
              : (
                <>
                  , and of hosts that are not here, as maintenance listed them{" "}
                  <Time at={r.listing_at} now={frame.now} />.
                </>
              )}
          </p>
        </div>
      </div>
      <UnlistedPins pins={props.unlisted} mayOpen={mayRun} />
      <Timeline action={base} kept={onlyGiven(kept)} days={props.days} lastDay={props.lastDay} />
      <Filters base={base} filter={filter} />
      {mayRun && <FindField repository={r.id} />}
      {props.error && <p class="problems" role="alert">{props.error}</p>}
      <div id="snapshots">
        {snapshots.length > 0
          ? <SnapshotTable snapshots={snapshots} now={frame.now} mayOpen={mayRun} />
          : <NothingThere base={base} filter={filter} />}
        <Pager
          previous={isFirstPage ? undefined : `${base}${query(filter)}`}
          previousLabel="Newest"
          next={nextCursor ? `${base}${query(filter, nextCursor)}` : undefined}
          nextLabel="Older"
        />
      </div>
    </Layout>
  );
}

function Crumbs({ repository: r, mayRun }: Pick<SnapshotListPageProps, "repository" | "mayRun">) {
  const name = <Name text={middleCut(r.name, 60)} />;
  return (
    <p class="crumbs">
      {mayRun
        ? (
          <>
            <a href="/repositories">Repositories</a> / <a href={`/repositories/${r.id}`}>{name}</a>
          </>
        )
        : name}
    </p>
  );
}

/** A loss that a person has to know of. */
export function UnlistedPins({ pins, mayOpen }: { pins: UnlistedPin[]; mayOpen: boolean }) {
  if (pins.length === 0) return null;
  return (
    <div class="flash bad stack" role="alert">
      <p>
        {plural(pins.length, "pinned snapshot")}{" "}
        in no list any more: something other than this server removed{" "}
        {pins.length === 1 ? "it" : "them"}, or the host is gone and no maintenance has listed the
        repository since.
      </p>
      <p>
        {pins.slice(0, 5).map(({ id, repository_id, host }) => (
          <>
            {mayOpen
              ? (
                <a href={`/snapshots/${id.slice(0, 12)}?repository=${repository_id}`}>
                  {id.slice(0, 8)}
                </a>
              )
              : id.slice(0, 8)} of <Name text={middleCut(host, 40)} />
            {" "}
          </>
        ))}
      </p>
    </div>
  );
}

function Filters({ base, filter }: { base: string; filter: SnapshotListFilter }) {
  const text = (name: "host" | "tag" | "path", label: string, most: number) => (
    <label>
      {label}
      <input
        type="text"
        name={name}
        value={filter[name]}
        maxlength={most}
        autocomplete="off"
        data-search={name === "host"}
      />
    </label>
  );
  return (
    <form class="filters" action={base} role="search">
      {text("host", "Host", 255)}
      {text("tag", "Tag", 200)}
      {text("path", "Holds the path", 1024)}
      <label>
        From <input type="date" name="from" value={filter.from} />
      </label>
      <label>
        To <input type="date" name="to" value={filter.to} />
      </label>
      <button type="submit">Show</button>
      {Object.keys(onlyGiven({ ...filter })).length > 0 && <a href={base}>Show all</a>}
    </form>
  );
}

function NothingThere({ base, filter }: { base: string; filter: SnapshotListFilter }) {
  const given = Object.entries(onlyGiven({ ...filter }));
  if (given.length === 0) {
    return (
      <Empty title="No snapshots yet">
        None of its hosts lists one, and no maintenance has found one of another machine.
      </Empty>
    );
  }
  return (
    <Empty title="No snapshot matches" action={{ href: base, label: "Show all" }}>
      Host and tag are whole names; a path is found in snapshots of it or of a folder above it.
      Asked for:{" "}
      {visible(middleCut(given.map(([name, value]) => `${name} ${value}`).join(", "), 200))}.
    </Empty>
  );
}

function onlyGiven(values: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== ""));
}

function query(filter: SnapshotListFilter, cursor?: string): string {
  const all = new URLSearchParams(onlyGiven({ ...filter }));
  if (cursor) all.set("cursor", cursor);
  return all.size ? `?${all}` : "";
}
