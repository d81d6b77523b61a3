// The restics of a soak. A fake one keeps a repository of its own in text files; a real one is reached through a shell script.
// Both write down each start, and whoever must be alone holds a lock of the kernel that ends with the process: who meets
// another one there is written down too, whatever server and agents believe.
import { join } from "node:path";
import { readBegun } from "../support/fake_restic.ts";
import type { StartCounter } from "../support/oracles.ts";

/** What both scripts begin with: `t` is the monotonic clock, and who must be alone notes whom it met. */
const HEAD = (folder: string) =>
  `#!/bin/sh
R='${folder}'
read -r t _ </proc/uptime
verb=$1
printf '%s\\n' "$verb $RM_PROCESS_MARK" >>"$R/begun"
case $verb in init|forget|prune|check)
  exec 9>>"$R/alone"
  flock -n 9 || printf '%s\\n' "$t $verb $RM_PROCESS_MARK met another one" >>"$R/met"
  printf '%s\\n' "$t begin $verb $RM_PROCESS_MARK" >>"$R/works"
  ;;
esac
`;

const FAKE = `
host= ids=
for each in "$@"; do
  case $each in
  --host=*) host=\${each#*=} ;;
  --tag=*) tag=\${each#*=} ;;
  ????????????????????????????????????????????????????????????????) ids="$ids $each" ;;
  esac
done
# From 0 to 99, another one each time.
dice=$((($$ * 7919 + 1\${t#*.}) % 100))
work() { sleep "$1" 9>&-; }
case $verb in
version) echo "restic 0.18.0 compiled with go"; exit 0 ;;
snapshots)
  [ -z "$host" ] || host="\\"hostname\\":\\"$host\\""
  printf '['; flock "$R/list" grep -F -e "$host" "$R/snapshots" | paste -sd, -; printf ']' ;;
cat) echo '{"version":2,"id":"${"5a".repeat(32)}"}' ;;
backup)
  lines=$((dice < 90 ? dice : dice * 40))
  echo "the password is $RESTIC_PASSWORD"
  seq -f 'line %.0f' 1 "$lines"
  if [ "$dice" -lt 10 ]; then work 20; elif [ "$dice" -lt 60 ]; then work 5; else work 0.4; fi
  id=$(printf '%s' "$RM_PROCESS_MARK $t" | sha256sum | cut -c1-64)
  printf '{"time":"%s","tree":"x","paths":["/a"],"hostname":"%s","username":"root","tags":["%s"],"id":"%s"}\\n' \\
    "$(date -u +%FT%TZ)" "$host" "$tag" "$id" | flock "$R/list" tee -a "$R/snapshots" "$R/ever" >/dev/null
  printf '%s\\n' "$RM_PROCESS_MARK $lines" >>"$R/printed"
  printf '{"message_type":"summary","files_new":1,"files_changed":0,"files_unmodified":9,"data_added":10,"total_files_processed":10,"total_bytes_processed":2000,"total_duration":0.5,"snapshot_id":"%s"}\\n' "$id" ;;
forget)
  for id in $ids; do
    flock "$R/list" sh -c 'grep -vF "$1" "$2/snapshots" >"$2/new"; cat "$2/new" >"$2/snapshots"' sh "$id" "$R" 9>&-
  done ;;
prune|check) work "$((dice % 12)).$dice" ;;
stats) echo '{"total_size":1000,"total_file_count":3,"snapshots_count":1}' ;;
init) echo "Fatal: create repository failed: config file already exists" >&2; exit 1 ;;
esac
case $verb in forget|prune|check)
  read -r t _ </proc/uptime
  printf '%s\\n' "$t end $verb $RM_PROCESS_MARK" >>"$R/works" ;;
esac
exit 0
`;

/** A repository of the soak, with what its restics wrote down. */
export class CountedRepository implements StartCounter {
  readonly #paths = new Map<string, string>();

  constructor(readonly folder: string) {
    Deno.mkdirSync(folder);
    for (const name of ["snapshots", "ever", "list"]) {
      Deno.writeTextFileSync(join(folder, name), "");
    }
  }

  /** A restic that pretends this repository. */
  get fake(): string {
    return this.#script("fake", FAKE);
  }

  /** A real restic, with what it starts noted. */
  real(restic: { path: string; version: string }): string {
    const start = `exec '${restic.path}' "$@"\n`;
    return this.#script(`restic-${restic.version}`, start);
  }

  get begun(): { verb: string; jobId: string }[] {
    return readBegun(join(this.folder, "begun"));
  }

  /** Who must be alone and was not. */
  get met(): string[] {
    return this.#lines("met");
  }

  /** How many times something ran that must be alone. */
  get works(): number {
    return this.#lines("works").filter((line) => line.includes(" begin ")).length;
  }

  /** Every snapshot that a fake ever made. */
  get ids(): string[] {
    return this.#lines("ever").map((line) => (JSON.parse(line) as { id: string }).id);
  }

  /** How many numbered lines the fake of a job printed that got so far. */
  get printed(): Map<string, number> {
    return new Map(
      this.#lines("printed").map((line) => {
        const [mark = "", lines] = line.split(" ");
        return [mark.split(".")[1] ?? "", Number(lines)];
      }),
    );
  }

  #script(name: string, body: string): string {
    const known = this.#paths.get(name);
    if (known) return known;
    const path = join(this.folder, name);
    Deno.writeTextFileSync(path, HEAD(this.folder) + body, { mode: 0o755 });
    this.#paths.set(name, path);
    return path;
  }

  #lines(name: string): string[] {
    try {
      return Deno.readTextFileSync(join(this.folder, name)).split("\n").filter(Boolean);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return [];
      throw error;
    }
  }
}
