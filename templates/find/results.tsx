// What a search has found until now, a file at a time with its versions. The live fragment is the same as in the page.
import { bytes, count, exact, middleCut, plural } from "../format.ts";
import { visible } from "../../shared/redact.ts";
import type { FindState } from "../../shared/shapes/find.ts";
import type { TreeEntryType } from "../../shared/tree.ts";
import { Empty } from "../parts/empty.tsx";
import { Name, titleOf } from "../parts/name.tsx";
import { formPath } from "../snapshots/link.ts";

export interface FoundVersionView {
  size: number | null;
  modified_at: number | null;
  type: TreeEntryType;
  snapshot_id: string;
  snapshot_at: number;
  snapshots: number;
}

export interface FoundFileView {
  path: string;
  exact: boolean;
  /** What the host is called here, else what its snapshots say. */
  host_name: string;
  host_id: string | null;
  repository_id: string;
  versions: FoundVersionView[];
  /** How many more versions there are than these. */
  more: number;
  missing: { snapshot_id: string; time: number; job_id: string | null } | null;
}

export interface FindResultsProps {
  state: FindState;
  ended: "done" | "stopped" | "timed_out" | null;
  files: FoundFileView[];
  /** Of all files. */
  total: number;
  /** Whether files may be downloaded and previewed: an admin's. */
  mayDownload: boolean;
  isOfHost: boolean;
}

/** Live fragment `found`. */
export function FindResults(props: FindResultsProps) {
  const { state, files, total, ended } = props;
  return (
    <section id="found" class="section stack">
      <h2>Found</h2>
      <p role="status">{progressOf(props)}</p>
      {state.cut && (
        <p class="warn">
          There are more matches than are kept: look for something that fewer files have.
        </p>
      )}
      {state.not_searched.length > 0 && <NotSearched {...props} />}
      {files.length > 0 ? <Files {...props} /> : ended !== null && <NothingFound {...props} />}
      {total > files.length && (
        <p class="muted">
          {plural(total - files.length, "more file")} not shown: look for something narrower.
        </p>
      )}
    </section>
  );
}

function progressOf({ state, ended, total }: FindResultsProps): string {
  const searched = `${count(state.searched)} of ${plural(state.snapshots, "snapshot")} searched`;
  const found = `${total === 0 ? "no file" : plural(total, "file")} found`;
  switch (ended) {
    case null:
      return `Searching… ${searched}, ${found} until now.`;
    case "done":
      return `${searched}, ${found}.`;
    case "stopped":
      return `Stopped: ${searched}, ${found}.`;
    case "timed_out":
      return `It took too long: ${searched}, ${found}.`;
    default:
      return ended satisfies never;
  }
}

function NotSearched({ state }: FindResultsProps) {
  return (
    <details class="warn" open={state.not_searched.length <= 3}>
      <summary>Not searched</summary>
      <ul>
        {state.not_searched.slice(0, 20).map(({ repository, snapshots, why }) => (
          <li>
            {repository && (
              <>
                {plural(snapshots, "snapshot")} in <Name text={middleCut(repository, 60)} />:{" "}
              </>
            )}
            {visible(middleCut(why, 300))}
          </li>
        ))}
      </ul>
    </details>
  );
}

function NothingFound({ state }: FindResultsProps) {
  return (
    <Empty title="No file found">
      {state.snapshots === 0 ? "There is no snapshot to search. " : ""}
      It may have another name, be left out by an exclude of its source group, have been unreadable
      when the backup ran (the warnings of its job say so), or be in a snapshot that was not
      searched.
    </Empty>
  );
}

function Files(props: FindResultsProps) {
  return (
    <table class="table fold">
      <thead>
        <tr>
          <th scope="col">File</th>
          <th scope="col" class="num">Size</th>
          <th scope="col">Modified (UTC)</th>
          <th scope="col">Snapshots</th>
          <th scope="col">
            <span class="off-screen">What to do with it</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {props.files.map((file) =>
          file.versions.map((version, n) => (
            <VersionRow {...props} file={file} version={version} n={n} />
          ))
        )}
      </tbody>
    </table>
  );
}

interface VersionProps extends FindResultsProps {
  file: FoundFileView;
  version: FoundVersionView;
  n: number;
}

function VersionRow(props: VersionProps) {
  const { file, version: v, n } = props;
  const isLast = n === file.versions.length - 1;
  return (
    <tr>
      <td class="first" title={titleOf(file.path, 60)}>
        {n === 0 ? <File {...props} /> : <span class="muted">an earlier version</span>}
        {isLast && file.more > 0 && (
          <div class="muted small">and {plural(file.more, "earlier version")}</div>
        )}
      </td>
      <td class={v.size === null ? "num desk" : "num"}>{v.size === null ? "" : bytes(v.size)}</td>
      <td class={v.modified_at === null ? "desk" : "side"}>
        {v.modified_at === null ? "—" : exact(v.modified_at).slice(0, 19)}
      </td>
      <td class="side">
        <a href={folderOf(file, v)}>{exact(v.snapshot_at).slice(0, 16)}</a>
        {v.snapshots > 1 && <span class="muted">{` and ${plural(v.snapshots - 1, "other")}`}</span>}
      </td>
      <td class="act">{file.exact && <Acts {...props} />}</td>
    </tr>
  );
}

function File({ file, isOfHost }: VersionProps) {
  return (
    <>
      <bdi class="mono">{visible(middleCut(file.path, 90))}</bdi>
      {!isOfHost && (
        <div class="muted small">
          on <Name text={middleCut(file.host_name, 40)} />
        </div>
      )}
      {file.missing && <Missing file={file} missing={file.missing} />}
    </>
  );
}

function Missing(
  { file, missing }: { file: FoundFileView; missing: NonNullable<FoundFileView["missing"]> },
) {
  const { snapshot_id, time, job_id } = missing;
  return (
    <div class="small">
      missing since{" "}
      <a href={`/snapshots/${snapshot_id.slice(0, 16)}?repository=${file.repository_id}`}>
        {exact(time).slice(0, 16)}
      </a>
      {job_id !== null && (
        <>
          {" "}(<a href={`/jobs/${job_id}`}>its job</a>)
        </>
      )}
    </div>
  );
}

function Acts({ file, version: v, mayDownload }: VersionProps) {
  const what = `${visible(middleCut(file.path, 60))} of ${exact(v.snapshot_at).slice(0, 16)}`;
  const id = v.snapshot_id.slice(0, 16);
  const query = new URLSearchParams({ repository: file.repository_id, path: file.path });
  return (
    <>
      <button
        type="submit"
        class="slim"
        form="act"
        formaction={`/snapshots/${id}/restore?repository=${file.repository_id}`}
        name="item"
        value={formPath(file.path)}
        aria-label={`Restore ${what}`}
      >
        Restore
      </button>
      {mayDownload && v.type === "file" && (
        <>
          {" "}
          <a href={`/snapshots/${id}/preview?${query}`} aria-label={`Preview ${what}`}>Preview</a>
          {" "}
          <a
            href={`/snapshots/${id}/download?${query}`}
            aria-label={`Download ${what}`}
            download
          >
            Download
          </a>
        </>
      )}
    </>
  );
}

/** The folder that it is in; where its path may hold other bytes than are shown, the top. */
function folderOf(file: FoundFileView, { snapshot_id }: FoundVersionView): string {
  const query = new URLSearchParams({ repository: file.repository_id });
  const parent = file.path.slice(0, file.path.lastIndexOf("/"));
  if (file.exact && parent) query.set("path", parent);
  return `/snapshots/${snapshot_id.slice(0, 16)}?${query}`;
}
