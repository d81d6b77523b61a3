// How the newest run of a schedule or a source group went, in the same words everywhere: "8h ago — succeeded".
import type { JobStatus } from "../../shared/job.ts";
import { Dot, jobState, jobWord } from "./state.tsx";
import { Time } from "./time.tsx";

export interface LastRunView {
  jobId: string;
  at: number;
  status: JobStatus;
  warnings: number;
}

export function LastRun({ run, now }: { run: LastRunView | null; now: number }) {
  if (!run) return <span class="muted">never</span>;
  const state = jobState(run.status, run.warnings);
  return (
    <span class={`state ${state}`}>
      <Dot state={state} />
      <span>
        <a href={`/jobs/${run.jobId}`}>
          <Time at={run.at} now={now} />
        </a>{" "}
        — {jobWord(run.status, run.warnings)}
      </span>
    </span>
  );
}
