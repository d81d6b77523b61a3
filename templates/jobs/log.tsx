// The log of a job. The same rows are rendered with the page and pushed live (event `lines`).
import type { LineStream } from "../../shared/job.ts";
import { visible } from "../../shared/redact.ts";
import { count, exact } from "../format.ts";
import type { StoredLine } from "../../shared/shapes/job.ts";

const CLASS: Record<LineStream, string> = {
  stdout: "line",
  stderr: "line err",
  hook: "line hook",
  agent: "line agent",
};

/** Rows to append to #log-rows: the data of a `lines` event, and the answer of /jobs/{id}/lines?before=N. */
export function LogRows({ lines }: { lines: StoredLine[] }) {
  return <>{lines.map((line) => <LogRow line={line} />)}</>;
}

/** A browser keeps 5,000 rows; were each as long as a line may be, that would be 300 MB. */
const ROW_LIMIT = 4000;

function LogRow({ line: { line, at, stream, text } }: { line: StoredLine }) {
  const hidden = text.length - ROW_LIMIT;
  return (
    <div class={CLASS[stream]} id={`L${line}`}>
      <a href={`#L${line}`} title={exact(at)}>{line}</a>
      {stream === "stderr" && <b>stderr</b>}
      {stream === "agent" && <b>agent</b>}
      <span>
        {visible(hidden > 0 ? text.slice(0, ROW_LIMIT) : text)}
        {hidden > 0 && (
          <em class="muted">
            … and {count(hidden)} more characters: download the text to see them
          </em>
        )}
      </span>
    </div>
  );
}

export interface LogProps {
  jobId: string;
  lines: StoredLine[];
  /** The number of the last line there is. */
  total: number;
  isRunning: boolean;
  hasEnded: boolean;
}

export function Log({ jobId, lines, total, isRunning, hasEnded }: LogProps) {
  const first = lines[0]?.line ?? 0;
  const last = lines.at(-1)?.line ?? 0;
  return (
    <section class="section" aria-labelledby="log-title">
      <div class="log-tools">
        <h2 id="log-title">
          Log {hasEnded && total > 0 && <span class="muted">{count(total)} lines</span>}
        </h2>
        <label hidden>
          <span class="off-screen">Show only lines with</span>
          <input type="search" id="log-filter" placeholder="Filter lines  /" data-search />
        </label>
        <a class="button" href={`/api/jobs/${jobId}/log.txt`} download>Download as text</a>
      </div>
      <div class="log-frame">
        {/* Before the lines: each of them is a link, and Tab must not pass thousands to get here. */}
        <button type="button" class="follow" id="follow" hidden>Follow</button>
        <div
          class="log"
          id="log"
          role="log"
          aria-live="off"
          aria-label="Log lines"
          tabindex={0}
          data-last={last}
          data-running={!hasEnded ? "true" : "false"}
        >
          <p class="earlier" hidden={first <= 1} id="earlier-box">
            <a
              id="earlier"
              href={`/jobs/${jobId}?before=${first}`}
              data-lines={`/jobs/${jobId}/lines`}
            >
              Load earlier lines
            </a>
          </p>
          {lines.length === 0 && (
            <p class="log-note" id="log-empty">
              {hasEnded
                ? "This job wrote no lines."
                : isRunning
                ? "No lines yet. They appear here as they come."
                : "It has not begun. Lines appear here as they come."}
            </p>
          )}
          <div id="log-rows">
            <LogRows lines={lines} />
          </div>
          {hasEnded && last < total && (
            <p class="log-note">
              <a href={`/jobs/${jobId}`}>To the last lines</a>
            </p>
          )}
        </div>
      </div>
    </section>
  );
}
