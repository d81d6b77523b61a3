// What the system says of processes (proc(5)).

/** Resident memory of a process, in MiB. */
export function memoryOf(pid: number): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) / 1024;
}

/** Not there, or dead and waiting for its parent. */
export function isAlive(pid: number): boolean {
  try {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    return !["Z", "X"].includes(stat.slice(stat.lastIndexOf(")") + 2)[0]!);
  } catch {
    return false;
  }
}

/** The arguments of every process, as any user may read them. */
export function allArguments(): { pid: number; args: string[] }[] {
  return [...Deno.readDirSync("/proc")].flatMap(({ name }) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const args = Deno.readTextFileSync(`/proc/${name}/cmdline`).split("\0").slice(0, -1);
      return args.length > 0 ? [{ pid: Number(name), args }] : [];
    } catch {
      // It has ended meanwhile.
      return [];
    }
  });
}

/** The processes that a job of an agent started, newest last; `phase` is restic, pre or post. */
export function processesOf(stateDirKey: string, phase = "restic"): number[] {
  const mark = new RegExp(`RM_PROCESS_MARK=${stateDirKey}\\.[0-9a-f-]{36}\\.${phase}\\0`);
  return allArguments().map(({ pid }) => pid).filter((pid) => {
    try {
      return mark.test(`${Deno.readTextFileSync(`/proc/${pid}/environ`)}\0`);
    } catch {
      return false;
    }
  });
}
