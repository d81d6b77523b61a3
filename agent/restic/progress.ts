// restic's status lines as progress: at most one a second, the first one always.
import type { Progress } from "../../shared/job.ts";

const EVERY_MS = 1000;
const SPEED_OVER_MS = 10_000;

export class ProgressReader {
  #lastAt = -Infinity;
  #points: { at: number; bytes: number }[] = [];

  constructor(private readonly now: () => number = () => performance.now()) {}

  /** The progress that a status line tells, or undefined when it is too soon for another. */
  read(status: Record<string, unknown>): Progress | undefined {
    const now = this.now();
    // A little less than a second, since restic's own second is not exact.
    if (now - this.#lastAt < EVERY_MS * 0.95) return undefined;
    this.#lastAt = now;
    const bytesDone = count(status.bytes_done);
    const paths = Array.isArray(status.current_files) ? status.current_files : [];
    return {
      percent: Math.min(100, count(status.percent_done) * 100),
      files_done: count(status.files_done),
      files_total: count(status.total_files),
      bytes_done: bytesDone,
      bytes_total: count(status.total_bytes),
      bytes_per_second: this.#speed(now, bytesDone),
      seconds_elapsed: count(status.seconds_elapsed),
      seconds_remaining: typeof status.seconds_remaining === "number"
        ? count(status.seconds_remaining)
        : null,
      current_path: typeof paths[0] === "string" ? paths[0].slice(0, 4096) : null,
    };
  }

  /** Over the last ten seconds, so that it neither jumps nor lags. */
  #speed(now: number, bytes: number): number {
    this.#points.push({ at: now, bytes });
    while (this.#points.length > 2 && now - this.#points[0]!.at > SPEED_OVER_MS) {
      this.#points.shift();
    }
    const first = this.#points[0]!;
    if (now === first.at) return 0;
    return Math.max(0, Math.round((bytes - first.bytes) / ((now - first.at) / 1000)));
  }
}

export function count(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) && value > 0 ? value : 0;
}
