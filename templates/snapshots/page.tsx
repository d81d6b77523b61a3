// One snapshot: what it is, and one folder of its tree.
import { bytes, duration, exact, middleCut, plural } from "../format.ts";
import { visible } from "../../shared/redact.ts";
import { type FrameProps, Layout } from "../layout.tsx";
import { Copyable } from "../parts/copyable.tsx";
import { Empty } from "../parts/empty.tsx";
import { Name, Tags } from "../parts/name.tsx";
import { When } from "../parts/time.tsx";
import { StateWord } from "../parts/state.tsx";
import type { SnapshotTree, TreeReader } from "../../shared/shapes/tree.ts";
import type { Snapshot, SnapshotPin } from "../../shared/shapes/snapshot.ts";
import { WithoutUs } from "./by_hand.tsx";
import { FolderTable } from "./folder.tsx";
import { type TreeChoice, treeLink } from "./link.ts";
import { DeleteSnapshot, Keeping } from "./pin.tsx";

export type SnapshotView =
  & Pick<
    Snapshot,
    | "id"
    | "time"
    | "hostname"
    | "username"
    | "tags"
    | "paths"
    | "files"
    | "bytes"
    | "bytes_added"
    | "withheld"
  >
  & {
    repository_id: string;
    repository_name: string;
    /** The host in whose list it is. */
    source: { id: string; name: string; os: string; time_zone: string } | null;
    job: { id: string; warnings: number; seconds: number | null } | null;
    incomplete: boolean | null;
    much_smaller: boolean;
    /** The one before, where this one is much smaller. */
    before: { id: string; files: number | null; bytes: number | null } | null;
    pin: SnapshotPin | null;
    /** The restore to which more is being chosen. */
    draft?: string;
    /** False: no list in force holds it, and it is known only since it was pinned. */
    listed: boolean;
  };

export type TreeState =
  | { state: "ready"; tree: SnapshotTree; previousCursor: string | null | undefined }
  | { state: "waiting"; reader: TreeReader }
  | { state: "failed"; title: string; sentence: string };

export interface SnapshotPageProps {
  frame: FrameProps;
  snapshot: SnapshotView;
  choice: TreeChoice;
  /** The way from the root to the folder. */
  crumbs: { name: string; path: string }[];
  tree: TreeState;
  /** Whether files may be downloaded and previewed; null for whoever is no admin. */
  downloads: "on" | "off" | null;
  /** With which it can be compared: the one before, and others of its host, the newest first. */
  others: { before: string | null; all: { id: string; time: number }[] };
  mayPin: boolean;
  isAdmin: boolean;
}

export function SnapshotPage(props: SnapshotPageProps) {
  const { frame, snapshot: s, choice, tree } = props;
  const isWaiting = tree.state === "waiting";
  return (
    <Layout
      {...frame}
      title={`Snapshot ${s.id.slice(0, 8)}`}
      current="hosts"
      live={isWaiting ? `/live/snapshots/${s.id}${treeLink(s, { path: choice.path })}` : undefined}
      refreshSeconds={isWaiting ? 3 : undefined}
    >
      <p class="crumbs">
        <a href="/">Hosts</a>
        {s.source && (
          <>
            {" / "}
            <a href={`/hosts/${s.source.id}`}>
              <Name text={middleCut(s.source.name, 60)} />
            </a>
          </>
        )}
      </p>
      <div class="head">
        <h1>Snapshot {s.id.slice(0, 8)}</h1>
      </div>
      <Facts snapshot={s} now={frame.now} />
      <Keeping {...props} csrf={frame.csrf} now={frame.now} />
      <Compare {...props} />
      <section class="section stack" id="tree">
        <h2>Files</h2>
        <Crumbs {...props} />
        <Tree {...props} />
      </section>
      {props.isAdmin && <WithoutUs snapshot={s} csrf={frame.csrf} />}
      <DeleteSnapshot {...props} csrf={frame.csrf} now={frame.now} />
    </Layout>
  );
}

function Compare({ snapshot: s, others: { before, all } }: SnapshotPageProps) {
  if (!before && all.length === 0) return null;
  return (
    <section class="section stack" id="compare">
      <h2>What changed</h2>
      {before && (
        <p>
          <a href={`/snapshots/${s.id.slice(0, 16)}/diff${treeLink(s, {})}`}>
            Compare with the one before
          </a>{" "}
          <span class="muted mono">{before.slice(0, 8)}</span>
        </p>
      )}
      {all.length > 0 && (
        <form class="filters" action={`/snapshots/${s.id}/diff`}>
          <input type="hidden" name="repository" value={s.repository_id} />
          <label>
            Or with
            <select name="with">
              {all.map(({ id, time }) => (
                <option value={id.slice(0, 16)} selected={id === before}>
                  {exact(time).slice(0, 16)} UTC · {id.slice(0, 8)}
                </option>
              ))}
            </select>
          </label>
          <button type="submit">Compare</button>
        </form>
      )}
    </section>
  );
}

