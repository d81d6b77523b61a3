// One host in the list: live fragment `host-<id>`.
import type { Progress } from "../../shared/job.ts";
import { bytes, count, duration, exact, middleCut, upcoming } from "../format.ts";
import { PostButton } from "../parts/csrf.tsx";
import type { Host, RunningJob } from "../../shared/shapes/host.ts";
import type { LastRun } from "../../shared/shapes/last_run.ts";
import { Name, Tags, titleOf } from "../parts/name.tsx";
import { Dot, jobWord } from "../parts/state.tsx";
import { type DayState, Strip } from "../parts/strip.tsx";
import { At, Time } from "../parts/time.tsx";

export type HostRowData =
  & Pick<
    Host,
    | "id"
    | "name"
    | "os"
    | "tags"
    | "state"
    | "online"
    | "last_seen_at"
    | "repository_size"
    | "snapshots_count"
    | "next_run_at"
    | "schedule"
  >
  & {
    /** The last backup that ended. */
    last_backup: LastRun | null;
    /** What the host is doing now, as far as is known. */
    runningJob: Pick<RunningJob, "id" | "kind"> & { progress: Progress | null } | null;
    queued: number;
    /** Up to 30 days, the oldest first. */
    days: DayState[];
  };

export interface HostRowProps {
  host: HostRowData;
  now: number;
  /** Operators and admins. */
  mayRun: boolean;
}

export function HostRow({ host, now, mayRun }: HostRowProps) {
  const mark = `${host.state} ${
    (host.runningJob?.id ?? host.last_backup?.job_id)?.slice(-6) ?? ""
  }`;
  return (
    <tr id={`host-${host.id}`} data-mark={mark}>
      <td class="first">
        <span class="name">
          <Dot state={host.state} />
          <a href={`/hosts/${host.id}`} title={titleOf(host.name)}>
            <Name text={middleCut(host.name, 48)} />
          </a>
          <Tags tags={host.tags.slice(0, 3)} />
        </span>
      </td>
      <td class="muted desk">{host.os}</td>
      {host.runningJob
        ? <Running job={host.runningJob} queued={host.queued} />
        : <Quiet host={host} now={now} />}
      <td class="act">
        <Action host={host} mayRun={mayRun} />
      </td>
    </tr>
  );
}

function Action({ host, mayRun }: { host: HostRowData; mayRun: boolean }) {
  if (host.runningJob) {
    return <a class="button slim" href={`/jobs/${host.runningJob.id}`}>Open job</a>;
  }
  if (!mayRun || !host.online) return null;
  return (
    <PostButton
      to={`/hosts/${host.id}/jobs`}
      label="Run now"
      describe={`Run now: ${middleCut(host.name, 48)}`}
    />
  );
}

function Quiet({ host, now }: { host: HostRowData; now: number }) {
  return (
    <>
      <td class="where">
        <LastBackup host={host} now={now} />
      </td>
      <td class="desk wide">
        <Strip days={host.days} now={now} />
      </td>
      <td class="num desk wide">
        {host.repository_size === null ? "—" : bytes(host.repository_size)}
      </td>
      <td class="num desk wide">
        {host.snapshots_count === null ? "—" : count(host.snapshots_count)}
      </td>
      {host.schedule
        ? (
          <td class="when">
            <When next={host.next_run_at} last={host.schedule.last_run} now={now} />
          </td>
        )
        : <td class="when desk">—</td>}
    </>
  );
}

/** `Next: 03:00` and `Last: 8h ago — succeeded` */
function When(
  { next, last, now }: { next: number | null; last: LastRun | null; now: number },
) {
  return (
    <>
      Next: {next === null ? "—" : <At at={next} text={upcoming(next, now)} />} <br />
      Last: {last
        ? (
          <>
            <Time at={last.at} now={now} /> — {jobWord(last.status, last.warnings)}
          </>
        )
        : "never"}
    </>
  );
}

function LastBackup({ host, now }: { host: HostRowData; now: number }) {
  const last = host.last_backup;
  return (
    <>
      {last
        ? (
          <a href={`/jobs/${last.job_id}`}>
            {jobWord(last.status, last.warnings)}
          </a>
        )
        : <span class="muted">no backup yet</span>}
      {last && (
        <>
          {" "}
          <Time at={last.at} now={now} />
        </>
      )}
      {!host.online && (
        <span
          class="off"
          title={host.last_seen_at === null ? undefined : `Last seen ${exact(host.last_seen_at)}`}
        >
          {" "}· offline
        </span>
      )}
    </>
  );
}

function Running(
  { job, queued }: { job: NonNullable<HostRowData["runningJob"]>; queued: number },
) {
  const { progress } = job;
  return (
    <td class="where" colspan={5}>
      <div class="running">
        <span>{job.kind === "backup" ? "backing up" : `running ${job.kind}`}</span>
        <span class="num">{progress ? `${Math.floor(progress.percent)} %` : ""}</span>
        <progress max="100" value={progress?.percent} aria-label="Progress"></progress>
        <span class="num desk">{progress ? `${bytes(progress.bytes_per_second)}/s` : ""}</span>
        <span class="num muted">
          {progress?.seconds_remaining
            ? `${duration(progress.seconds_remaining)} left`
            : queued > 0
            ? `${queued} queued`
            : ""}
        </span>
      </div>
    </td>
  );
}
