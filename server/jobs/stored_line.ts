// A line of a job's log as it is stored.
import type { LineStream } from "../../shared/job.ts";

export interface StoredLine {
  line: number;
  at: number;
  stream: LineStream;
  text: string;
}
