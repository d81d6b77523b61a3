// One folder of a snapshot, read by restic with the credential that this host has of its repository. It runs beside a backup: it takes no
// lock and only reads. The brake's repositories hold for it; its roots do not, since nothing of this machine is read, and the names in a
// repository are known to whoever has its credential.
import type { RequestOf } from "../../shared/stream.ts";
import { isName, textOf, writeName } from "../../shared/snapshot_path.ts";
import {
  TREE_BYTES_LIMIT,
  TREE_ENTRIES_LIMIT,
  type TreeEnd,
  type TreeEntryLine,
} from "../../shared/tree.ts";
import { NO_LIMITS } from "../../shared/bandwidth.ts";
import type { RunContext } from "../restic/context.ts";
import { ExactNames, isUncertain } from "../restic/exact_names.ts";
import { LineSplitter } from "../restic/lines.ts";
import { readRestic } from "../restic/read.ts";
import { runRestic } from "../restic/run.ts";
import { readTreeLine, treeCommand, type TreeNode } from "../restic/tree.ts";
import { namesOf, noSnapshot, Reading, type ReadingAgent, refuseFailure } from "./reading.ts";
import { type Produced, StreamProblem } from "./running.ts";

type TreeRequest = RequestOf<"tree">;

const PIECE_CHARACTERS = 32_768;
/** A snapshot has its paths in one line, and may have thousands. */
const LINE_LIMIT = 4_194_304;
const encoder = new TextEncoder();

/** Throws StreamProblem: no path, no credential, not allowed here, no such snapshot or folder, or a repository that does not answer. */
export async function* listTree(
  agent: ReadingAgent,
  request: TreeRequest,
  signal: AbortSignal,
): Produced {
  const names = namesOf(request.path);
  using reading = new Reading(signal);
  const context = await reading.prepare(agent, request.repository_id, NO_LIMITS);
  const listing = new Listing(request, names);
  yield* listing.read(context);
  if (!context.control.stopped) yield* listing.end(context);
}

class Listing {
  /** As the JSON has them, in its order. */
  readonly #names: string[] = [];
  /** Their names are still to be found out. */
  readonly #uncertain = new Map<number, TreeNode>();
  #snapshot: string | undefined;
  #folder: TreeNode | undefined;
  #entries = 0;
  #bytes = 0;
  #leftOut = 0;
  #isCut = false;

  constructor(
    private readonly request: TreeRequest,
    private readonly path: Uint8Array[],
  ) {}

  /** The entries whose names are certain, as they come. */
  async *read(context: RunContext): AsyncGenerator<Uint8Array> {
    const command = this.#command(context, "--json");
    const run = yield* readRestic(
      context,
      { ...command, wholeMs: context.timeouts.lookMs },
      (out) => this.#parse(out, command.beginsWithFolder),
    );
    if (this.#isCut || context.control.stopped) return;
    refuseFailure(run);
    if (!this.#snapshot) throw noSnapshot();
    if (command.beginsWithFolder && !this.#folder) {
      throw new StreamProblem("not_found", "there is no such folder in the snapshot");
    }
  }

  /** Those whose names had to be looked for, and the last line. */
  async *end(context: RunContext): AsyncGenerator<Uint8Array> {
    let text = "";
    if (this.#uncertain.size > 0) {
      const found = await this.#findNames(context);
      for (const [at, node] of this.#uncertain) {
        const name = found.get(at);
        if (name) text += this.#line(node, name);
        else this.#leftOut++;
      }
    }
    const last: TreeEnd = {
      snapshot: this.request.snapshot,
      path: this.request.path,
      cut: this.#isCut,
      left_out: this.#leftOut,
    };
    yield encoder.encode(`${text}${JSON.stringify(last)}\n`);
  }

  async *#parse(
    out: AsyncIterable<Uint8Array>,
    beginsWithFolder: boolean,
  ): AsyncGenerator<Uint8Array> {
    let text = "";
    const lines = new LineSplitter(
      (line) => text += this.#isCut ? "" : this.#take(line, beginsWithFolder),
      LINE_LIMIT,
    );
    for await (const chunk of out) {
      lines.push(chunk);
      if (this.#isCut) break;
      if (text.length < PIECE_CHARACTERS) continue;
      yield encoder.encode(text);
      text = "";
    }
    lines.end();
    if (text) yield encoder.encode(text);
  }

  #take(line: string, beginsWithFolder: boolean): string {
    const read = readTreeLine(line);
    if (!read) return "";
    if ("snapshot" in read) {
      if (read.snapshot !== this.request.snapshot) throw noSnapshot();
      this.#snapshot = read.snapshot;
      return "";
    }
    const { node } = read;
    if (beginsWithFolder && !this.#folder) {
      this.#folder = node;
      if (node.type !== "folder") throw new StreamProblem("not_a_folder", "it is no folder");
      return "";
    }
    this.#names.push(node.name);
    if (Deno.build.os !== "windows" && isUncertain(node.name)) {
      this.#uncertain.set(this.#names.length - 1, node);
      return "";
    }
    return this.#line(node, encoder.encode(node.name));
  }

  /** Nothing where it is too much, or no file could have the name. */
  #line({ type, size, time, mode, uid, gid }: TreeNode, name: Uint8Array): string {
    if (!isName(name)) {
      this.#leftOut++;
      return "";
    }
    const text = textOf(name);
    const entry: TreeEntryLine = [
      type,
      text ?? { bytes: writeName(name) },
      size,
      time,
      mode,
      uid,
      gid,
    ];
    const line = `${JSON.stringify(entry)}\n`;
    this.#bytes += encoder.encode(line).length;
    this.#entries++;
    if (this.#entries > TREE_ENTRIES_LIMIT || this.#bytes > TREE_BYTES_LIMIT) {
      this.#isCut = true;
      return "";
    }
    return line;
  }

  async #findNames(context: RunContext): Promise<ReadonlyMap<number, Uint8Array>> {
    const command = this.#command(context, "--quiet");
    // Before 0.16 the folder itself comes first: its path and a line feed are as long as its path and a slash.
    const { beginsWithFolder, before } = command;
    const skipped = beginsWithFolder ? before.length : 0;
    const names = new ExactNames(before, this.#names);
    let left = skipped;
    await runRestic(context, {
      ...command,
      wholeMs: context.timeouts.lookMs,
      pull: async (out) => {
        for await (const piece of out) {
          const from = Math.min(left, piece.length);
          left -= from;
          if (!names.push(piece.subarray(from)) || names.isWhole) return;
        }
      },
    });
    return names.isWhole ? names.found : new Map();
  }

  #command({ restic }: RunContext, output: "--json" | "--quiet") {
    const { snapshot } = this.request;
    return treeCommand(restic.version, { snapshot, names: this.path }, output);
  }
}
