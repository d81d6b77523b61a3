// A line of a job's log as it is stored.
import type { JobLine } from "../../shared/shapes/job.ts";

/** `line` is its number in the log, which the API calls `n`. */
export interface StoredLine extends Omit<JobLine, "n"> {
  line: number;
}
