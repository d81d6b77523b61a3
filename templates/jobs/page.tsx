// The most watched page: what runs, how far it is, what it says, and how it ended.
import { limitsInWords } from "../../shared/bandwidth.ts";
import { hasEnded } from "../../shared/job.ts";
import { visible } from "../../shared/redact.ts";
import { bytes, count, duration, middleCut, plural } from "../format.ts";
import { type FrameProps, Layout } from "../layout.tsx";
import { PostButton } from "../parts/csrf.tsx";
import { Name } from "../parts/name.tsx";
import { jobState, jobWord, StatePill } from "../parts/state.tsx";
import { At, Time } from "../parts/time.tsx";
import { Log } from "./log.tsx";
import type { StoredLine } from "../../shared/shapes/job.ts";
import { JobTitle, jobTitle } from "./words.tsx";
import { nextStep } from "./next_step.ts";
import { PAGE_KINDS } from "./kinds/all.ts";
import { Figure } from "./figure.tsx";
import { type JobKind, KINDS } from "../../shared/job_kinds/all.ts";
import type { JobView, NextStep } from "./view.ts";

export interface JobPageProps {
  frame: FrameProps;
  job: JobView;
  /** The last few hundred, or those before `?before=`. */
  lines: StoredLine[];
  totalLines: number;
  /** The reader looks at older lines (`?before=`): nothing is appended to these. */
  isPast?: boolean;
  mayCancel: boolean;
  mayRun: boolean;
  isAdmin: boolean;
}

export function JobPage(props: JobPageProps) {
  const { frame, job, lines } = props;
  const ended = hasEnded(job.status);
  const isLive = !ended && !props.isPast;
  return (
    <Layout
      {...frame}
      title={jobTitle(job)}
      current="jobs"
      live={isLive ? `/live/jobs/${job.id}?after=${lines.at(-1)?.line ?? 0}` : undefined}
      refreshSeconds={isLive ? 5 : undefined}
    >
      <p class="crumbs">
        <a href={`/hosts/${job.host_id}`}>
          <Name text={job.host_name} />
        </a>{" "}
        / <a href={`/jobs?host=${job.host_id}`}>Jobs</a>
      </p>
      <h1>
        <JobTitle job={job} />
      </h1>
      <JobState job={job} now={frame.now} mayCancel={props.mayCancel} />
      <JobProgress job={job} />
      <JobOutcome job={job} mayRun={props.mayRun} isAdmin={props.isAdmin} />
      <LogIsNotWhole job={job} />
      <Log
        jobId={job.id}
        lines={lines}
        total={props.totalLines}
        isRunning={job.status === "running"}
        hasEnded={!isLive}
      />
    </Layout>
  );
}

/** What of the log is missing, and why. */
function LogIsNotWhole({ job: { lines_cut, lines_removed_at } }: { job: JobView }) {
  return (
    <>
      {lines_cut > 0 && (
        <p class="warn">
          The server did not keep {plural(lines_cut, "line")}{" "}
          of this log. Where they are missing the log says why.
        </p>
      )}
      {lines_removed_at !== null && (
        <p class="muted">
          The log of this job was removed because of its age, <At at={lines_removed_at} />.
        </p>
      )}
    </>
  );
}

const ACTORS = { user: "by", schedule: "by", system: "by the server", agent: "by" };

/** Live fragment `job-state`: pill, who, when, the limits in force, cancel. */
export function JobState(
  { job, now, mayCancel }: { job: JobView; now: number; mayCancel: boolean },
) {
  const limits = limitsInWords({
    bandwidth_up_kib_per_s: job.bandwidth_up_kbps,
    bandwidth_down_kib_per_s: job.bandwidth_down_kbps,
  });
  const isCancelling = job.cancel_requested_at !== null;
  return (
    <div class="job-bar" id="job-state">
      <StatePill
        state={jobState(job.status, job.warnings)}
        word={isCancelling && !hasEnded(job.status)
          ? "cancelling"
          : jobWord(job.status, job.warnings)}
      />
      <span>
        {ACTORS[job.actor.kind]} {job.actor.kind !== "system" && <Name text={job.actor.name} />}
      </span>
      <span>
        {job.started_at === null
          ? (
            <>
              asked for <Time at={job.created_at} now={now} />
            </>
          )
          : (
            <>
              started <Time at={job.started_at} now={now} />
            </>
          )}
      </span>
      {job.attempt > 1 && <span>try {job.attempt}</span>}
      {job.catch_up && job.scheduled_at !== null && (
        <span>
          makes up for <At at={job.scheduled_at} />
        </span>
      )}
      {job.finished_at !== null && job.duration_seconds !== null && (
        <span>
          took <At at={job.finished_at} text={duration(job.duration_seconds)} />
        </span>
      )}
      {job.isHostClockOther && <HostClock job={job} />}
      {limits ? <span>limited to {limits}</span> : <span>no bandwidth limit</span>}
      {job.restic_version && <span>restic {visible(job.restic_version)}</span>}
      {mayCancel && !hasEnded(job.status) && !isCancelling && (
        <PostButton to={`/jobs/${job.id}/cancel`} label="Cancel job" kind="slim danger" />
      )}
    </div>
  );
}

/** Said where the host's clock is wrong: its schedules fire by it. */
function HostClock({ job: { host_started_at, host_finished_at } }: { job: JobView }) {
  return (
    <span class="warn">
      by the host's own clock {host_started_at !== null && <At at={host_started_at} />}
      {host_finished_at !== null && (
        <>
          {" "}to <At at={host_finished_at} />
        </>
      )}
    </span>
  );
}

