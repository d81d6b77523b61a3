// A program in restic's place: told what to print, when to hang, how to exit; it writes down each start.
import { join } from "node:path";

export interface FakeResticOptions {
  /** What `restic version` answers. */
  version?: string;
  /** Shell code per verb; `*` for any other. `snapshots` prints an empty list unless told otherwise. */
  verbs?: Record<string, string>;
}

export class FakeRestic {
  readonly path: string;
  readonly #starts: string;
  readonly #begun: string;

  constructor(directory: string, options: FakeResticOptions = {}) {
    this.path = join(directory, "fake-restic");
    this.#starts = join(directory, "starts");
    this.#begun = join(directory, "begun");
    const verbs = { snapshots: "echo '[]'", "*": "exit 0", ...options.verbs };
    const cases = Object.entries(verbs).sort(([a]) => a === "*" ? 1 : -1)
      .map(([verb, code]) => `  ${verb})\n${code}\n  ;;`).join("\n");
    Deno.writeTextFileSync(
      this.path,
      `#!/bin/sh
if [ "$1" = version ]; then echo "restic ${
        options.version ?? "0.18.0"
      } compiled with go"; exit 0; fi
printf '%s\\n' "$$ $*" >> '${this.#starts}'
printf '%s\\n' "$1 $RM_PROCESS_MARK" >> '${this.#begun}'
case "$1" in
${cases}
esac
`,
    );
    Deno.chmodSync(this.path, 0o755);
  }

  /** The arguments of each start so far, without `version`. */
  get starts(): { pid: number; args: string }[] {
    return readLines(this.#starts).map((line) => {
      const [pid, ...args] = line.split(" ");
      return { pid: Number(pid), args: args.join(" ") };
    });
  }

  /** The verb of each start with the job that it was started for. */
  get begun(): { verb: string; jobId: string }[] {
    return readBegun(this.#begun);
  }
}

/** "VERB KEY.JOB.PHASE" per line, as jobs/process_mark.ts of the agent has the mark. */
export function readBegun(path: string): { verb: string; jobId: string }[] {
  return readLines(path).map((line) => {
    const [verb = "", mark = ""] = line.split(" ");
    return { verb, jobId: mark.split(".")[1] ?? "" };
  });
}

function readLines(path: string): string[] {
  try {
    return Deno.readTextFileSync(path).split("\n").filter(Boolean);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** Shell code that prints the summary of a backup and a list that holds its snapshot. */
export const SNAPSHOT_ID = "ab".repeat(32);
export const SUMMARY =
  `echo '{"message_type":"summary","files_new":1,"files_changed":0,"files_unmodified":0,"data_added":10,"total_files_processed":1,"total_bytes_processed":20,"total_duration":0.5,"snapshot_id":"${SNAPSHOT_ID}"}'`;
export const LISTED =
  `echo '[{"time":"2026-11-01T10:00:00Z","tree":"x","paths":["/a"],"hostname":"alpha","username":"root","tags":["g"],"id":"${SNAPSHOT_ID}"}]'`;
