// Where the next step after a job leads.
import type { EndedJob, NextStep } from "./view.ts";

export interface Places {
  /** Their pages. */
  host: string;
  repository: string;
  /** A backup of the same group. */
  again: Pick<NextStep, "kind" | "label" | "groupId">;
}

export function placesOf(job: EndedJob): Places {
  const host = `/hosts/${job.host.id}`;
  return {
    host,
    repository: job.repository ? `/repositories/${job.repository.id}` : `${host}/repository`,
    again: { label: "Run again", kind: "backup", groupId: job.groupId },
  };
}
