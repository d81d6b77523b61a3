// What a search found, a file at a time: each version of it with the snapshots that have it, and since when it is missing.
import type { FoundFile } from "../../shared/shapes/find.ts";
import type { Search } from "./search.ts";
import { keyOf, type SearchedSnapshot } from "./search_targets.ts";

export interface FileVersion extends Pick<FoundFile, "size" | "modified_at" | "type"> {
  /** The newest snapshot that has it, and how many do. */
  snapshot_id: string;
  snapshot_at: number;
  snapshots: number;
}

export interface FoundVersions
  extends Pick<FoundFile, "path" | "exact" | "host_id" | "repository_id"> {
  /** What the host is called here, else what its snapshots say. */
  host_name: string;
  /** The newest first. */
  versions: FileVersion[];
  /** The first snapshot after the last one with it, of the same host and tags (without tags: the same paths), and its job. */
  missing: { snapshot_id: string; time: number; job_id: string | null } | null;
}

/** The files, those of the newest snapshots first. */
export function versionsOf(search: Search): FoundVersions[] {
  const files = Map.groupBy(search.matches, fileKey);
  const targets = new Map(search.targets.map((each) => [each.key, each]));
  const series = Map.groupBy(search.targets, seriesOf);
  const all = [...files.values()].map((matches) => {
    matches.sort((a, b) => b.snapshot_at - a.snapshot_at);
    const { path, exact, host, host_id, repository_id, snapshot_id } = matches[0]!;
    const last = targets.get(keyOf(repository_id, snapshot_id))!;
    const later = search.cut ? [] : series.get(seriesOf(last))!
      .filter(({ key, time }) => time > last.time && search.searched.has(key));
    return {
      ...{ path, exact, host_id, repository_id },
      host_name: last.source?.name ?? host,
      versions: inVersions(matches),
      missing: missingFrom(later),
    };
  });
  const newest = ({ versions }: FoundVersions) => versions[0]!.snapshot_at;
  return all.sort((a, b) => newest(b) - newest(a) || (a.path < b.path ? -1 : 1));
}

function fileKey({ repository_id, host_id, host, path }: FoundFile): string {
  return JSON.stringify([repository_id, host_id ?? host, path]);
}

function seriesOf({ repository_id, source, host, tags, paths }: SearchedSnapshot): string {
  return JSON.stringify([repository_id, source?.id ?? null, host, tags.length > 0 ? tags : paths]);
}

/** Those that follow each other with the same type, size and time are one. */
function inVersions(matches: FoundFile[]): FileVersion[] {
  const versions: FileVersion[] = [];
  for (const { type, size, modified_at, snapshot_id, snapshot_at } of matches) {
    const before = versions.at(-1);
    const isSame = before && before.type === type && before.size === size &&
      before.modified_at === modified_at;
    if (isSame) before.snapshots++;
    else versions.push({ type, size, modified_at, snapshot_id, snapshot_at, snapshots: 1 });
  }
  return versions;
}

function missingFrom(later: SearchedSnapshot[]): FoundVersions["missing"] {
  const first = later.toSorted((a, b) => a.time - b.time)[0];
  return first ? { snapshot_id: first.id, time: first.time, job_id: first.job_id } : null;
}
