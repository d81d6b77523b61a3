// The table of one folder of a snapshot: sorted, filtered and paged by links and a form, so that it needs no scripts.
import { bytes, count, exact, middleCut, plural } from "../format.ts";
import { visible } from "../../shared/redact.ts";
import { Csrf } from "../parts/csrf.tsx";
import { Empty } from "../parts/empty.tsx";
import { Name, titleOf } from "../parts/name.tsx";
import { Pager } from "../parts/pager.tsx";
import type { SnapshotTree, TreeEntry, TreeSort } from "../../shared/shapes/tree.ts";
import type { TreeEntryType } from "../../shared/tree.ts";
import { fileLink, formPath, type TreeChoice, treeLink } from "./link.ts";
import type { SnapshotView } from "./page.tsx";

export interface FolderTableProps {
  snapshot: SnapshotView;
  choice: TreeChoice;
  tree: SnapshotTree;
  csrf: string;
  /** Whether files may be downloaded and previewed; null for whoever is no admin. */
  downloads: "on" | "off" | null;
  /** undefined on the first page; null for the page that is the first. */
  previousCursor: string | null | undefined;
}

const TYPE_WORDS: Record<TreeEntryType, string> = {
  folder: "folder",
  file: "file",
  link: "link",
  fifo: "pipe",
  device: "device",
  socket: "socket",
  other: "other",
};

export function FolderTable(props: FolderTableProps) {
  const { snapshot, choice, tree, previousCursor } = props;
  const { total, matching, reader, next_cursor } = tree;
  return (
    <>
      <p class="muted">
        {matching === total
          ? plural(total, "entry", "entries")
          : `${count(matching)} of ${plural(total, "entry", "entries")}`}, as{" "}
        <a href={`/hosts/${reader.id}`}>
          <Name text={middleCut(reader.name, 60)} />
        </a>{" "}
        {reader.is_source
          ? "reads them"
          : "reads them, since the host that made the snapshot is not online or not here any more"}.
      </p>
      {tree.cut && (
        <p class="warn">
          The folder has more entries than are read at once: what is missing here is in the snapshot
          all the same.
        </p>
      )}
      {tree.left_out > 0 && (
        <p class="warn">
          {plural(tree.left_out, "entry", "entries")} left out: their names cannot be shown exactly.
        </p>
      )}
      {(total > 0 || choice.q) && <Filter {...props} />}
      {tree.items.length > 0 ? <Selection {...props} /> : <NothingThere {...props} />}
      <Pager
        previous={previousCursor === undefined
          ? undefined
          : treeLink(snapshot, { ...choice, cursor: previousCursor ?? undefined })}
        next={next_cursor ? treeLink(snapshot, { ...choice, cursor: next_cursor }) : undefined}
      />
    </>
  );
}

function Filter({ snapshot, choice }: FolderTableProps) {
  const { path, sort, order, q } = choice;
  const kept = { repository: snapshot.repository_id, path, sort, order };
  return (
    <form class="filters" role="search">
      {Object.entries(kept).map(([name, value]) => (
        <input
          type="hidden"
          name={name}
          value={name === "path" ? formPath(value) : value}
        />
      ))}
      <label>
        Name has
        <input type="search" name="q" value={q} maxlength={200} autocomplete="off" data-search />
      </label>
      <button type="submit">Show</button>
      {q && <a href={treeLink(snapshot, { path, sort, order })}>Show all</a>}
    </form>
  );
}

function NothingThere({ snapshot, choice, tree }: FolderTableProps) {
  if (choice.q && tree.total > 0) {
    return (
      <Empty
        title="No name in this folder has that"
        action={{ href: treeLink(snapshot, { ...choice, q: "" }), label: "Show all" }}
      >
        Only this folder was looked at, not those in it.
      </Empty>
    );
  }
  return (
    <Empty title="This folder is empty">
      It was empty when the snapshot was made, or all that was in it was left out by the excludes of
      its source group.
    </Empty>
  );
}

/** The entries, in a form where something can be done with those that are ticked. */
function Selection(props: FolderTableProps) {
  const { snapshot, csrf, downloads } = props;
  return (
    <form class="stack" method="post" id="selection">
      <Csrf token={csrf} />
      <input type="hidden" name="repository" value={snapshot.repository_id} />
      {snapshot.draft && <input type="hidden" name="draft" value={snapshot.draft} />}
      <Entries {...props} />
      <div class="row">
        <button type="submit" class="primary slim" formaction={`/snapshots/${snapshot.id}/restore`}>
          {snapshot.draft ? "Add selected to the restore" : "Restore selected"}
        </button>
        {snapshot.draft && (
          <a class="button slim" href={`/restores/${snapshot.draft}`}>To the restore</a>
        )}
        {downloads === "on" && <Downloads {...props} />}
      </div>
      {downloads === "on" && (
        <p class="muted">
          Data passes this server only for downloads and previews, which are for admins and are in
          the audit; backups and restores go between the machine and its repository.
        </p>
      )}
      {downloads === "off" && (
        <p class="muted">Downloads and previews are off on this server (RM_DOWNLOADS).</p>
      )}
    </form>
  );
}

