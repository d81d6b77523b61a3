// Which snapshot is meant, by the list that the repository gives now.
import { bytes } from "../../shared/bytes.ts";
import type { Snapshot } from "../../shared/protocol.ts";
import { readSnapshotPath, shownName } from "../../shared/snapshot_path.ts";
import { spanInWords } from "../../shared/span.ts";
import { visible } from "../../shared/redact.ts";
import { UNDO_TAG } from "../restore/undo.ts";
import type { KnownWarnings } from "./known.ts";

export interface Wanted {
  /** 8 to 64 digits; undefined: the latest. */
  id: string | undefined;
  /** As they stand in snapshots. */
  paths: string[];
  warnings: KnownWarnings;
  /** Ids of snapshots that were looked into → what they do not hold. */
  lacking: ReadonlyMap<string, string>;
}

interface PassedOver {
  snapshot: Snapshot;
  /** The end of a sentence. */
  why: string;
}

const SHOWN = 5;
const NOT_MADE_OF = "it was not made of ";

/**
 * The snapshot with these digits; else the newest that was made of the paths, without warnings as far as is known here, and does not hold
 * what a restore wrote over. Or a sentence that says why there is none.
 */
export function chooseSnapshot(
  snapshots: Snapshot[],
  wanted: Wanted,
): { snapshot: Snapshot; said: string[] } | string {
  const newest = snapshots.toSorted((a, b) => b.time - a.time);
  if (wanted.id !== undefined) return withDigits(newest, wanted.id);
  const passed: PassedOver[] = [];
  for (const snapshot of newest) {
    const why = whyNot(snapshot, wanted);
    if (why === undefined) return { snapshot, said: saidOf(passed) };
    passed.push({ snapshot, why });
  }
  return noneOf(passed);
}

function withDigits(newest: Snapshot[], id: string) {
  const [snapshot, other] = newest.filter((each) => each.id.startsWith(id));
  if (!snapshot) return `No snapshot of this machine begins with ${id}: see --list.`;
  if (other) return `More than one snapshot begins with ${id}: give more digits.`;
  return { snapshot, said: [] };
}

function whyNot(snapshot: Snapshot, { paths, warnings, lacking }: Wanted): string | undefined {
  const outside = paths.find((path) => !snapshot.paths.some((kept) => isAbove(kept, path)));
  if (outside !== undefined) return `${NOT_MADE_OF}${shown(outside)}`;
  if (isUndo(snapshot)) return "it holds what a restore wrote over";
  const count = warnings(snapshot.id);
  if (count) return `its backup had ${warningsInWords(count)}`;
  const lacks = lacking.get(snapshot.id);
  return lacks && `it does not hold ${shown(lacks)}`;
}

function saidOf(passed: PassedOver[]): string[] {
  const said = passed.slice(0, SHOWN).map(({ snapshot, why }) =>
    `Passed over, since ${why}: ${lineOf(snapshot, Date.now())}`
  );
  const more = passed.length - said.length;
  return more > 0 ? [...said, `Passed over as well: ${more} older ones.`] : said;
}

function noneOf(passed: PassedOver[]): string {
  const [first] = passed;
  if (!first) return "The repository holds no snapshot of this machine.";
  const none = `None of the ${passed.length} snapshots of this machine`;
  // What was made of something else altogether helps nobody here.
  const near = passed.filter(({ why }) => !why.startsWith(NOT_MADE_OF));
  if (near.length === 0) {
    const path = first.why.slice(NOT_MADE_OF.length);
    return `${none} was made of ${path}: see --list, and name one by --snapshot.`;
  }
  const named = near.slice(0, SHOWN)
    .map(({ snapshot, why }) => `${snapshot.id.slice(0, 8)}, since ${why}`).join("; ");
  return `${none} is taken for the latest: not ${named}. See --list, and name one by --snapshot.`;
}

/** Saved before a restore in place: what somebody wanted to be rid of. */
function isUndo({ tags }: Snapshot): boolean {
  return tags.includes(UNDO_TAG);
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

/** What else is known of it, for the line below; undefined where that is nothing. */
export function detailsOf(snapshot: Snapshot, warnings: number | undefined): string | undefined {
  const { files, bytes: size } = snapshot;
  const parts = [
    ...size === null ? [] : [bytes(size)],
    ...files === null ? [] : [`${files} files`],
    ...isUndo(snapshot) ? ["holds what a restore wrote over"] : [],
    ...warnings === undefined
      ? []
      : [warnings > 0 ? warningsInWords(warnings) : "made without warnings"],
  ];
  return parts.length > 0 ? `          ${parts.join(", ")}` : undefined;
}

function warningsInWords(count: number): string {
  return count === 1 ? "1 warning" : `${count} warnings`;
}
