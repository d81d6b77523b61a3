// The list of this host's snapshots: read after every backup, because only what is listed was saved.
import type { RunContext } from "./context.ts";
import type { JobContext } from "../jobs/context.ts";
import { v7 } from "uuid";
import { z } from "zod";
import { FRAME_LIMIT, type Snapshot, SNAPSHOTS_PER_PART } from "../../shared/protocol.ts";
import { failed, type Outcome } from "./outcome.ts";
import { type Run, runRestic } from "./run.ts";
import { count } from "./progress.ts";

const OUTPUT_LIMIT = 64 * 1024 * 1024;
const PART_CHARACTERS = FRAME_LIMIT / 4;

const Listed = z.object({
  id: z.string().regex(/^[0-9a-f]{64}$/),
  time: z.string(),
  tags: z.array(z.string()).nullish(),
  paths: z.array(z.string()).nullish(),
  hostname: z.string().default(""),
  username: z.string().optional(),
  parent: z.string().optional(),
  summary: z.object({
    total_files_processed: z.number().optional(),
    total_bytes_processed: z.number().optional(),
    data_added: z.number().optional(),
  }).optional(),
});

export interface Listing {
  run: Run;
  /** Set when there is no list. */
  failure: Outcome | undefined;
  snapshots: Snapshot[];
}

export interface ListOptions {
  evenWhenStopped?: boolean;
  wholeMs?: number;
}

/** Asks the repository for this host's snapshots. */
export async function listSnapshots(
  context: RunContext,
  options: ListOptions = {},
): Promise<Listing> {
  return await list(context, [`--host=${context.snapshotHost}`], options);
}

/** Those of all hosts. */
export async function listWhole(context: RunContext, evenWhenStopped = false): Promise<Listing> {
  return await list(context, [], { evenWhenStopped });
}

async function list(context: RunContext, which: string[], options: ListOptions): Promise<Listing> {
  const output = new Collected();
  const run = await runRestic(context, {
    args: ["snapshots", "--json", ...which],
    wholeMs: options.wholeMs ?? context.timeouts.lookMs,
    evenWhenStopped: options.evenWhenStopped,
    onOutBytes: (chunk) => output.add(chunk),
  });
  if (run.failure) return { run, failure: run.failure, snapshots: [] };
  const snapshots = readList(output.text);
  if (snapshots) return { run, failure: undefined, snapshots };
  const reason = "The repository's list of snapshots could not be read.";
  return { run, failure: failed("no_list", reason, run.exit.code), snapshots: [] };
}

/** Sends the list of this host in parts that fit into frames. */
export function reportSnapshots(job: JobContext, snapshots: Snapshot[]): void {
  report(job, snapshots, {});
}

/** The same for the list of the whole repository, in a maintenance job. */
export function reportWhole(job: JobContext, snapshots: Snapshot[]): void {
  report(job, snapshots, { whole: true });
}

function report(job: JobContext, snapshots: Snapshot[], more: { whole?: boolean }): void {
  const parts = inParts(snapshots);
  const report_id = v7();
  const taken_at = Date.now();
  parts.forEach((part, index) =>
    job.report({
      type: "snapshots.report",
      job_id: job.order.job_id,
      ...more,
      repository_id: job.repository.id,
      report_id,
      taken_at,
      part: index + 1,
      parts: parts.length,
      snapshots: part,
    })
  );
}

/** At least one part, so that an empty list is told too. */
export function inParts(snapshots: Snapshot[]): Snapshot[][] {
  const parts: Snapshot[][] = [[]];
  let characters = 0;
  for (const snapshot of snapshots) {
    const size = JSON.stringify(snapshot).length;
    const last = parts.at(-1)!;
    const isFull = last.length >= SNAPSHOTS_PER_PART || characters + size > PART_CHARACTERS;
    if (isFull && last.length > 0) {
      parts.push([snapshot]);
      characters = size;
    } else {
      last.push(snapshot);
      characters += size;
    }
  }
  return parts;
}

/** What `snapshots --json` printed, or undefined when it is no such list. */
export function readList(text: string | undefined): Snapshot[] | undefined {
  if (text === undefined) return undefined;
  try {
    // Before 0.17 an empty list may be null.
    return z.array(Listed).nullable().parse(JSON.parse(text))?.map(toSnapshot) ?? [];
  } catch {
    return undefined;
  }
}

function toSnapshot(listed: z.infer<typeof Listed>): Snapshot {
  const { summary } = listed;
  const optional = (value: number | undefined) => value === undefined ? null : count(value);
  const id = /^[0-9a-f]{8,64}$/;
  return {
    id: listed.id,
    time: Math.max(0, Date.parse(listed.time) || 0),
    tags: (listed.tags ?? []).slice(0, 100).map((tag) => tag.slice(0, 200)),
    paths: shortened(listed.paths ?? []),
    hostname: listed.hostname.slice(0, 255),
    username: listed.username?.slice(0, 255) ?? null,
    parent: id.test(listed.parent ?? "") ? listed.parent! : null,
    files: optional(summary?.total_files_processed),
    bytes: optional(summary?.total_bytes_processed),
    bytes_added: optional(summary?.data_added),
  };
}

/** As many paths as one snapshot may carry without filling a frame by itself. */
function shortened(paths: string[]): string[] {
  let characters = 0;
  return paths.slice(0, 500).map((path) => path.slice(0, 4096)).filter((path) => {
    characters += path.length;
    return characters <= PART_CHARACTERS / 4;
  });
}

class Collected {
  readonly #decoder = new TextDecoder();
  readonly #parts: string[] = [];
  #bytes = 0;

  add(chunk: Uint8Array): void {
    this.#bytes += chunk.length;
    if (this.#bytes <= OUTPUT_LIMIT) {
      this.#parts.push(this.#decoder.decode(chunk, { stream: true }));
    }
  }

  /** undefined when there was too much. */
  get text(): string | undefined {
    return this.#bytes <= OUTPUT_LIMIT ? this.#parts.join("") : undefined;
  }
}
