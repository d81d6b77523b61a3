// The table of one folder of a snapshot: sorted, filtered and paged by links and a form, so that it needs no scripts.
import { bytes, count, exact, middleCut, plural } from "../format.ts";
import { Empty } from "../parts/empty.tsx";
import { Name, titleOf } from "../parts/name.tsx";
import { Pager } from "../parts/pager.tsx";
import type { SnapshotTree, TreeEntry, TreeSort } from "../../shared/shapes/tree.ts";
import type { TreeEntryType } from "../../shared/tree.ts";
import { type TreeChoice, treeLink } from "./link.ts";
import type { SnapshotView } from "./page.tsx";

export interface FolderTableProps {
  snapshot: SnapshotView;
  choice: TreeChoice;
  tree: SnapshotTree;
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
      {tree.items.length > 0 ? <Entries {...props} /> : <NothingThere {...props} />}
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
          value={value}
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

function Entries(props: FolderTableProps) {
  return (
    <table class="table fixed fold tree">
      <thead>
        <tr>
          <Head {...props} by="name" label="Name" />
          <th class="t-type" scope="col">Type</th>
          <Head {...props} by="size" label="Size" first="desc" />
          <Head {...props} by="time" label="Modified (UTC)" first="desc" />
          <th class="t-mode" scope="col">Mode</th>
        </tr>
      </thead>
      <tbody>
        {props.tree.items.map((entry) => <EntryRow snapshot={props.snapshot} entry={entry} />)}
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

function EntryRow({ snapshot, entry }: { snapshot: SnapshotView; entry: TreeEntry }) {
  const { name, type, size, modified_at, mode, uid, gid } = entry;
  const shown = <Name text={middleCut(name, 80)} />;
  return (
    <tr>
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
      <td class={modified_at === null ? "desk" : "side"}>
        {modified_at === null ? "—" : exact(modified_at).slice(0, 19)}
      </td>
      <td class="side mono" title={`owner ${uid}, group ${gid}`}>{mode}</td>
    </tr>
  );
}
