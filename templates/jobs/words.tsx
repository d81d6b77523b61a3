// What a job is called.
import { visible } from "../../shared/redact.ts";
import { PAGE_KINDS } from "./kinds/all.ts";
import { Name } from "../parts/name.tsx";
import type { JobNames } from "./view.ts";

/** `Backup of "home" on web-01`; `whole` names the host too. */
export function JobTitle({ job, whole = true }: { job: JobNames; whole?: boolean }) {
  const [verb, object] = PAGE_KINDS[job.kind].title(job);
  return (
    <>
      {verb}
      {object && (
        <>
          {" "}“<Name text={object} />”
        </>
      )}
      {whole && (
        <>
          {` ${PAGE_KINDS[job.kind].preposition} `}
          <Name text={job.host_name} />
        </>
      )}
    </>
  );
}

/** The same as plain text, for the document's title and labels. */
export function jobTitle(job: JobNames): string {
  const [verb, object] = PAGE_KINDS[job.kind].title(job);
  const where = `${PAGE_KINDS[job.kind].preposition} ${visible(job.host_name)}`;
  return `${verb}${object ? ` “${visible(object)}”` : ""} ${where}`;
}
