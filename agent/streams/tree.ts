// One folder of a snapshot, read by restic with the credential that this host has of its repository. It runs beside a backup: it takes no
// lock and only reads. The brake's repositories hold for it; its roots do not, since nothing of this machine is read, and the names in a
// repository are known to whoever has its credential.
import type { RequestOf } from "../../shared/stream.ts";
import { isName, readSnapshotPath, textOf, writeName } from "../../shared/snapshot_path.ts";
import {
  TREE_BYTES_LIMIT,
  TREE_ENTRIES_LIMIT,
  type TreeEnd,
  type TreeEntryLine,
} from "../../shared/tree.ts";
import { messageOf } from "../../shared/log.ts";
import { newId } from "../../shared/new_id.ts";
import { NO_LIMITS } from "../../shared/bandwidth.ts";
import type { Agent } from "../agent.ts";
import { accessRefusal } from "../brake/refuse.ts";
import { JobControl } from "../jobs/control.ts";
import { markOf } from "../jobs/process_mark.ts";
import { redactorFor } from "../jobs/redact.ts";
import type { RunContext } from "../restic/context.ts";
import { ExactNames, isUncertain } from "../restic/exact_names.ts";
import { LineSplitter } from "../restic/lines.ts";
import { prepareRestic } from "../restic/prepare.ts";
import { readRestic } from "../restic/read.ts";
import { NO_CONTACT } from "../restic/refusals.ts";
import { type Run, runRestic } from "../restic/run.ts";
import { readTreeLine, treeCommand, type TreeNode } from "../restic/tree.ts";
import { type Produced, StreamProblem } from "./running.ts";

/** What a tree needs of the agent. */
export type TreeAgent = Pick<
  Agent,
  "brake" | "environment" | "settings" | "state" | "timeouts" | "plan" | "restic" | "log"
>;

type TreeRequest = RequestOf<"tree">;

const PIECE_CHARACTERS = 32_768;
/** A snapshot has its paths in one line, and may have thousands. */
const LINE_LIMIT = 4_194_304;
/** restic that nobody reads ends at once; one that waits for its repository is not waited for. */
const GRACE_MS = 2000;
const encoder = new TextEncoder();

/** Throws StreamProblem: no path, no credential, not allowed here, no such snapshot or folder, or a repository that does not answer. */
export async function* listTree(
  agent: TreeAgent,
  request: TreeRequest,
  signal: AbortSignal,
): Produced {
  const names = pathOf(request.path);
  const control = new JobControl({ onStart: () => {}, onProcess: () => {}, onLock: () => {} });
  const stop = () => control.stop("cancelled", GRACE_MS);
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  try {
    const context = { ...await contextOf(agent, request.repository_id), control };
    const listing = new Listing(request, names);
    yield* listing.read(context);
    if (!control.stopped) yield* listing.end(context);
  } finally {
    signal.removeEventListener("abort", stop);
    stop();
  }
}

function pathOf(path: string): Uint8Array[] {
  let names;
  try {
    names = readSnapshotPath(path);
  } catch (error) {
    throw new StreamProblem("not_absolute", `path ${messageOf(error)}`);
  }
  if (Deno.build.os === "windows" && names.some((name) => textOf(name) === undefined)) {
    throw new StreamProblem("unsupported", "Windows passes no names that are not text to restic");
  }
  return names;
}

/** The repository is the one of this host and never another: nothing of the request says how it is reached. */
async function contextOf(
  agent: TreeAgent,
  repositoryId: string,
): Promise<Omit<RunContext, "control">> {
  const { config } = agent.plan;
  const access = config?.repository;
  if (access?.id !== repositoryId) {
    throw new StreamProblem("no_credential", "this host has no credential for that repository");
  }
  const refusal = accessRefusal(agent, access);
  if (refusal) throw new StreamProblem("refused_by_machine", refusal);
  const context = prepareRestic(agent, {
    program: await agent.restic.find(),
    repository: access,
    snapshotHost: config?.snapshot_host,
    limits: NO_LIMITS,
    mark: markOf(agent.settings.stateDir, newId(), "restic"),
  });
  if ("status" in context) throw new StreamProblem("failed", context.reason ?? "refused");
  const redact = redactorFor([access], config?.snapshot_host);
  return { ...context, lines: { add: (_, text) => agent.log.debug(`Tree: ${redact(text)}`) } };
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
    refuse(run);
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
    // A letter is three bytes at most.
    this.#bytes += line.length * 3;
    this.#entries++;
    if (this.#entries > TREE_ENTRIES_LIMIT || this.#bytes > TREE_BYTES_LIMIT * 3) {
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

function noSnapshot(): StreamProblem {
  return new StreamProblem("no_snapshot", "the repository has no such snapshot");
}

/** Why restic did not list it, as the code of a stream. */
function refuse({ failure, errors }: Run): void {
  if (!failure) return;
  if (/no matching ID found/.test(errors.text)) throw noSnapshot();
  if (/^(Fatal: )?path [^]*: not found$/m.test(errors.text)) {
    throw new StreamProblem("not_found", "there is no such folder in the snapshot");
  }
  if (/: not a directory$/m.test(errors.text)) {
    throw new StreamProblem("not_a_folder", "it is no folder");
  }
  const reason = failure.reason ?? "restic did not list it";
  throw new StreamProblem(
    NO_CONTACT.has(failure.reason_code ?? "") ? "unreachable" : "failed",
    reason,
  );
}
