import { visible } from "../../../shared/redact.ts";
import { shownPath } from "../../../shared/snapshot_path.ts";
import type { Job } from "../../../shared/shapes/job.ts";
import { bytes, count, middleCut, plural } from "../../format.ts";
import { PostButton } from "../../parts/csrf.tsx";
import { Name } from "../../parts/name.tsx";
import { Figure } from "../figure.tsx";
import type { EndedJob, JobView, NextStep } from "../view.ts";
import type { PageKind } from "./kind.ts";

type Restore = NonNullable<Job["restore"]>;
type Result = NonNullable<Restore["result"]>;

export const restore: PageKind = {
  word: "restore",
  title: () => ["Restore", null],
  preposition: "on",
  succeeded: ({ restore: asked, dry_run }) => {
    const result = asked?.result;
    if (!result) return "Done.";
    const what = `${plural(result.entries, "file or folder", "files and folders")}, ${
      bytes(result.bytes)
    }`;
    if (!dry_run && (result.kept > 0 || isTrusting(asked, result))) {
      return `Done: ${count(result.written)} written, ${
        count(result.kept + result.same)
      } left as they were, as was asked.`;
    }
    return dry_run
      ? `Nothing was written. ${what} would be restored.`
      : `Whole: ${what}, as they are in the snapshot.`;
  },
  Result: Restored,
  nextStep,
};

/** Files of the same size and time were taken for the same. */
function isTrusting({ overwrite, target }: Restore, { same }: Result): boolean {
  return target.kind === "original" && overwrite === "if-changed" && same > 0;
}

const STEPS: Record<string, string> = {
  target_refused: "Choose another folder and start it again.",
  no_space: "Free some room there, or choose a folder on another disk.",
  not_in_snapshot: "Look at the snapshot again: it may be another day's.",
  restic_too_old: "Update restic on that machine, or restore into a folder with whole paths.",
};

function nextStep({ reason_code }: EndedJob): NextStep | null {
  const sentence = STEPS[reason_code ?? ""];
  return sentence ? { sentence } : null;
}

function Restored({ job }: { job: JobView }) {
  const { restore: asked } = job;
  if (!asked) return null;
  return (
    <div class="stack">
      {asked.result && (asked.result.checked || job.dry_run) && (
        <Figures asked={asked} result={asked.result} dryRun={job.dry_run} />
      )}
      <dl class="facts">
        <dt>Snapshot</dt>
        <dd class="mono">
          <a href={`/snapshots/${asked.snapshot_id}?repository=${job.repository_id}`}>
            {asked.snapshot_id.slice(0, 8)}
          </a>
        </dd>
        <dt>Items</dt>
        <dd class="mono">
          {asked.first_items.slice(0, 5).map((path) => (
            <div>
              <bdi>{visible(middleCut(shownPath(path), 120))}</bdi>
            </div>
          ))}
          {asked.items_count > 5 && <div class="muted">and {count(asked.items_count - 5)} more
          </div>}
        </dd>
        <dt>To</dt>
        <dd>
          <Where asked={asked} />
        </dd>
        {asked.result?.undo_snapshot && (
          <>
            <dt>Undo</dt>
            <dd>
              <a href={`/snapshots/${asked.result.undo_snapshot}?repository=${job.repository_id}`}>
                What was there before
              </a>, as a snapshot of its own
            </dd>
          </>
        )}
      </dl>
      {asked.result && asked.result.failures.length > 0 && (
        <Failures result={asked.result} jobId={job.id} />
      )}
      <p class="actions">
        <PostButton
          to={`/jobs/${job.id}/restore-again`}
          label={again(job, asked)}
          kind={job.dry_run || job.status !== "succeeded" ? "primary" : "slim"}
        />
      </p>
    </div>
  );
}

/** What a person does next with it. */
function again(job: JobView, { target, result }: Restore): string {
  if (job.dry_run) return "Restore it";
  if (job.status === "succeeded") return "Restore it again";
  return result && target.kind === "folder" ? "Continue" : "Try again";
}

function Where({ asked: { target, result } }: { asked: Restore }) {
  if (target.kind === "original") return <>where the files were</>;
  const owner = result?.opened_for;
  return (
    <>
      <span class="mono">
        <bdi>{visible(middleCut(result?.target ?? target.path, 160))}</bdi>
      </span>
      {owner !== undefined && owner !== null && (
        <span class="muted">
          , open for {owner === 0 ? "root alone" : `the user with the number ${owner} alone`}
        </span>
      )}
    </>
  );
}

function Figures(
  { asked, result: r, dryRun }: { asked: Restore; result: Result; dryRun: boolean },
) {
  return (
    <dl class="figures">
      <Figure label={dryRun ? "Would be written" : "Written"} value={count(r.written)} />
      {r.same > 0 && (
        <Figure
          label={isTrusting(asked, r) ? "Same size and time" : "Already the same"}
          value={count(r.same)}
        />
      )}
      {r.kept > 0 && <Figure label="Kept as they were" value={count(r.kept)} />}
      <Figure label="Could not" value={count(r.failed)} />
      {r.attributes > 0 && <Figure label="Without an attribute" value={count(r.attributes)} />}
      <Figure label="Bytes" value={bytes(r.bytes)} />
      {!dryRun && <Figure label="Checked" value={r.verified ? "every byte" : "names and sizes"} />}
    </dl>
  );
}

function Failures({ result, jobId }: { result: Result; jobId: string }) {
  const more = result.failed + result.attributes - result.failures.length;
  return (
    <>
      <table class="table fold">
        <thead>
          <tr>
            <th scope="col">File or folder</th>
            <th scope="col">What is wrong</th>
          </tr>
        </thead>
        <tbody>
          {result.failures.slice(0, 30).map(({ path, problem }) => (
            <tr>
              <td class="first mono">
                <Name text={middleCut(path, 100)} />
              </td>
              <td>
                <bdi>{visible(middleCut(problem, 160))}</bdi>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <p class="muted">
        {more > 0 && <>{count(more)} more.</>}{" "}
        <a href={`/api/jobs/${jobId}/log.txt`} download>The log</a> has the list.
      </p>
    </>
  );
}
