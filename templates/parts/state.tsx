// The five states and how the outcomes of jobs map to them. A state is always told by shape and word, never by colour alone.
import type { JobStatus } from "../../shared/job.ts";
import type { HostState } from "../../shared/shapes/host.ts";
import { plural } from "../format.ts";

export type State = HostState;

export function Dot({ state }: { state: State }) {
  return <i class={`dot ${state}`}></i>;
}

export function StateWord({ state, word }: { state: State; word: string }) {
  return (
    <span class={`state ${state}`}>
      <Dot state={state} />
      <span>{word}</span>
    </span>
  );
}

export function StatePill({ state, word }: { state: State; word: string }) {
  return (
    <span class={`state pill ${state}`}>
      <Dot state={state} />
      {word}
    </span>
  );
}

/** A backup that succeeded with warnings is not simply well: some files are not in it. */
export function jobState(status: JobStatus, warnings = 0): State {
  switch (status) {
    case "queued":
      return "off";
    case "running":
      return "run";
    case "succeeded":
      return warnings > 0 ? "warn" : "ok";
    case "failed":
      return "bad";
    case "interrupted":
      return "warn";
    case "cancelled":
    case "skipped":
      return "off";
    default:
      return status satisfies never;
  }
}

export function jobWord(status: JobStatus, warnings = 0): string {
  if (status !== "succeeded" || warnings === 0) return status;
  return `succeeded, ${plural(warnings, "warning")}`;
}
