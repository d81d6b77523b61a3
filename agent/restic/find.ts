// restic's search: the arguments, and its output, which is one line of JSON, however long. It is taken apart as it comes: each match by itself,
// and after the matches of a snapshot the snapshot's id.
import type { FindCriteria } from "../../shared/find.ts";
import type { TreeEntryType } from "../../shared/tree.ts";
import { literalPattern } from "../restore/items.ts";
import { parseObject } from "./errors.ts";
import type { RunOptions } from "./run.ts";
import { timeOf, typeOf, whole } from "./tree.ts";

/** 63 digits of each id: with all of them 0.16 asks for a snapshot that is gone for a minute. */
export function findCommand(
  snapshots: readonly string[],
  { pattern, mode, ignore_case }: Pick<FindCriteria, "pattern" | "mode" | "ignore_case">,
): Pick<RunOptions, "args"> {
  const plain = pattern.replace(/\/+$/, "");
  const given = mode === "pattern"
    ? plain
    : mode === "part"
    ? `*${literalPattern(plain)}*`
    : literalPattern(plain);
  return {
    args: [
      "find",
      "--json",
      "--no-lock",
      ...(ignore_case ? ["--ignore-case"] : []),
      ...snapshots.map((id) => `--snapshot=${id.slice(0, 63)}`),
      "--",
      given,
    ],
  };
}

export interface FoundNode {
  type: TreeEntryType;
  path: string;
  size: number | null;
  time: number | null;
}

export interface FindEvents {
  onMatch(node: FoundNode): void;
  /** A match that was not read: it is too long, or says nothing that is known. */
  onUnread(): void;
  /** The matches before it, since the last one, are of this snapshot. */
  onSnapshot(id: string): void;
}

/** Characters of one match: its path in escapes, the target of a link, names of owners. */
const MATCH_LIMIT = 262_144;

const LIST = 1;
const GROUP = 2;
const MATCHES = 3;

/** Reads `[{"matches":[{…},…],"hits":1,"snapshot":"…"},…]` in pieces of any size, and holds no more than one match of it. */
export class FindReader {
  readonly #decoder = new TextDecoder();
  #depth = 0;
  #isInText = false;
  #isEscaped = false;
  /** What is kept of the group without its matches, and of the match. */
  #group = "";
  #match = "";

  constructor(private readonly events: FindEvents) {}

  push(chunk: Uint8Array): void {
    const text = this.#decoder.decode(chunk, { stream: true });
    let from = 0;
    for (let at = 0; at < text.length; at++) {
      const letter = text[at]!;
      if (this.#isInText) this.#inText(letter);
      else if (letter === '"') this.#isInText = true;
      else if (letter === "{" || letter === "[") from = this.#open(text, from, at);
      else if (letter === "}" || letter === "]") from = this.#close(text, from, at);
    }
    this.#keep(text.slice(from));
  }

  #inText(letter: string): void {
    if (this.#isEscaped) this.#isEscaped = false;
    else if (letter === "\\") this.#isEscaped = true;
    else if (letter === '"') this.#isInText = false;
  }

  #open(text: string, from: number, at: number): number {
    const isNew = this.#depth < MATCHES + 1;
    if (this.#depth === GROUP) this.#keep(`${text.slice(from, at)}[]`);
    this.#depth++;
    if (this.#depth === GROUP) this.#group = "";
    if (this.#depth === MATCHES + 1) this.#match = "";
    return isNew ? at : from;
  }

  #close(text: string, from: number, at: number): number {
    const whole = text.slice(from, at + 1);
    if (this.#depth === GROUP || this.#depth === MATCHES + 1) this.#keep(whole);
    this.#depth--;
    if (this.#depth === MATCHES) this.#endMatch();
    if (this.#depth === LIST) this.#endGroup();
    return this.#depth > MATCHES ? from : at + 1;
  }

  #keep(text: string): void {
    if (this.#depth === GROUP) this.#group = grown(this.#group, text);
    else if (this.#depth > MATCHES) this.#match = grown(this.#match, text);
  }

  #endMatch(): void {
    const node = this.#match.length <= MATCH_LIMIT ? readNode(this.#match) : undefined;
    if (node) this.events.onMatch(node);
    else this.events.onUnread();
    this.#match = "";
  }

  #endGroup(): void {
    const { snapshot } = parseObject(this.#group) ?? {};
    this.events.onSnapshot(typeof snapshot === "string" ? snapshot : "");
    this.#group = "";
  }
}

function grown(kept: string, text: string): string {
  return kept.length > MATCH_LIMIT ? kept : kept + text;
}

function readNode(text: string): FoundNode | undefined {
  const value = parseObject(text);
  if (typeof value?.path !== "string") return undefined;
  const type = typeOf(value.type);
  return {
    type,
    path: value.path,
    size: type === "file" ? whole(value.size, Number.MAX_SAFE_INTEGER) : null,
    time: timeOf(value.mtime),
  };
}

/** Which of the snapshots the repository does not have: restic says so, passes over them and succeeds. */
export function missingSnapshots(errors: string, snapshots: readonly string[]): number[] {
  const gone = new Set(
    [...errors.matchAll(/^Ignoring "([0-9a-f]+)".*no matching ID found/gm)].map(([, id]) => id),
  );
  return snapshots.flatMap((id, n) => gone.has(id.slice(0, 63)) ? [n] : []);
}
