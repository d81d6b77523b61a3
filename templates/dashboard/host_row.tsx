// One host in the list: live fragment `host-<id>`.
import type { Progress } from "../../shared/job.ts";
import { bytes, count, duration, exact, middleCut, upcoming } from "../format.ts";
import { PostButton } from "../parts/csrf.tsx";
import type { LastRun as Run } from "../../shared/shapes/last_run.ts";
import { Name, Tags, titleOf } from "../parts/name.tsx";
import { Dot, jobWord, type State } from "../parts/state.tsx";
import { type DayState, Strip } from "../parts/strip.tsx";
import { At, Time } from "../parts/time.tsx";

export interface HostRowData {
  id: string;
  name: string;
  os: string;
  tags: string[];
  state: State;
  isOnline: boolean;
  lastSeenAt: number | null;
  /** The last backup that ended. */
  lastBackup: Run | null;
  /** What the host is doing now. */
  running: { jobId: string; kind: string; progress: Progress | null } | null;
  queued: number;
  /** Up to 30 days, the oldest first. */
  days: DayState[];
  sizeBytes: number | null;
  snapshots: number | null;
  /** When exactly one schedule covers the host. */
  schedule: { nextRunAt: number | null; lastRun: Run | null } | null;
}

export interface HostRowProps {
  host: HostRowData;
  now: number;
  /** Operators and admins. */
  mayRun: boolean;
}

export function HostRow({ host, now, mayRun }: HostRowProps) {
  const mark = `${host.state} ${(host.running?.jobId ?? host.lastBackup?.job_id)?.slice(-6) ?? ""}`;
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
      {host.running
        ? <Running job={host.running} queued={host.queued} />
        : <Quiet host={host} now={now} />}
      <td class="act">
        <Action host={host} mayRun={mayRun} />
      </td>
    </tr>
  );
}

function Action({ host, mayRun }: { host: HostRowData; mayRun: boolean }) {
  if (host.running) {
    return <a class="button slim" href={`/jobs/${host.running.jobId}`}>Open job</a>;
  }
  if (!mayRun || !host.isOnline) return null;
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
      <td class="num desk wide">{host.sizeBytes === null ? "—" : bytes(host.sizeBytes)}</td>
      <td class="num desk wide">
        {host.snapshots === null ? "—" : count(host.snapshots)}
      </td>
      {host.schedule
        ? (
          <td class="when">
            <When {...host.schedule} now={now} />
          </td>
        )
        : <td class="when desk">—</td>}
    </>
  );
}

/** `Next: 03:00` and `Last: 8h ago — succeeded` */
function When({ nextRunAt, lastRun, now }: NonNullable<HostRowData["schedule"]> & { now: number }) {
  return (
    <>
      Next: {nextRunAt === null ? "—" : <At at={nextRunAt} text={upcoming(nextRunAt, now)} />}{" "}
      <br />
      Last: {lastRun
        ? (
          <>
            <Time at={lastRun.at} now={now} /> — {jobWord(lastRun.status, lastRun.warnings)}
          </>
        )
        : "never"}
    </>
  );
}

function LastBackup({ host, now }: { host: HostRowData; now: number }) {
  const last = host.lastBackup;
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
      {!host.isOnline && (
        <span
          class="off"
          title={host.lastSeenAt === null ? undefined : `Last seen ${exact(host.lastSeenAt)}`}
        >
          {" "}· offline
        </span>
      )}
    </>
  );
}

function Running(
  { job, queued }: { job: NonNullable<HostRowData["running"]>; queued: number },
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
