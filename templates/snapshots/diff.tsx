// What differs between two snapshots: a folder of it at a time, by links and a form, so that it needs no scripts.
import { bytes, count, middleCut, plural } from "../format.ts";
import { visible } from "../../shared/redact.ts";
import type { DiffChange, DiffCounts, DiffItem, SnapshotDiff } from "../../shared/shapes/diff.ts";
import type { TreeReader } from "../../shared/shapes/tree.ts";
import { type FrameProps, Layout } from "../layout.tsx";
import { Empty } from "../parts/empty.tsx";
import { Name, titleOf } from "../parts/name.tsx";
import { Pager } from "../parts/pager.tsx";
import { When } from "../parts/time.tsx";
import { formPath } from "./link.ts";

export interface DiffSide {
  id: string;
  time: number;
  hostname: string;
  source: { id: string; name: string; time_zone: string } | null;
}

export type DiffState =
  | { state: "ready"; diff: SnapshotDiff; previousCursor: string | null | undefined }
  | { state: "waiting"; reader: TreeReader }
  | { state: "failed"; title: string; sentence: string };

export interface DiffChoice {
  path: string;
  q: string;
}

export interface DiffPageProps {
  frame: FrameProps;
  repository_id: string;
  repository_name: string;
  snapshot: DiffSide;
  base: DiffSide;
  choice: DiffChoice;
  crumbs: { name: string; path: string }[];
  view: DiffState;
}

const WORDS: Record<DiffChange, string> = {
  added: "added",
  removed: "removed",
  changed: "changed",
  metadata: "attributes",
};

export function DiffPage(props: DiffPageProps) {
  const { frame, snapshot, base, choice, view } = props;
  const isWaiting = view.state === "waiting";
  return (
    <Layout
      {...frame}
      title={`What changed in ${snapshot.id.slice(0, 8)}`}
      current="hosts"
      live={isWaiting
        ? `/live/snapshots/${snapshot.id}/diff${diffLink(props, { path: choice.path })}`
        : undefined}
      refreshSeconds={isWaiting ? 3 : undefined}
    >
      <p class="crumbs">
        <a href="/">Hosts</a>
        {snapshot.source && (
          <>
            {" / "}
            <a href={`/hosts/${snapshot.source.id}/snapshots`}>
              <Name text={middleCut(snapshot.source.name, 60)} />
            </a>
          </>
        )}
        {" / "}
        <a href={snapshotLink(props, snapshot)}>Snapshot {snapshot.id.slice(0, 8)}</a>
      </p>
      <div class="head">
        <h1>What changed in {snapshot.id.slice(0, 8)}</h1>
      </div>
      <dl class="facts">
        <Side {...props} word="Snapshot" side={snapshot} />
        <Side {...props} word="Compared with" side={base} />
        {view.state === "ready" && <Data diff={view.diff} />}
      </dl>
      <section class="section stack" id="diff">
        <h2>Files</h2>
        <Crumbs {...props} />
        <View {...props} />
      </section>
    </Layout>
  );
}

function Side({ word, side, frame, ...props }: DiffPageProps & { word: string; side: DiffSide }) {
  return (
    <>
      <dt>{word}</dt>
      <dd>
        <a href={snapshotLink(props, side)} class="mono">{side.id.slice(0, 8)}</a> of{" "}
        <Name text={middleCut(side.source?.name ?? side.hostname, 60)} />,{" "}
        <When at={side.time} now={frame.now} zone={side.source?.time_zone ?? null} />
      </dd>
    </>
  );
}

function Data({ diff: { statistics } }: { diff: SnapshotDiff }) {
  return (
    <>
      <dt>Data</dt>
      <dd>
        {statistics && (
          <>
            {bytes(statistics.added.bytes)} only in this snapshot, {bytes(statistics.removed.bytes)}
            {" "}
            only in the other.{" "}
          </>
        )}
        <span class="muted">restic tells no sizes of single files in a comparison.</span>
      </dd>
    </>
  );
}

function Crumbs(props: DiffPageProps) {
  const { crumbs } = props;
  return (
    <nav class="crumbs path" aria-label="Folder">
      <a href={diffLink(props, {})} aria-current={crumbs.length === 0 ? "page" : undefined}>top</a>
      {crumbs.map(({ name, path }, n) => (
        <>
          {" / "}
          <a
            href={diffLink(props, { path })}
            aria-current={n === crumbs.length - 1 ? "page" : undefined}
          >
            <Name text={middleCut(name, 40)} />
          </a>
        </>
      ))}
    </nav>
  );
}

function View(props: DiffPageProps) {
  const { view, choice, repository_name } = props;
  switch (view.state) {
    case "ready":
      return <Changes {...props} diff={view.diff} previousCursor={view.previousCursor} />;
    case "waiting":
      return (
        <div class="empty" role="status">
          <h3>Comparing the two snapshots…</h3>
          <p class="muted">
            <Name text={view.reader.name} /> asks its repository <Name text={repository_name} />
            , which mostly takes seconds and with many changes a minute. The page shows the result
            as soon as it is there; you may leave it.
          </p>
          <p class="no-scripts">
            <a href={diffLink(props, choice)}>Look again</a>
          </p>
        </div>
      );
    case "failed":
      return (
        <Empty
          title={view.title}
          action={{ href: diffLink(props, choice), label: "Try again" }}
        >
          {visible(view.sentence)}
        </Empty>
      );
    default:
      return view satisfies never;
  }
}

interface ChangesProps extends DiffPageProps {
  diff: SnapshotDiff;
  previousCursor: string | null | undefined;
}

