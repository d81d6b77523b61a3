// Where files of a name are in some snapshots, searched by restic with the credential that this host has of their repository, without a lock and
// beside a backup, as a folder of a snapshot is read (tree.ts).
import { NO_LIMITS } from "../../shared/bandwidth.ts";
import {
  FIND_BYTES_LIMIT,
  FIND_MATCHES_LIMIT,
  FIND_RUN_MS,
  type FindCriteria,
  type FindEnd,
  FindLine,
  patternProblem,
  readPattern,
} from "../../shared/find.ts";
import type { RequestOf } from "../../shared/stream.ts";
import type { RunContext } from "../restic/context.ts";
import { findCommand, FindReader, type FoundNode, missingSnapshots } from "../restic/find.ts";
import { readRestic } from "../restic/read.ts";
import { Reading, type ReadingAgent, refuseFailure } from "./reading.ts";
import { type Produced, StreamProblem } from "./running.ts";

type FindRequest = RequestOf<"find">;

const encoder = new TextEncoder();

/**
 * Throws StreamProblem: a pattern that is none, no credential, not allowed here, or a repository that does not answer. A snapshot that is gone
 * is named at the end.
 */
export async function* findFiles(
  agent: ReadingAgent,
  request: FindRequest,
  signal: AbortSignal,
): Produced {
  const problem = patternProblem(request);
  if (problem) throw new StreamProblem("failed", `pattern ${problem}`);
  using reading = new Reading(signal);
  const context = await reading.prepare(agent, request.repository_id, NO_LIMITS);
  const search = new Search(request);
  const missing = yield* search.read(context);
  if (context.control.stopped) return;
  yield encoder.encode(`${JSON.stringify({ missing, cut: search.isCut } satisfies FindEnd)}\n`);
}

class Search {
  isCut = false;
  readonly #fits: (node: FoundNode) => boolean;
  /** Of the snapshot that restic goes through: which one it is comes after them. */
  #pending: FoundNode[] = [];
  #ready = "";
  #matches = 0;
  #bytes = 0;
  /** There is no room for more, and all that was kept has its snapshot. */
  #isFull = false;

  constructor(private readonly request: FindRequest) {
    this.#fits = criterion(request);
  }

  /** Returns which of the snapshots are gone. */
  async *read(context: RunContext): AsyncGenerator<Uint8Array, number[]> {
    const { snapshots } = this.request;
    const run = yield* readRestic(
      context,
      { ...findCommand(snapshots, this.request), wholeMs: FIND_RUN_MS },
      (out) => this.#parse(out),
    );
    if (!this.#isFull && !context.control.stopped) refuseFailure(run);
    return missingSnapshots(run.errors.text, snapshots);
  }

  async *#parse(out: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    const reader = new FindReader({
      onMatch: (node) => this.#take(node),
      onUnread: () => this.isCut = true,
      onSnapshot: (id) => this.#end(this.request.snapshots.indexOf(id)),
    });
    for await (const chunk of out) {
      reader.push(chunk);
      if (this.#ready) yield encoder.encode(this.#ready);
      this.#ready = "";
      if (this.#isFull) return;
    }
    // restic ended before it said of which snapshot they are.
    if (this.#pending.length > 0) this.isCut = true;
  }

  #take(node: FoundNode): void {
    if (!this.#fits(node)) return;
    if (this.#matches >= FIND_MATCHES_LIMIT || this.#bytes >= FIND_BYTES_LIMIT) {
      this.isCut = true;
      return;
    }
    const line = lineOf(0, node);
    this.isCut ||= line === undefined;
    if (!line) return;
    this.#matches++;
    this.#bytes += encoder.encode(line).length + 1;
    if (this.#bytes > FIND_BYTES_LIMIT) this.isCut = true;
    // Which one it is need not be waited for where there is no other.
    else if (this.request.snapshots.length === 1) this.#ready += line;
    else this.#pending.push(node);
  }

  #end(snapshot: number): void {
    if (snapshot < 0 && this.#pending.length > 0) this.isCut = true;
    for (const node of this.#pending) this.#ready += lineOf(snapshot, node) ?? "";
    this.#pending = [];
    this.#isFull = this.isCut &&
      (this.#matches >= FIND_MATCHES_LIMIT || this.#bytes >= FIND_BYTES_LIMIT);
  }
}

/** undefined for what is no path that could be asked for. */
function lineOf(snapshot: number, { type, path, size, time }: FoundNode): string | undefined {
  const { success, data } = FindLine.safeParse([snapshot, type, path, size, time]);
  return success ? `${JSON.stringify(data)}\n` : undefined;
}

/** Its own name fits, since restic returns all that lies in a folder that fits; so do its size and time. */
function criterion(criteria: FindCriteria): (node: FoundNode) => boolean {
  const { newer, older, min_size, max_size } = criteria;
  const isNamed = criteria.pattern.replace(/\/+$/, "").includes("/")
    ? notBelowAnother()
    : ownName(criteria);
  const isDated = newer !== null || older !== null;
  const isSized = min_size !== null || max_size !== null;
  return (node) =>
    isNamed(node) &&
    (!isDated || isWithin(node.time, newer, older)) &&
    (!isSized || isWithin(node.size, min_size, max_size));
}

/** What has no value is within no bounds. */
function isWithin(value: number | null, least: number | null, most: number | null): boolean {
  return value !== null && value >= (least ?? -Infinity) && value <= (most ?? Infinity);
}

function ownName(criteria: FindCriteria): (node: FoundNode) => boolean {
  const { mode, ignore_case } = criteria;
  const fold = (text: string) => ignore_case ? text.toLowerCase() : text;
  const wanted = fold(criteria.pattern.replace(/\/+$/, ""));
  const expression = mode === "pattern" ? readPattern(wanted, ignore_case) : undefined;
  return ({ path }) => {
    const name = fold(path.slice(path.lastIndexOf("/") + 1));
    if (expression) return expression.test(name);
    return mode === "part" ? name.includes(wanted) : name === wanted;
  };
}

/** A path of several names: restic goes from a folder to what lies in it. */
function notBelowAnother(): (node: FoundNode) => boolean {
  let folder: string | undefined;
  return ({ path, type }) => {
    if (folder !== undefined && path.startsWith(`${folder}/`)) return false;
    if (type === "folder") folder = path;
    return true;
  };
}
