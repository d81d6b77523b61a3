// What differs between two snapshots, read by restic with the credential that this host has of their repository, without a lock and beside a
// backup, as a folder of a snapshot is (tree.ts).
import { NO_LIMITS } from "../../shared/bandwidth.ts";
import {
  DIFF_BYTES_LIMIT,
  DIFF_CHANGES_LIMIT,
  type DiffEnd,
  DiffLine,
  type DiffStatistics,
} from "../../shared/diff.ts";
import type { RequestOf } from "../../shared/stream.ts";
import type { RunContext } from "../restic/context.ts";
import { diffCommand, readDiffLine } from "../restic/diff.ts";
import { LineSplitter } from "../restic/lines.ts";
import { readRestic } from "../restic/read.ts";
import { Reading, type ReadingAgent, refuseFailure } from "./reading.ts";
import type { Produced } from "./running.ts";

const PIECE_CHARACTERS = 32_768;
const LINE_LIMIT = 262_144;
const encoder = new TextEncoder();

/** Throws StreamProblem: no credential, not allowed here, no such snapshot, or a repository that does not answer. */
export async function* compareSnapshots(
  agent: ReadingAgent,
  request: RequestOf<"diff">,
  signal: AbortSignal,
): Produced {
  using reading = new Reading(signal);
  const context = await reading.prepare(agent, request.repository_id, NO_LIMITS);
  const comparison = new Comparison(request);
  yield* comparison.read(context);
  if (!context.control.stopped) yield comparison.end();
}

class Comparison {
  #count = 0;
  #bytes = 0;
  #leftOut = 0;
  #isCut = false;
  #statistics: DiffStatistics | null = null;

  constructor(private readonly request: RequestOf<"diff">) {}

  async *read(context: RunContext): AsyncGenerator<Uint8Array> {
    const { base, snapshot } = this.request;
    const run = yield* readRestic(
      context,
      { ...diffCommand(base, snapshot), wholeMs: context.timeouts.lookMs },
      (out) => this.#parse(out),
    );
    if (!this.#isCut && !context.control.stopped) refuseFailure(run);
  }

  end(): Uint8Array {
    const { base, snapshot } = this.request;
    const end: DiffEnd = {
      snapshot,
      base,
      cut: this.#isCut,
      left_out: this.#leftOut,
      statistics: this.#statistics,
    };
    return encoder.encode(`${JSON.stringify(end)}\n`);
  }

  async *#parse(out: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    let text = "";
    const lines = new LineSplitter(
      (line) => text += this.#isCut ? "" : this.#take(line),
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

  #take(text: string): string {
    const read = readDiffLine(text);
    if (!read) {
      // A path that is longer than any line may be.
      if (text.length > LINE_LIMIT) this.#leftOut++;
      return "";
    }
    if ("statistics" in read) {
      this.#statistics = read.statistics;
      return "";
    }
    const { success, data } = DiffLine.safeParse([read.modifier, read.path]);
    if (!success) {
      this.#leftOut++;
      return "";
    }
    const line = `${JSON.stringify(data)}\n`;
    this.#bytes += encoder.encode(line).length;
    this.#count++;
    this.#isCut = this.#count > DIFF_CHANGES_LIMIT || this.#bytes > DIFF_BYTES_LIMIT;
    return this.#isCut ? "" : line;
  }
}
