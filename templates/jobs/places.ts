// Where the next step after a job leads.
import type { EndedJob, NextStep } from "./view.ts";

export interface Places {
  /** Their pages. */
  host: string;
  repository: string;
  /** A backup of the same group. */
  again: Pick<NextStep, "kind" | "label">;
}

export function placesOf(job: EndedJob): Places {
  const host = `/hosts/${job.host_id}`;
  return {
    host,
    repository: job.repositoryName === null
      ? `${host}/repository`
      : `/repositories/${job.repository_id}`,
    again: { label: "Run again", kind: "backup" },
  };
}
