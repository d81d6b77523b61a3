// What a restore comes to, for eyes: the place of its first item, and restic's own command.
import { shownPath } from "../../shared/snapshot_path.ts";

interface Choice {
  kind: "folder" | "original";
  path: string;
  keep_paths: boolean;
  overwrite: string;
  verify: boolean;
}

interface Place {
  os: string;
  proposed: string | undefined;
}

/** Where an item comes to lie. */
export function finalPath(
  item: string,
  { choice, os, proposed }: Place & { choice: Choice },
): string {
  const path = shownPath(item);
  if (choice.kind === "original") return os === "windows" ? onWindows(path) : path;
  const folder = (choice.path || proposed || "").replace(/[\\/]+$/, "");
  const kept = choice.keep_paths ? path : path.slice(path.lastIndexOf("/"));
  return os === "windows" ? `${folder}${kept.replaceAll("/", "\\")}` : `${folder}${kept}`;
}

function onWindows(path: string): string {
  return path.replace(/^\/([A-Za-z])(\/|$)/, "$1:\\").replaceAll("/", "\\");
}

export function commandOf(
  { items, choice }: { items: string[]; choice: Choice },
  { snapshotId, os, proposed }: Place & { snapshotId: string },
): string {
  const isInPlace = choice.kind === "original";
  const parents = new Map<string, string[]>();
  for (const item of items) {
    const path = shownPath(item);
    const parent = isInPlace || !choice.keep_paths ? path.slice(0, path.lastIndexOf("/")) : "";
    parents.set(parent, [...parents.get(parent) ?? [], path.slice(parent.length)]);
  }
  const more = [
    ...isInPlace && choice.overwrite !== "always" ? [`--overwrite=${choice.overwrite}`] : [],
    ...choice.verify ? ["--verify"] : [],
  ];
  return [...parents].map(([parent, names]) => {
    const target = isInPlace
      ? (os === "windows" ? onWindows(parent) : parent || "/")
      : choice.path || proposed || "";
    const id = parent ? `${snapshotId.slice(0, 63)}:${parent}` : snapshotId.slice(0, 63);
    const includes = names.filter((name) => name !== "/").map((name) =>
      `--include=${literal(name)}`
    );
    return [
      "restic restore",
      quoted(id),
      ...[`--target=${target}`, ...more, ...includes].map(quoted),
    ]
      .join(" ");
  }).join("\n");
}

/** As a pattern that fits nothing else (agent/restore/items.ts). */
function literal(name: string): string {
  return name.replaceAll(/[*?[]/g, "[$&]").replaceAll("\\", "\\\\");
}

function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