/** Live fragment `job-progress`: one wide bar and its numbers; empty once the job has ended. */
export function JobProgress({ job }: { job: JobView }) {
  if (hasEnded(job.status)) return <div id="job-progress"></div>;
  if (job.status === "queued") {
    return (
      <div class="progress" id="job-progress">
        <p class="muted">
          <Waiting waitsFor={job.waitsFor} />
        </p>
      </div>
    );
  }
  const p = job.progress;
  return (
    <div class="progress" id="job-progress">
      <progress max="100" value={p?.percent} aria-label="Progress"></progress>
      {!p
        ? <p class="current">Preparing: restic opens the repository and looks at the files.</p>
        : (
          <>
            <dl class="figures">
              <Figure label="Done" value={`${p.percent.toFixed(p.percent < 10 ? 1 : 0)} %`} isBig />
              <Figure label="Bytes" value={`${bytes(p.bytes_done)} of ${bytes(p.bytes_total)}`} />
              <Figure label="Files" value={`${count(p.files_done)} of ${count(p.files_total)}`} />
              <Figure label="Speed" value={`${bytes(p.bytes_per_second)}/s`} />
              <Figure label="Elapsed" value={duration(p.seconds_elapsed)} />
              <Figure
                label="Left"
                value={p.seconds_remaining === null ? "—" : duration(p.seconds_remaining)}
              />
            </dl>
            <p
              class="current mono cut"
              title={p.current_path ? visible(p.current_path) : undefined}
            >
              {p.current_path && <bdi>{visible(middleCut(p.current_path, 110))}</bdi>}
            </p>
          </>
        )}
    </div>
  );
}

function Waiting({ waitsFor }: { waitsFor: JobView["waitsFor"] }) {
  switch (waitsFor) {
    case null:
      return <>Waits for its turn. It begins by itself.</>;
    case "repository":
      return (
        <>
          Another host is at work in this repository, and the two must not meet. It begins by itself
          when that is done.
        </>
      );
    case "host":
      return <>The host is offline. It begins when the host is back.</>;
    default:
      if ("reading" in waitsFor) {
        return (
          <>
            Waits for{" "}
            {visible(waitsFor.reading)}: nothing is removed from a repository while someone reads
            it. It begins by itself.
          </>
        );
      }
      return (
        <>
          Waits for <a href={`/jobs/${waitsFor.jobId}`}>{visible(waitsFor.title)}</a>
          {waitsFor.isOfOtherHost
            ? ", beside which nobody else may write to this repository."
            : ": jobs of a host that write to its repository run one after another."}
        </>
      );
  }
}

/** Live fragment `job-outcome`: what happened in one sentence, what it added, the next sensible step. */
export function JobOutcome(
  { job, mayRun, isAdmin }: { job: JobView; mayRun: boolean; isAdmin: boolean },
) {
  if (!hasEnded(job.status)) return <div id="job-outcome"></div>;
  const step = job.status === "succeeded" && job.warnings === 0 ? null : nextStep(job);
  const { Result } = PAGE_KINDS[job.kind];
  return (
    <div id="job-outcome">
      <div class={`outcome ${jobState(job.status, job.warnings)}`}>
        <p>
          <bdi>{visible(outcomeInWords(job))}</bdi>
        </p>
        {step && (
          <p>
            {step.sentence} {step.href && <a href={step.href}>{step.label}</a>}
          </p>
        )}
        {step?.kind && mayRun && (isAdmin || !step.isForAdmins) && (
          <p class="actions">
            <RunAgain job={job} step={step} kind={step.kind} />
          </p>
        )}
      </div>
      {job.withheld && <Withheld job={job} mayRun={mayRun} />}
      {Result && <Result job={job} mayRun={mayRun} />}
    </div>
  );
}

/** A backup of nothing, or of far less than usual, never takes the place of a good one until a person says so. */
function Withheld({ job, mayRun }: { job: JobView; mayRun: boolean }) {
  if (job.accepted_at !== null) {
    return (
      <p class="muted">
        <Name text={job.accepted_by ?? "someone"} /> said that this is right,{" "}
        <At at={job.accepted_at} />.
      </p>
    );
  }
  return (
    <div class="outcome warn">
      <p>
        Its snapshot does not count for retention, so that it never takes the place of a good one.
        If what it saved is all there is now, say so; otherwise mend the cause and run the backup
        again.
      </p>
      {mayRun && (
        <p class="actions">
          <PostButton to={`/jobs/${job.id}/accept`} label="This is right now" />
        </p>
      )}
    </div>
  );
}

/** Borrows the page's form `act`: the fragment carries no token. */
function RunAgain({ job, step, kind }: { job: JobView; step: NextStep; kind: JobKind }) {
  const isOfGroup = "source_group_id" in KINDS[kind].input;
  const group = isOfGroup && job.source_group_id ? `?source_group_id=${job.source_group_id}` : "";
  return (
    <PostButton
      to={step.to ?? `/hosts/${job.host_id}/jobs${group}`}
      name="kind"
      value={kind}
      label={step.label ?? "Run again"}
    />
  );
}

/** One sentence. */
function outcomeInWords(job: JobView): string {
  if (job.reason) return job.reason;
  switch (job.status) {
    case "succeeded":
      return PAGE_KINDS[job.kind].succeeded(job);
    case "cancelled":
      return "Cancelled before it was done.";
    case "interrupted":
      return "Interrupted: the agent went away while it ran.";
    case "skipped":
      return "Skipped.";
    default:
      return job.exit_code === null
        ? "It failed."
        : `restic ended with exit code ${job.exit_code}.`;
  }
}
