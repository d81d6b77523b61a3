// A restic that outlived a killed agent. Nobody reads it any more, so it would die of its broken pipe sooner or later; but
// until then it works in the repository beside the next job, and two inits at once destroy a repository.

export interface ProcessMark {
  pid: number;
  /** When the kernel started it, so that another process with the same number is left alone. */
  started: string;
}

/** Marks a process so that it is recognised after a restart of the agent; undefined where that is not possible. */
export function markProcess(pid: number): ProcessMark | undefined {
  const started = startOf(pid);
  return started ? { pid, started } : undefined;
}

/** Kills the process and its group if it is still the one that was marked. Returns whether it was. */
export function killOrphan({ pid, started }: ProcessMark): boolean {
  if (startOf(pid) !== started) return false;
  try {
    Deno.kill(-pid, "SIGKILL");
    return true;
  } catch {
    // It has ended meanwhile.
    return false;
  }
}

/**
 * Resolves when none of the processes is left, with false when some still are after a while. restic takes a lock as alive
 * as long as its process has a number, which a dead one keeps until the system's first process has taken note.
 */
export async function allGone(marks: ProcessMark[], withinMs = 10_000): Promise<boolean> {
  const deadline = performance.now() + withinMs;
  while (marks.some(({ pid, started }) => startOf(pid) === started)) {
    if (performance.now() > deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return true;
}

/** Field 22 of /proc/PID/stat; the name in field 2 may hold spaces and brackets. */
function startOf(pid: number): string | undefined {
  if (Deno.build.os !== "linux") return undefined;
  try {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return undefined;
  }
}
