// How a kind of job is shown; see shared/job_kinds.
import type { Child } from "hono/jsx";
import type { EndedJob, JobNames, JobView, NextStep } from "../view.ts";

export interface PageKind {
  /** Its name in lists. */
  word: string;
  /** What goes on, and with which thing of the user's, if any. */
  title(job: JobNames): [verb: string, object: string | null];
  /** Between the title and the host. */
  preposition: "on" | "from";
  /** What a success came to, in a sentence. */
  succeeded(job: JobView): string;
  /** What it came to in figures. */
  Result?(props: { job: JobView; mayRun: boolean }): Child;
  /** What helps against its end, before the reason is looked at. */
  nextStep?(job: EndedJob): NextStep | null;
  /** What helps when the reason says nothing. */
  otherwise?(job: EndedJob): NextStep | null;
}

/** The title of a kind that is about the repository. */
export function ofRepository(verb: string): PageKind["title"] {
  return ({ repositoryName }) => [verb, repositoryName ?? null];
}
