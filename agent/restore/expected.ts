// What the chosen items hold, read from the repository before anything is written: how much room it needs, whether it is all there, and
// what this machine cannot hold. It is kept in a file of the agent's own, since a snapshot has millions of files, and held against what
// is there afterwards.
import { join } from "node:path";
import type { RestoreFailure } from "../../shared/job_kinds/restore.ts";
import { type Log, messageOf } from "../../shared/log.ts";
import type { TreeEntryType } from "../../shared/tree.ts";
import type { JobContextOf } from "../jobs/context.ts";
import { LineSplitter } from "../restic/lines.ts";
import { failed, type Outcome } from "../restic/outcome.ts";
import { runRestic } from "../restic/run.ts";
import { readTreeLine, type TreeNode } from "../restic/tree.ts";
import { inRuns, type Item, jsonPath, listArguments } from "./items.ts";

/** A line of the file: type, path as restic's JSON has it, bytes of a file. */
export type ExpectedEntry = [type: TreeEntryType, path: string, size: number | null];

export interface Expected {
  file: string;
  entries: number;
  folders: number;
  bytes: number;
  /** Numbers of the users that own the chosen items, by the items' paths in restic's JSON. */
  owners: Map<string, number>;
}

/** Why a file system cannot hold a name beside those before it, as part of a sentence. A new one for each listing. */
export type NameJudge = (path: string) => string | undefined;

interface Wanted {
  /** A private folder. */
  folder: string;
  items: Item[];
  judge: NameJudge;
  onFailure: (failure: RestoreFailure) => void;
}

/** Reads it; an outcome where the repository does not tell, or an item is not in the snapshot: then nothing is to be written. */
export async function listExpected(
  job: JobContextOf<"restore">,
  snapshot: string,
  wanted: Wanted,
): Promise<Expected | Outcome> {
  const path = join(wanted.folder, `${job.order.job_id}.expected`);
  const listing = new Listing(path, wanted);
  try {
    for (const { items } of inRuns({ base: [], target: "", items: wanted.items })) {
      const run = await runRestic(job, {
        ...listArguments(snapshot, items),
        pull: (out) => listing.read(out),
      });
      // Before 0.16 an id that is unknown is no failure.
      if (!listing.isOf(snapshot)) return noSnapshot(run.errors.text) ?? run.failure ?? noList();
      if (run.failure) return run.failure;
    }
  } finally {
    listing.close();
  }
  return listing.missing() ?? listing.expected;
}

/** It was listed once: somebody has removed it since. */
function noSnapshot(text: string): Outcome | undefined {
  return /no matching ID found/.test(text)
    ? failed("no_snapshot", "The repository has no such snapshot any more.", 1)
    : undefined;
}

function noList(): Outcome {
  return failed("no_list", "restic did not say what the snapshot holds.", 0);
}

/** In the state folder: what restores that run just now must come to. */
export const LISTINGS = "restore";
/** One that is older was left by an agent that was killed. */
const LISTING_MS = 7 * 86_400_000;

/** Removes what earlier restores left. Never throws. */
export function removeOldListings({ path, log }: { path: string; log: Pick<Log, "warn"> }): void {
  const folder = join(path, LISTINGS);
  try {
    for (const { name } of Deno.readDirSync(folder)) {
      const file = join(folder, name);
      const { mtime } = Deno.statSync(file);
      if (mtime && Date.now() - mtime.getTime() > LISTING_MS) Deno.removeSync(file);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) log.warn(`${folder}: ${messageOf(error)}`);
  }
}

const LINE_LIMIT = 4_194_304;
const PIECE_CHARACTERS = 65_536;
const NAMED = 5;

class Listing {
  readonly expected: Expected;
  readonly #file: Deno.FsFile;
  readonly #wanted: Map<string, Item>;
  readonly #encoder = new TextEncoder();
  #text = "";
  #snapshot: string | undefined;

  constructor(path: string, private readonly wanted: Wanted) {
    this.#file = Deno.openSync(path, { write: true, create: true, truncate: true, mode: 0o600 });
    this.#wanted = new Map(wanted.items.map((item) => [jsonPath(item.names), item]));
    this.expected = { file: path, entries: 0, folders: 0, bytes: 0, owners: new Map() };
  }

  async read(out: AsyncIterable<Uint8Array>): Promise<void> {
    const lines = new LineSplitter((line) => this.#take(line), LINE_LIMIT);
    for await (const chunk of out) {
      lines.push(chunk);
      if (this.#text.length > PIECE_CHARACTERS) await this.#flush();
    }
    lines.end();
    await this.#flush();
  }

  isOf(snapshot: string): boolean {
    return this.#snapshot === snapshot;
  }

  close(): void {
    this.#file.close();
  }

  /** The root itself is in no listing. */
  missing(): Outcome | undefined {
    const missing = [...this.#wanted].filter(([path]) =>
      path !== "/" && !this.expected.owners.has(path)
    );
    if (missing.length === 0) return undefined;
    const named = missing.slice(0, NAMED).map(([, { path }]) => path).join(", ");
    const more = missing.length > NAMED ? ` and ${missing.length - NAMED} more` : "";
    return failed(
      "not_in_snapshot",
      `Nothing was written: the snapshot does not hold ${named}${more}.`,
      null,
    );
  }

  #take(line: string): void {
    const read = readTreeLine(line);
    if (!read) return;
    if ("snapshot" in read) {
      this.#snapshot = read.snapshot;
      return;
    }
    const { node } = read;
    if (this.#wanted.has(node.path)) this.expected.owners.set(node.path, node.uid);
    this.#count(node);
    const problem = this.wanted.judge(node.path);
    if (problem !== undefined) return this.wanted.onFailure({ path: node.path, problem });
    const entry: ExpectedEntry = [node.type, node.path, node.size];
    this.#text += `${JSON.stringify(entry)}\n`;
  }

  #count({ type, size }: TreeNode): void {
    this.expected.entries++;
    if (type === "folder") this.expected.folders++;
    this.expected.bytes += size ?? 0;
  }

  async #flush(): Promise<void> {
    let bytes = this.#encoder.encode(this.#text);
    this.#text = "";
    while (bytes.length > 0) bytes = bytes.subarray(await this.#file.write(bytes));
  }
}
