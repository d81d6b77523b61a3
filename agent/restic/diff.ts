// What differs between two snapshots as restic says it. Its JSON has no sizes; what is no UTF-8 in a path is U+FFFD; of what became another type
// it names the place alone and not what lies in it.
import { type DiffModifier, DiffStatistics } from "../../shared/diff.ts";
import { parseObject } from "./errors.ts";
import type { RunOptions } from "./run.ts";

/** Changed attributes too. 63 digits of each id: with all of them 0.16 asks for a snapshot that is gone for a minute. */
export function diffCommand(base: string, snapshot: string): Pick<RunOptions, "args"> {
  const ids = [base, snapshot].map((id) => id.slice(0, 63));
  return { args: ["diff", "--json", "--no-lock", "--metadata", ...ids] };
}

export type DiffOutput =
  | { modifier: DiffModifier; path: string }
  | { statistics: DiffStatistics }
  | undefined;

/** What a line of JSON says; undefined for one that says nothing that is known. */
export function readDiffLine(line: string): DiffOutput {
  const value = parseObject(line);
  if (value?.message_type === "statistics") return readStatistics(value);
  if (value?.message_type !== "change") return undefined;
  const { path, modifier } = value;
  const known = ORDER.find((letter) => typeof modifier === "string" && modifier.includes(letter));
  return known && typeof path === "string" ? { modifier: known, path } : undefined;
}

/** They come together (TU, MU, M?): what matters most first. */
const ORDER: DiffModifier[] = ["+", "-", "T", "?", "M", "U"];

function readStatistics(value: Record<string, unknown>): DiffOutput {
  const read = DiffStatistics.safeParse({
    changed_files: value.changed_files,
    added: sideOf(value.added),
    removed: sideOf(value.removed),
  });
  return read.success ? { statistics: read.data } : undefined;
}

function sideOf(value: unknown) {
  const { files, dirs, others, bytes } = (value ?? {}) as Record<string, unknown>;
  return { files, folders: dirs, others, bytes };
}
