// Finds the processes that carry a mark, in one look at the whole machine by one other program: Deno itself may not open /proc.
import { folderKey, MARK, type Phase, PHASES } from "./process_mark.ts";

export interface Marked {
  pid: number;
  /** As the kernel has it; at most 15 characters, and never its arguments, which may hold secrets. */
  name: string;
  jobId: string;
  phase: Phase;
}

// environ(5) of each process holds what it was started with. `read` takes one line: a name with a line break forges none.
const LOOK = `grep -slF -e "$1" /proc/[0-9]*/environ | while IFS= read -r file; do
  folder=\${file%/environ}
  mark=$(tr '\\0' '\\n' <"$file" 2>/dev/null | grep -F -e "$1" | head -n 1)
  name=
  IFS= read -r name <"$folder/comm" || continue
  # A connection that several processes share is nobody's own (ssh's ControlMaster).
  [ "$name" = ssh ] && grep -qF "[mux]" "$folder/cmdline" && continue
  printf '%s %s %s\\n' "\${folder#/proc/}" "$mark" "$name"
done 2>/dev/null`;
const FOUND = new RegExp(
  `^(\\d+) ${MARK}=[0-9a-f]{16}\\.([0-9a-f-]{36})\\.(${PHASES.join("|")}) (.*)$`,
);
const PATH = "/usr/local/bin:/usr/bin:/bin";

/**
 * Every process that a job of this state folder started, or that descends from one, but this program itself. Not found is what
 * cleared its environment, and what another user owns where the agent may not look into its processes. Empty where there is no /proc.
 */
export async function findMarked(stateDir: string): Promise<Marked[]> {
  return Deno.build.os === "linux" ? read((await look(stateDir).output()).stdout) : [];
}

/** The same at the start of the agent, before anything of its own runs. */
export function findMarkedNow(stateDir: string): Marked[] {
  return Deno.build.os === "linux" ? read(look(stateDir).outputSync().stdout) : [];
}

function look(stateDir: string): Deno.Command {
  return new Deno.Command("/bin/sh", {
    args: ["-c", LOOK, "sh", `${MARK}=${folderKey(stateDir)}.`],
    env: { PATH, LC_ALL: "C" },
    // Nor may the look find itself, where the agent was started by a hook.
    clearEnv: true,
    stdin: "null",
    stderr: "null",
  });
}

function read(stdout: Uint8Array): Marked[] {
  return new TextDecoder().decode(stdout).split("\n").flatMap((line) => {
    const [, pid, jobId, phase, name] = FOUND.exec(line) ?? [];
    if (!pid || Number(pid) <= 1 || Number(pid) === Deno.pid) return [];
    return [{ pid: Number(pid), jobId: jobId!, phase: phase as Phase, name: name! }];
  });
}
