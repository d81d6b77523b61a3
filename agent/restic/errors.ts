// What restic says on stderr, in its three historic shapes, as readable lines and as facts.
import { readRefusal } from "./refusals.ts";

/** What the lines of one run add up to. */
export interface ErrorFacts {
  /** Source paths that do not exist. */
  missing: string[];
  /** Files and folders that could not be read. */
  unreadable: number;
  /** restic has reached the repository, although nothing else may show it. */
  contact: boolean;
  /** How often a request was refused for good that is made before restic holds the repository's key. */
  refusedAtFirst: number;
  /** The same for its own lock: what it makes when it begins, and every five minutes from then on. */
  refusedLock: number;
  /** The last lines, for the sentence that explains a failure. */
  text: string;
}

/** Of a file or folder, as restic names it; blank where it names none. */
export type OnItemError = (item: string, message: string) => void;

const KEPT_CHARACTERS = 8192;
// Linux numbers, since 0.14 and 0.15 print only those.
const ERRNO: Record<number, string> = {
  1: "operation not permitted",
  2: "no such file or directory",
  5: "input/output error",
  13: "permission denied",
  40: "too many levels of symbolic links",
  116: "stale file handle",
};

export class ErrorReader {
  constructor(private readonly onItem: OnItemError = () => {}) {}

  readonly facts: ErrorFacts = {
    missing: [],
    unreadable: 0,
    contact: false,
    refusedAtFirst: 0,
    refusedLock: 0,
    text: "",
  };

  /** The readable lines of one line of stderr. */
  read(raw: string): string[] {
    // deno-lint-ignore no-control-regex
    const line = raw.replace(/^\x1b\[2K/, "");
    const lines = line.startsWith("{") ? this.#readObject(line) : [line];
    for (const text of lines) this.#note(text);
    return lines;
  }

  #readObject(line: string): string[] {
    const value = parseObject(line);
    if (value?.message_type === "exit_error" && typeof value.message === "string") {
      return value.message.split("\n");
    }
    if (value?.message_type !== "error") return [line];
    this.facts.unreadable++;
    this.facts.contact = true;
    const item = typeof value.item === "string" ? value.item : "";
    const problem = problemOf(value.error, item);
    this.onItem(item, wholeMessage(value.error) ?? problem);
    return [`error: ${item ? `${item}: ` : ""}${problem}`];
  }

  #noteRetry(text: string): void {
    const [, verb, file] = RETRY.exec(text) ?? [];
    if (!verb || !readRefusal(text, "")?.isFinal) return;
    if (file === "config" || file === "key") this.facts.refusedAtFirst++;
    if (file === "lock" && verb === "Save") this.facts.refusedLock++;
  }

  #note(text: string): void {
    const [, ignored] = IGNORED.exec(text) ?? [];
    if (ignored !== undefined) this.onItem(...itemOf(ignored));
    const missing = /^(.+) does not exist, skipping$/.exec(text)?.[1];
    if (missing) this.facts.missing.push(missing);
    if (text.startsWith("unable to open cache")) this.facts.contact = true;
    this.#noteRetry(text);
    this.facts.text = `${this.facts.text}${text}\n`.slice(-KEPT_CHARACTERS);
  }
}

// "Stat(<config/>) returned error, retrying after 1.2s: …", "List(key) …", "Load(<key/0123456789>, 0, 0) …"
const RETRY = /^(\w+)\(<?(\w+)[^)]*\) returned error, retrying after [\w.µ]+: /;

// restore before 0.17: "ignoring error for /srv/a: write /target/srv/a: no space left on device"
const IGNORED = /^ignoring error for ([^]*)$/;

/** The longest beginning that the message names again: a file may be called "x: chown y". */
function itemOf(text: string): [item: string, message: string] {
  const ends = [...text.matchAll(/: /g)].map(({ index }) => index);
  const end = ends.findLast((at) => text.slice(at + 2).includes(text.slice(0, at))) ?? ends[0];
  return end === undefined ? [text, ""] : [text.slice(0, end), text.slice(end + 2)];
}

function wholeMessage(error: unknown): string | undefined {
  const { message } = (error ?? {}) as { message?: unknown };
  return typeof message === "string" && message !== "" ? message : undefined;
}

function problemOf(error: unknown, item: string): string {
  const { message, Err: errno } = (error ?? {}) as { message?: unknown; Err?: unknown };
  if (typeof message === "string" && message !== "") {
    const at = item ? message.lastIndexOf(`${item}: `) : -1;
    return at < 0 ? message : message.slice(at + item.length + 2);
  }
  if (typeof errno === "number") return ERRNO[errno] ?? `error ${errno}`;
  // 0.16 prints an empty object.
  return "could not be read";
}

/** A JSON object of a line, or undefined. */
export function parseObject(line: string): Record<string, unknown> | undefined {
  try {
    const value = JSON.parse(line);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
