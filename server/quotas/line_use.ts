// How many lines jobs and hosts have stored. The figures live in memory, since lines are the hottest path, and go into the
// database in the transaction that stores the lines: a restart forgets nothing, and a batch that fails counts nothing.
import type { Connection } from "../database/connection.ts";
import type { Quotas } from "../settings.ts";

/** Why lines are cut. */
export type CutOfLines = "lines_per_job" | "lines_per_day" | "disk";

export interface JobUse {
  lines: number;
  bytes: number;
  /** The highest number that was received. */
  seen: number;
  cut: number;
  marks: number;
  /** The lines before were cut too: one mark speaks for all of a gap. */
  inGap: boolean;
}

export interface DayUse {
  day: number;
  lines: number;
  bytes: number;
}

export interface Use {
  job: JobUse;
  day: DayUse;
}

/** Many more than are streamed at once; what is forgotten is read again. */
const JOBS_KEPT = 2000;
const HOSTS_KEPT = 20_000;

export const MARKS_PER_JOB = 20;

export class LineUse {
  readonly #jobs = new Map<number, JobUse>();
  readonly #days = new Map<string, DayUse>();
  readonly #said = new Map<string, number>();

  constructor(private readonly limits: Quotas) {}

  /** True once a day for each host and kind, as far as this run of the server knows. */
  isNewsToday(hostId: string, day: number, cut: CutOfLines): boolean {
    const key = `${hostId} ${cut}`;
    if (this.#said.get(key) === day) return false;
    put(this.#said, key, day, 3 * HOSTS_KEPT);
    return true;
  }

  /** Inside the transaction that stores lines. */
  of(sqlite: Connection, of: { jobNumber: number; hostId: string; day: number }): Use {
    const { jobNumber, hostId, day } = of;
    const job = this.#jobs.get(jobNumber) ?? readJob(sqlite, jobNumber);
    const known = this.#days.get(hostId);
    return {
      job: { ...job },
      day: known?.day === day ? { ...known } : readDay(sqlite, hostId, day),
    };
  }

  /** How many of these texts still fit, and what ends them. */
  fits(use: Use, sizes: number[], isDiskShort: boolean): { count: number; cut?: CutOfLines } {
    if (isDiskShort) return { count: 0, cut: "disk" };
    const { limits } = this;
    let [count, bytes] = [0, 0];
    for (const size of sizes) {
      bytes += size;
      if (
        use.job.lines + count >= limits.linesPerJob ||
        use.job.bytes + bytes > limits.lineBytesPerJob
      ) return { count, cut: "lines_per_job" };
      if (
        use.day.lines + count >= limits.linesPerDay ||
        use.day.bytes + bytes > limits.lineBytesPerDay
      ) return { count, cut: "lines_per_day" };
      count++;
    }
    return { count };
  }

  /** Writes the figures; call `keep` with them once the transaction is committed. */
  write(
    sqlite: Connection,
    { jobNumber, hostId }: { jobNumber: number; hostId: string },
    use: Use,
  ) {
    const { job, day } = use;
    sqlite.prepare(
      `update jobs set lines_stored = ?, line_bytes = ?, lines_seen = ?, lines_cut = ?, cut_marks = ?,
         lines_removed_at = null where number = ?`,
    ).run(job.lines, job.bytes, job.seen, job.cut, job.marks, jobNumber);
    sqlite.prepare(
      `insert into host_days (host_id, day, lines, line_bytes) values (?, ?, ?, ?)
         on conflict do update set lines = excluded.lines, line_bytes = excluded.line_bytes`,
    ).run(hostId, day.day, day.lines, day.bytes);
  }

  keep({ jobNumber, hostId }: { jobNumber: number; hostId: string }, { job, day }: Use): void {
    put(this.#jobs, jobNumber, job, JOBS_KEPT);
    put(this.#days, hostId, day, HOSTS_KEPT);
  }
}

function readJob(sqlite: Connection, jobNumber: number): JobUse {
  const row = sqlite.prepare(
    "select lines_stored, line_bytes, lines_seen, lines_cut, cut_marks from jobs where number = ?",
  ).get(jobNumber) as Record<string, number> | undefined;
  return {
    lines: row?.lines_stored ?? 0,
    bytes: row?.line_bytes ?? 0,
    seen: row?.lines_seen ?? 0,
    cut: row?.lines_cut ?? 0,
    marks: row?.cut_marks ?? 0,
    inGap: false,
  };
}

function readDay(sqlite: Connection, hostId: string, day: number): DayUse {
  const row = sqlite.prepare(
    "select lines, line_bytes from host_days where host_id = ? and day = ?",
  ).get(hostId, day) as Record<string, number> | undefined;
  return { day, lines: row?.lines ?? 0, bytes: row?.line_bytes ?? 0 };
}

function put<K, V>(map: Map<K, V>, key: K, value: V, most: number): void {
  map.delete(key);
  map.set(key, value);
  if (map.size > most) map.delete(map.keys().next().value!);
}
