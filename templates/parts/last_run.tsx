// How the newest run of a schedule or a source group went, in the same words everywhere: "8h ago — succeeded".
import type { LastRun as Run } from "../../shared/shapes/last_run.ts";
import { Dot, jobState, jobWord } from "./state.tsx";
import { Time } from "./time.tsx";

export function LastRun({ run, now }: { run: Run | null; now: number }) {
  if (!run) return <span class="muted">never</span>;
  const state = jobState(run.status, run.warnings);
  return (
    <span class={`state ${state}`}>
      <Dot state={state} />
      <span>
        <a href={`/jobs/${run.job_id}`}>
          <Time at={run.at} now={now} />
        </a>{" "}
        — {jobWord(run.status, run.warnings)}
      </span>
    </span>
  );
}