function Facts({ snapshot: s, now }: { snapshot: SnapshotView; now: number }) {
  const paths = s.paths.slice(0, 20);
  return (
    <dl class="facts">
      <dt>Made</dt>
      <dd>
        <When at={s.time} now={now} zone={s.source?.time_zone ?? null} />
      </dd>
      <dt>Of</dt>
      <dd>
        <Source snapshot={s} />
        {s.username && <span class="muted">, by {visible(middleCut(s.username, 40))}</span>}{" "}
        <Tags tags={s.tags.slice(0, 10)} />
      </dd>
      <dt>Repository</dt>
      <dd>
        <a href={`/repositories/${s.repository_id}`}>
          <Name text={middleCut(s.repository_name, 80)} />
        </a>
      </dd>
      <dt>Paths</dt>
      <dd class="mono">
        {paths.map((path) => (
          <div>
            <bdi>{visible(middleCut(path, 120))}</bdi>
          </div>
        ))}
        {s.paths.length > paths.length && (
          <div class="muted">and {plural(s.paths.length - paths.length, "more path")}</div>
        )}
      </dd>
      <dt>Size</dt>
      <dd>
        {s.bytes === null ? "not known" : bytes(s.bytes)}
        {s.files !== null && `, ${plural(s.files, "file")}`}
        {s.bytes_added !== null && (
          <span class="muted">, {bytes(s.bytes_added)} of it new when it was made</span>
        )}
      </dd>
      <dt>State</dt>
      <dd>
        <Made snapshot={s} />
      </dd>
      <dt>Id</dt>
      <dd>
        <Copyable text={s.id} what="the snapshot id" />
      </dd>
    </dl>
  );
}

function Source({ snapshot: s }: { snapshot: SnapshotView }) {
  if (s.source) {
    return (
      <a href={`/hosts/${s.source.id}`}>
        <Name text={middleCut(s.source.name, 80)} />
      </a>
    );
  }
  return (
    <>
      <Name text={middleCut(s.hostname, 80)} />{" "}
      <span class="muted">which no host here lists as its own</span>
    </>
  );
}

/** Whether all of what was to be saved is in it. */
function Made({ snapshot: s }: { snapshot: SnapshotView }) {
  const { job, before } = s;
  return (
    <>
      {!job
        ? <span class="muted">not made by a job that is known here</span>
        : s.incomplete
        ? <StateWord state="warn" word={inWords(job.warnings)} />
        : s.withheld
        ? <StateWord state="warn" word="not counted until someone says that it is right" />
        : <StateWord state="ok" word="whole" />}
      {job && (
        <>
          {" "}
          <span class="muted">
            · made by <a href={`/jobs/${job.id}`}>this job</a>
            {job.seconds === null ? "" : ` in ${duration(job.seconds)}`}
          </span>
        </>
      )}
      {s.much_smaller && (
        <div>
          <StateWord state="warn" word="much smaller than the one before" />
          {before && (
            <span class="muted">
              , which is{" "}
              <a href={`/snapshots/${before.id.slice(0, 12)}?repository=${s.repository_id}`}>
                {before.id.slice(0, 8)}
              </a>
              {before.bytes !== null && ` with ${bytes(before.bytes)}`}
              {before.files !== null && ` and ${plural(before.files, "file")}`}
            </span>
          )}
        </div>
      )}
    </>
  );
}

function inWords(warnings: number): string {
  return warnings > 0 ? `incomplete: ${plural(warnings, "warning")}` : "incomplete: its job failed";
}

function Crumbs({ snapshot, crumbs }: SnapshotPageProps) {
  return (
    <nav class="crumbs path" aria-label="Folder">
      <a
        href={treeLink(snapshot, {})}
        aria-current={crumbs.length === 0 ? "page" : undefined}
      >
        top
      </a>
      {crumbs.map(({ name, path }, n) => (
        <>
          {" / "}
          <a
            href={treeLink(snapshot, { path })}
            aria-current={n === crumbs.length - 1 ? "page" : undefined}
          >
            <Name text={middleCut(name, 40)} />
          </a>
        </>
      ))}
    </nav>
  );
}

function Tree(props: SnapshotPageProps) {
  const { frame, snapshot, choice, tree, downloads } = props;
  switch (tree.state) {
    case "ready":
      return (
        <FolderTable
          snapshot={snapshot}
          choice={choice}
          tree={tree.tree}
          csrf={frame.csrf}
          downloads={downloads}
          previousCursor={tree.previousCursor}
        />
      );
    case "waiting":
      return (
        <div class="empty" role="status">
          <h3>Reading the folder…</h3>
          <p class="muted">
            <Name text={tree.reader.name} /> asks its repository{" "}
            <Name text={snapshot.repository_name} />, which mostly takes a second and with a slow
            one a minute. The page shows the folder as soon as it is there; you may leave it.
          </p>
          <p class="no-scripts">
            <a href={treeLink(snapshot, choice)}>Look again</a>
          </p>
        </div>
      );
    case "failed":
      return (
        <Empty
          title={tree.title}
          action={{ href: treeLink(snapshot, choice), label: "Try again" }}
        >
          {visible(tree.sentence)}
        </Empty>
      );
    default:
      return tree satisfies never;
  }
}