function Downloads(props: FolderTableProps) {
  const { snapshot, choice: { path } } = props;
  return (
    <>
      <DownloadSelected {...props} format="zip" />
      <DownloadSelected {...props} format="tar" />
      <span class="muted">
        This whole folder as <a href={archive(snapshot, path, "zip")} download>zip</a> or{" "}
        <a href={archive(snapshot, path, "tar")} download>tar</a>
      </span>
    </>
  );
}

function DownloadSelected({ snapshot, format }: FolderTableProps & { format: "zip" | "tar" }) {
  return (
    <button
      type="submit"
      class="slim"
      formaction={`/snapshots/${snapshot.id}/download`}
      name="format"
      value={format}
      data-download
    >
      Download selected as {format}
    </button>
  );
}

function archive(snapshot: SnapshotView, path: string, format: "zip" | "tar"): string {
  return fileLink("download", snapshot, { path, format });
}

function Entries(props: FolderTableProps) {
  const { snapshot, downloads } = props;
  return (
    <table class="table fixed fold tree">
      <thead>
        <tr>
          <th class="t-tick" scope="col">
            <span class="off-screen">Selected</span>
          </th>
          <Head {...props} by="name" label="Name" />
          <th class="t-type" scope="col">Type</th>
          <Head {...props} by="size" label="Size" first="desc" />
          <Head {...props} by="time" label="Modified (UTC)" first="desc" />
          <th class="t-mode" scope="col">Mode</th>
          {downloads === "on" && (
            <th class="t-act" scope="col">
              <span class="off-screen">File</span>
            </th>
          )}
        </tr>
      </thead>
      <tbody>
        {props.tree.items.map((entry) => (
          <EntryRow snapshot={snapshot} entry={entry} mayDownload={downloads === "on"} />
        ))}
      </tbody>
    </table>
  );
}

function Head(
  { snapshot, choice, by, label, first = "asc" }: FolderTableProps & {
    by: TreeSort;
    label: string;
    first?: "asc" | "desc";
  },
) {
  const isSorted = choice.sort === by;
  const turned = choice.order === "asc" ? "desc" : "asc";
  const href = treeLink(snapshot, { ...choice, sort: by, order: isSorted ? turned : first });
  return (
    <th
      class={by === "size" ? "t-size num" : `t-${by}`}
      scope="col"
      aria-sort={isSorted ? (choice.order === "asc" ? "ascending" : "descending") : undefined}
    >
      <a href={href}>{label}</a>
      {isSorted && <span aria-hidden="true">{choice.order === "asc" ? " ↑" : " ↓"}</span>}
    </th>
  );
}

function EntryRow(
  { snapshot, entry, mayDownload }: {
    snapshot: SnapshotView;
    entry: TreeEntry;
    mayDownload: boolean;
  },
) {
  const { name, type, size, mtime, mode, uid, gid } = entry;
  const shown = <Name text={middleCut(name, 80)} />;
  return (
    <tr>
      <td class="t-tick">
        {type !== "other" && type !== "socket" && (
          <input
            type="checkbox"
            name="item"
            value={formPath(entry.path)}
            aria-label={visible(middleCut(name, 80))}
          />
        )}
      </td>
      <td class="first" title={titleOf(name, 40)}>
        {type === "folder"
          ? (
            <>
              <a href={treeLink(snapshot, { path: entry.path })}>{shown}</a>/
            </>
          )
          : shown}
      </td>
      <td class="side">{TYPE_WORDS[type]}</td>
      <td class={size === null ? "num desk" : "num"}>{size === null ? "" : bytes(size)}</td>
      <td class={mtime === null ? "desk" : "side"}>
        {mtime === null ? "—" : exact(mtime).slice(0, 19)}
      </td>
      <td class="side mono" title={`owner ${uid}, group ${gid}`}>{mode}</td>
      {mayDownload && (
        <td class="act">
          {type === "file" && <FileLinks snapshot={snapshot} entry={entry} />}
        </td>
      )}
    </tr>
  );
}

function FileLinks({ snapshot, entry }: { snapshot: SnapshotView; entry: TreeEntry }) {
  const { path } = entry;
  const name = visible(middleCut(entry.name, 40));
  return (
    <>
      <a href={fileLink("preview", snapshot, { path })} aria-label={`Preview ${name}`}>Preview</a>
      {" "}
      <a
        href={fileLink("download", snapshot, { path })}
        aria-label={`Download ${name}`}
        download
      >
        Download
      </a>
    </>
  );
}
