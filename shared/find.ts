// What the stream of the kind "find" carries: lines of JSON, an array for each match, in the order of restic, and at the end one object.
import { z } from "zod";
import { SNAPSHOT_PATH_LIMIT } from "./snapshot_path.ts";
import { TREE_ENTRY_TYPES, TREE_TIMES } from "./tree.ts";

/** Snapshots that one run of restic goes through. */
export const FIND_SNAPSHOTS_LIMIT = 25;
/** Matches of one run; a search as a whole has bounds of its own on the server. */
export const FIND_MATCHES_LIMIT = 5000;
/** Bytes of all lines but the last. */
export const FIND_BYTES_LIMIT = 2_097_152;
/** Bytes of one line: six for a letter that JSON escapes. */
export const FIND_LINE_LIMIT = 6 * SNAPSHOT_PATH_LIMIT + 300;
export const FIND_PATTERN_LIMIT = 1000;
/** How long one run may take (milliseconds): 25 snapshots of a million files each, 10 microseconds for each file. */
export const FIND_RUN_MS = 300_000;

/** The name is exactly this, or has this in it, or fits this pattern of * ? [abc]. */
export const FIND_MODES = ["name", "part", "pattern"] as const;
export type FindMode = typeof FIND_MODES[number];

const size = z.int().min(0);
const time = z.int().min(TREE_TIMES.min).max(TREE_TIMES.max);

/** What a file must be like, by server and agent alike. */
export const FindCriteria = z.object({
  pattern: z.string().min(1).max(FIND_PATTERN_LIMIT)
    .refine((text) => text.isWellFormed() && !text.includes("\0")),
  mode: z.enum(FIND_MODES),
  /** Letters of either case are the same. */
  ignore_case: z.boolean(),
  /** Modified at this time or later, and at this time or earlier. */
  newer: time.nullable(),
  older: time.nullable(),
  /** Bytes; only files have a size. */
  min_size: size.nullable(),
  max_size: size.nullable(),
});
export type FindCriteria = z.infer<typeof FindCriteria>;

/** As restic's JSON has it: what is no UTF-8 in it is U+FFFD. */
const shownPath = z.string().min(2).max(SNAPSHOT_PATH_LIMIT).startsWith("/")
  .refine((path) => path.isWellFormed() && !path.includes("\0"));

export const FindLine = z.union([
  z.tuple([
    /** Which of the snapshots that were asked for, counted from 0. */
    z.int().min(0).max(FIND_SNAPSHOTS_LIMIT - 1),
    z.enum(TREE_ENTRY_TYPES),
    shownPath,
    /** Bytes of a file; null of anything else. */
    size.nullable(),
    time.nullable(),
  ]),
  z.object({
    /** Those of the snapshots that the repository does not have any more, counted from 0. */
    missing: z.array(z.int().min(0).max(FIND_SNAPSHOTS_LIMIT - 1)).max(FIND_SNAPSHOTS_LIMIT),
    /** There are more matches than these. */
    cut: z.boolean(),
  }),
]);
export type FindLine = z.infer<typeof FindLine>;
export type FindMatchLine = Extract<FindLine, unknown[]>;
export type FindEnd = Exclude<FindLine, unknown[]>;

/** Why such a pattern cannot be looked for; undefined where it can. */
export function patternProblem({ pattern, mode }: Pick<FindCriteria, "pattern" | "mode">) {
  if (mode === "part" && pattern.includes("/")) {
    return "must be a part of one name, without /, unless mode=name or mode=pattern";
  }
  if (/(^|\/)\.\.?(\/|$)/.test(pattern) || /^\/*$/.test(pattern)) {
    return "must be a name such as hosts, or the end of a path such as etc/hosts";
  }
  if (mode === "pattern" && readPattern(pattern) === undefined) {
    return "must be a pattern of * ? and [abc]; a bracket is closed, and a backslash comes before a letter";
  }
  return undefined;
}

/**
 * A pattern for one name as an expression, by the rules of Go's filepath.Match, which restic uses; undefined where it is none. Letters of
 * either case are the same with the flag i.
 */
export function readPattern(pattern: string, ignoreCase = false): RegExp | undefined {
  let text = "";
  for (let rest = pattern; rest !== "";) {
    const [piece] = PIECE.exec(rest) ?? [];
    if (piece === undefined) return undefined;
    rest = rest.slice(piece.length);
    text += expressionOf(piece);
  }
  try {
    return new RegExp(`^${text}$`, ignoreCase ? "ius" : "us");
  } catch {
    // A span such as z-a.
    return undefined;
  }
}

const PIECE = /^(?:\*+|\?|\\.|\[\^?(?:\\.|[^\]\\])+\]|[^*?[\\])/su;

function expressionOf(piece: string): string {
  if (piece.startsWith("*")) return "[^/]*";
  if (piece === "?") return "[^/]";
  if (!piece.startsWith("[")) return literal(piece.replace(/^\\/, ""));
  const isNot = piece.startsWith("[^");
  const parts = piece.slice(isNot ? 2 : 1, -1).match(/\\.|[^\\]/gsu) ?? [];
  const inside = parts.map((part) => part === "-" ? "-" : literal(part.replace(/^\\/, "")));
  return `[${isNot ? "^" : ""}${inside.join("")}]`;
}

/** By its number, so that it means nothing else. */
function literal(letter: string): string {
  return `\\u{${letter.codePointAt(0)!.toString(16)}}`;
}
