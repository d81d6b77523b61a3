// The runs of `restic restore`, one after another, and what they say together.
import type { Overwrite } from "../../shared/job_kinds/restore.ts";
import type { JobContextOf } from "../jobs/context.ts";
import { parseObject } from "../restic/errors.ts";
import { whenUnlocked } from "../restic/locked.ts";
import { ended, type Outcome } from "../restic/outcome.ts";
import { count, ProgressReader } from "../restic/progress.ts";
import { capArguments, runRestic } from "../restic/run.ts";
import { isAtLeast } from "../restic/version.ts";
import type { Failures } from "./failures.ts";
import { inRuns, jsonPath, type Part, restoreArguments } from "./items.ts";

export interface Wanted {
  snapshot: string;
  parts: Part[];
  overwrite: Overwrite;
  dryRun: boolean;
  verify: boolean;
  /** Of all of it, for the progress. */
  bytes: number;
  entries: number;
  failures: Failures;
}

/** What restic counted, parents of the items included. */
export interface Counted {
  skipped: number;
  toWrite: number;
}

/** Where it must not go on: a stop, a repository that does not open. What single items came to is in the failures. */
export type Restored = Counted & { failure: Outcome | undefined };

export async function runParts(job: JobContextOf<"restore">, wanted: Wanted): Promise<Restored> {
  const runs = new Runs(job, wanted);
  const failure = await whenUnlocked(job, () => runs.all());
  return {
    ...runs.counted,
    failure: failure.status === "succeeded" ? undefined : failure,
  };
}

const isWindows = Deno.build.os === "windows";

class Runs {
  counted: Counted = { skipped: 0, toWrite: 0 };
  #done = 0;
  #doneEntries = 0;
  #next = 0;
  readonly #runs: Part[];
  readonly #progress = new ProgressReader();
  readonly #began = performance.now();

  constructor(
    private readonly job: JobContextOf<"restore">,
    private readonly wanted: Wanted,
  ) {
    this.#runs = wanted.parts.flatMap(inRuns);
  }

  /** Goes on where it was, when the repository was locked meanwhile. */
  async all(): Promise<Outcome> {
    for (let part = this.#runs[this.#next]; part; part = this.#runs[++this.#next]) {
      const failure = await this.#run(part);
      if (failure) return failure;
    }
    return ended("succeeded", null, null, 0);
  }

  async #run(part: Part): Promise<Outcome | undefined> {
    const { job, wanted } = this;
    const { version } = job.restic;
    const base = part.base.length === 0 ? "" : jsonPath(part.base);
    let heard = false;
    let last: Record<string, unknown> = {};
    const run = await runRestic(job, {
      ...restoreArguments(wanted.snapshot, part, this.#options(version)),
      onOut: (line) => {
        const value = line.startsWith("{") ? parseObject(line) : undefined;
        if (value?.message_type === "status" || value?.message_type === "summary") {
          last = value;
          this.#tell(value);
        } else if (value?.message_type !== "verbose_status") job.lines.add("stdout", line);
      },
      onItemError: (item, message) => {
        heard = true;
        wanted.failures.heard(
          item ? `${base}${isWindows ? item.replaceAll("\\", "/") : item}` : base || "/",
          message,
        );
      },
      // Up to 0.15 it says nothing until the end.
      onWritten: isAtLeast(version, "0.16.0")
        ? undefined
        : (bytes) => this.#tell({ total_bytes: wanted.bytes, bytes_restored: bytes }),
    });
    this.#done += count(last.bytes_restored) + count(last.bytes_skipped);
    this.#doneEntries += count(last.files_restored) + count(last.files_skipped);
    this.counted.skipped += count(last.files_skipped);
    this.counted.toWrite += Math.max(0, count(last.total_bytes) - count(last.bytes_skipped));
    if (!run.failure) return undefined;
    // Each item is told by itself, and the others have come.
    const isToldByItem = heard && !run.exit.stop && run.exit.code === 1 &&
      /There were \d+ errors?/.test(run.errors.text);
    return isToldByItem ? undefined : run.failure;
  }

  #options(version: string): string[] {
    const { overwrite, dryRun, verify } = this.wanted;
    return [
      "--json",
      ...(isAtLeast(version, "0.17.0") && overwrite !== "always"
        ? [`--overwrite=${overwrite}`]
        : []),
      ...(dryRun ? ["--dry-run"] : []),
      ...(verify && !dryRun ? ["--verify"] : []),
      ...capArguments(this.job),
    ];
  }

  #tell(status: Record<string, unknown>): void {
    const { bytes, entries } = this.wanted;
    const done = this.#done + count(status.bytes_restored) + count(status.bytes_skipped);
    const seconds = (performance.now() - this.#began) / 1000;
    const share = bytes === 0 ? 0 : Math.min(1, done / bytes);
    const step = this.#progress.read({
      percent_done: share,
      files_done: Math.min(
        entries,
        this.#doneEntries + count(status.files_restored) + count(status.files_skipped),
      ),
      total_files: entries,
      bytes_done: Math.min(done, bytes),
      total_bytes: bytes,
      seconds_elapsed: seconds,
      ...(share > 0 ? { seconds_remaining: seconds * (1 - share) / share } : {}),
    });
    if (step && !this.wanted.dryRun) this.job.progress(step);
  }
}
