// Which snapshot is meant, by the list that the repository gives now.
import type { Snapshot } from "../../shared/protocol.ts";
import { readSnapshotPath, shownName } from "../../shared/snapshot_path.ts";
import { spanInWords } from "../../shared/span.ts";
import { visible } from "../../shared/redact.ts";

/** The snapshot with these digits, else the newest that holds the path; or a sentence that says why there is none. */
export function chooseSnapshot(
  snapshots: Snapshot[],
  id: string | undefined,
  path: string,
): { snapshot: Snapshot; said: string[] } | string {
  const newest = snapshots.toSorted((a, b) => b.time - a.time);
  if (id !== undefined) {
    const found = newest.filter((each) => each.id.startsWith(id));
    const [snapshot, other] = found;
    if (!snapshot) return `No snapshot of this machine begins with ${id}: see --list.`;
    if (other) return `More than one snapshot begins with ${id}: give more digits.`;
    return { snapshot, said: [] };
  }
  const holds = newest.findIndex((each) => each.paths.some((kept) => isAbove(kept, path)));
  const snapshot = newest[holds];
  if (!snapshot) {
    return newest.length === 0
      ? "The repository holds no snapshot of this machine."
      : `None of the ${newest.length} snapshots of this machine was made of ${
        shown(path)
      }: see --list, and name one by --snapshot.`;
  }
  const passed = newest.slice(0, holds).slice(0, 5).map((each) =>
    `Passed over, since it was not made of ${shown(path)}: ${lineOf(each, Date.now())}`
  );
  return { snapshot, said: passed };
}

/** What a snapshot was made of, and what is in it, by text alone. */
function isAbove(kept: string, path: string): boolean {
  const tree = kept.replace(/^([A-Za-z]):(?=[\\/]|$)/, "/$1").replaceAll(
    /\\/g,
    Deno.build.os === "windows" ? "/" : "\\",
  ).replace(/(?<=.)\/+$/, "");
  const wanted = shown(path);
  return tree === "/" || wanted === tree || wanted.startsWith(`${tree}/`);
}

function shown(path: string): string {
  return `/${readSnapshotPath(path).map(shownName).join("/")}`;
}

/** `1a2b3c4d  2026-11-21 19:12:45 UTC (8 h ago)  default  /etc /home` */
export function lineOf({ id, time, tags, paths }: Snapshot, now: number): string {
  const at = new Date(time).toISOString().slice(0, 19).replace("T", " ");
  const what = [tags.join(","), paths.join(" ")].filter(Boolean).map(visible).join("  ");
  return `${id.slice(0, 8)}  ${at} UTC (${spanInWords(now - time)} ago)  ${what}`;
}
