// The lines of one job: numbered from 1, freed of secrets, handed to the journal in batches.
import type { LineStream } from "../../shared/job.ts";
import type { Line, NewReport } from "../../shared/protocol.ts";

const BATCH_LINES = 200;
const BATCH_CHARACTERS = 65_536;
const BATCH_MS = 40;

export interface JobLinesOptions {
  jobId: string;
  /** The wall clock. */
  now: () => number;
  redact: (text: string) => string;
  report: (report: NewReport) => void;
}

export class JobLines {
  #next = 1;
  #waiting: Line[] = [];
  #characters = 0;
  #timer: number | undefined;

  constructor(private readonly options: JobLinesOptions) {}

  add(stream: LineStream, text: string): void {
    const clean = this.options.redact(text);
    this.#waiting.push({ at: this.options.now(), stream, text: clean });
    this.#characters += clean.length;
    if (this.#waiting.length >= BATCH_LINES || this.#characters >= BATCH_CHARACTERS) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), BATCH_MS);
  }

  /** Hands over what waits. Must be called when the job ends. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#waiting.length === 0) return;
    const lines = this.#waiting;
    const first_line = this.#next;
    this.#next += lines.length;
    this.#waiting = [];
    this.#characters = 0;
    this.options.report({ type: "log.stream", job_id: this.options.jobId, first_line, lines });
  }
}