function Changes(props: ChangesProps) {
  const { diff, choice, previousCursor } = props;
  const { items, reader, next_cursor } = diff;
  return (
    <>
      <p class="muted">
        {inWords(diff) || "Nothing differs"}
        {diff.path === "/" ? "" : " in this folder"}, as{" "}
        <a href={`/hosts/${reader.id}`}>
          <Name text={middleCut(reader.name, 60)} />
        </a>{" "}
        compares them.
      </p>
      {diff.cut && (
        <p class="warn">
          More differs than is read at once: what is missing here may have changed all the same.
        </p>
      )}
      {diff.left_out > 0 && (
        <p class="warn">{plural(diff.left_out, "path")} left out: too long, or not readable.</p>
      )}
      {(items.length > 0 || choice.q) && <Filter {...props} />}
      {items.length > 0 ? <Table {...props} /> : <Nothing {...props} />}
      <Pager
        previous={previousCursor === undefined
          ? undefined
          : diffLink(props, { ...choice, cursor: previousCursor ?? undefined })}
        next={next_cursor ? diffLink(props, { ...choice, cursor: next_cursor }) : undefined}
      />
    </>
  );
}

function Filter(props: ChangesProps) {
  const { repository_id, base, choice } = props;
  return (
    <form class="filters" role="search">
      <input type="hidden" name="repository" value={repository_id} />
      <input type="hidden" name="with" value={base.id} />
      <input type="hidden" name="path" value={formPath(choice.path)} />
      <label>
        Name has
        <input
          type="search"
          name="q"
          value={choice.q}
          maxlength={200}
          autocomplete="off"
          data-search
        />
      </label>
      <button type="submit">Show</button>
      {choice.q && <a href={diffLink(props, { path: choice.path })}>Show all</a>}
    </form>
  );
}

function Nothing(props: ChangesProps) {
  const { choice } = props;
  return choice.q
    ? (
      <Empty
        title="No name that changed has that"
        action={{ href: diffLink(props, { path: choice.path }), label: "Show all" }}
      >
        This folder and all below it were looked at.
      </Empty>
    )
    : (
      <Empty title="Nothing changed here">
        Both snapshots hold the same files here, with the same content and attributes.
      </Empty>
    );
}

function Table(props: ChangesProps) {
  return (
    <table class="table fold">
      <thead>
        <tr>
          <th scope="col">{props.choice.q ? "Path" : "Name"}</th>
          <th scope="col">Change</th>
          <th scope="col">Below it</th>
        </tr>
      </thead>
      <tbody>
        {props.diff.items.map((item) => <Row {...props} item={item} />)}
      </tbody>
    </table>
  );
}

function Row(props: ChangesProps & { item: DiffItem }) {
  const { item, choice } = props;
  const shown = choice.q
    ? <bdi>{visible(middleCut(item.path, 80))}</bdi>
    : <Name text={middleCut(item.name, 80)} />;
  const below = inWords(item.below);
  return (
    <tr>
      <td class="first" title={titleOf(choice.q ? item.path : item.name, 40)}>
        <a href={hrefOf(props)}>{shown}</a>
        {item.type === "folder" && "/"}
      </td>
      <td class={item.change === null ? "desk" : "side"}>
        {item.change === null ? "—" : <Change item={item} change={item.change} />}
      </td>
      <td class={below ? "side" : "desk"}>{below || (item.type === "folder" ? "—" : "")}</td>
    </tr>
  );
}

function Change({ item, change }: { item: DiffItem; change: DiffChange }) {
  return (
    <>
      {WORDS[change]}
      {item.type_changed && (
        <span
          class="muted"
          title="A file in one of them, a folder or link in the other. What lies in it is not compared"
        >
          , another type
        </span>
      )}
      {item.suspect && (
        <span class="warn" title="The file may be damaged where it is">
          , though size and times are the same
        </span>
      )}
    </>
  );
}

/** A folder opens here where something differs below it; what else there is opens the folder that it is in, in the snapshot that has it. */
function hrefOf(props: ChangesProps & { item: DiffItem }): string {
  const { item, snapshot, base } = props;
  if (item.type === "folder" && inWords(item.below)) return diffLink(props, { path: item.path });
  const side = item.change === "removed" ? base : snapshot;
  const parent = item.path.slice(0, item.path.lastIndexOf("/")) || "/";
  return snapshotLink(props, side, item.exact ? parent : "/");
}

/** Which kinds there are: "3 added, 1 removed". */
function inWords(counts: DiffCounts): string {
  return (Object.keys(WORDS) as DiffChange[]).filter((change) => counts[change] > 0)
    .map((change) =>
      change === "metadata"
        ? `${count(counts.metadata)} with other attributes alone`
        : `${count(counts[change])} ${WORDS[change]}`
    ).join(", ");
}

function snapshotLink(
  { repository_id }: Pick<DiffPageProps, "repository_id">,
  { id }: Pick<DiffSide, "id">,
  path = "/",
): string {
  const query = new URLSearchParams({ repository: repository_id });
  if (path !== "/") query.set("path", path);
  return `/snapshots/${id.slice(0, 16)}?${query}`;
}

/** A query of this page. */
function diffLink(
  { repository_id, base }: Pick<DiffPageProps, "repository_id" | "base">,
  choice: Partial<DiffChoice> & { cursor?: string | undefined },
): string {
  const all = new URLSearchParams({ repository: repository_id, with: base.id.slice(0, 16) });
  for (const [name, value] of Object.entries(choice)) {
    if (value && !(name === "path" && value === "/")) all.set(name, value);
  }
  return `?${all}`;
}
