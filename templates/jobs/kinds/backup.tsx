import { bytes, count, duration, plural } from "../../format.ts";
import { Copyable } from "../../parts/copyable.tsx";
import { Figure } from "../figure.tsx";
import type { JobView } from "../view.ts";
import type { PageKind } from "./kind.ts";

export const backup: PageKind = {
  word: "backup",
  title: ({ source_group_name }) =>
    source_group_name === null ? ["Backup", null] : ["Backup of", source_group_name],
  preposition: "on",
  succeeded,
  Result: SummaryFigures,

  otherwise({ status }) {
    const again = { label: "Run again", kind: "backup" as const };
    if (status === "interrupted" || status === "cancelled") {
      return { sentence: "What was uploaded is kept; the next run goes on from there.", ...again };
    }
    return status === "failed" ? { sentence: "The log below says more.", ...again } : null;
  },
};

function succeeded({ summary }: JobView): string {
  if (!summary) return "Done.";
  const files = summary.files_new + summary.files_changed;
  return files === 0
    ? "Backed up; nothing had changed since the last snapshot."
    : `Backed up ${plural(files, "new or changed file")}, ${
      bytes(summary.bytes_added)
    } added to the repository.`;
}

function SummaryFigures({ job, mayRun }: { job: JobView; mayRun: boolean }) {
  const { summary, repository_id } = job;
  if (!summary) return null;
  const { snapshot_id } = summary;
  const query = repository_id === null
    ? ""
    : `?${new URLSearchParams({ repository: repository_id })}`;
  return (
    <dl class="figures">
      {snapshot_id && (
        <div>
          <dt>Snapshot</dt>
          <dd>
            <Copyable text={snapshot_id.slice(0, 8)} what="the snapshot id" />
          </dd>
        </div>
      )}
      {snapshot_id && mayRun && (
        <div>
          <dt>What changed in this backup</dt>
          <dd>
            <a href={`/snapshots/${snapshot_id.slice(0, 16)}/diff${query}`}>Compare</a>
          </dd>
        </div>
      )}
      <Figure label="Added to the repository" value={bytes(summary.bytes_added)} />
      <Figure label="Looked at" value={bytes(summary.bytes_processed)} />
      <Figure label="New files" value={count(summary.files_new)} />
      <Figure label="Changed" value={count(summary.files_changed)} />
      <Figure label="Unchanged" value={count(summary.files_unmodified)} />
      <Figure label="restic took" value={duration(summary.seconds)} />
    </dl>
  );
}
