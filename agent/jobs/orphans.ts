// A restic that outlived a killed agent. Nobody reads it any more, so it would die of its broken pipe sooner or later; but
// until then it works in the repository beside the next job, and two inits at once destroy a repository.
import { readProc } from "../proc.ts";
import { beginOf, type ProcessMark } from "../process.ts";

/** Kills the process and its group if it is still the one that was marked. Returns whether it was. */
export function killOrphan({ pid, path, verb }: ProcessMark): boolean {
  const command = readProc(`${pid}/cmdline`)?.replace(/\0$/, "").split("\0") ?? [];
  const at = command.indexOf(path);
  if (at < 0 || beginOf(command.slice(at + 1)) !== verb) return false;
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
  while (marks.some(({ pid }) => readProc(`${pid}/stat`) !== undefined)) {
    if (performance.now() > deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return true;
}

/**
 * Resolves with true when the process is dead, however long that takes: one that hangs in the kernel is not ended by SIGKILL either.
 * With false when nobody waits any more.
 */
export async function untilDead({ pid }: ProcessMark, isOver: () => boolean): Promise<boolean> {
  for (let pause = 50; isAtWork(pid); pause = Math.min(5000, pause * 2)) {
    if (isOver()) return false;
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
  return true;
}

/** A process that is dead and was not taken note of yet works no more. */
function isAtWork(pid: number): boolean {
  const stat = readProc(`${pid}/stat`);
  // proc(5): the state stands after the name, which may hold brackets itself.
  return stat !== undefined && !/^ [ZX]/.test(stat.slice(stat.lastIndexOf(")") + 1));
}
