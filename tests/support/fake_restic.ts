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

  constructor(directory: string, options: FakeResticOptions = {}) {
    this.path = join(directory, "fake-restic");
    this.#starts = join(directory, "starts");
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
case "$1" in
${cases}
esac
`,
    );
    Deno.chmodSync(this.path, 0o755);
  }

  /** The arguments of each start so far, without `version`. */
  get starts(): { pid: number; args: string }[] {
    try {
      return Deno.readTextFileSync(this.#starts).trimEnd().split("\n").map((line) => {
        const [pid, ...args] = line.split(" ");
        return { pid: Number(pid), args: args.join(" ") };
      });
    } catch {
      return [];
    }
  }
}

/** Shell code that prints the summary of a backup and a list that holds its snapshot. */
export const SNAPSHOT_ID = "ab".repeat(32);
export const SUMMARY =
  `echo '{"message_type":"summary","files_new":1,"files_changed":0,"files_unmodified":0,"data_added":10,"total_files_processed":1,"total_bytes_processed":20,"total_duration":0.5,"snapshot_id":"${SNAPSHOT_ID}"}'`;
export const LISTED =
  `echo '[{"time":"2026-11-01T10:00:00Z","tree":"x","paths":["/a"],"hostname":"alpha","username":"root","tags":["g"],"id":"${SNAPSHOT_ID}"}]'`;
