// What stands above every tab of a host: name, state, tags, the vitals, the tabs.
import type { Child } from "hono/jsx";
import { messagesOf } from "../../shared/problem_words.ts";
import type { Problem } from "../../shared/problems.ts";
import { visible } from "../../shared/redact.ts";
import { inASentence, middleCut } from "../format.ts";
import { type FrameProps, Layout } from "../layout.tsx";
import { PostButton } from "../parts/csrf.tsx";
import { Name, Tags, titleOf } from "../parts/name.tsx";
import { Dot, jobState, jobWord, StatePill, StateWord } from "../parts/state.tsx";
import { type DayState, Strip } from "../parts/strip.tsx";
import { Tabs } from "../parts/tabs.tsx";
import { Time } from "../parts/time.tsx";
import { AgentProblems } from "./agent_problems.tsx";
import type { Host, HostProblem } from "../../shared/shapes/host.ts";
import type { LastRun } from "../../shared/shapes/last_run.ts";
import { brakesInShort } from "./brakes.tsx";

export type HostTab = "snapshots" | "sources" | "schedules" | "repository" | "jobs" | "settings";

/** What every page of a host may show of it, and what is worked out for these pages. */
export type HostView =
  & Pick<
    Host,
    | "id"
    | "name"
    | "state"
    | "tags"
    | "os"
    | "arch"
    | "hostname"
    | "hostname_warning"
    | "brakes"
    | "online"
    | "last_seen_at"
    | "next_run_at"
    | "on_hold_since"
    | "doubted_since"
    | "time_zone"
    | "plan_version"
    | "applied_plan_version"
    | "repository_id"
    | "repository_name"
    | "snapshot_host"
    | "repository_state"
    | "repository_ready_at"
    | "repository_job_id"
    | "snapshots_count"
    | "snapshots_cut"
    | "agent_version"
    | "restic_version"
    | "restic_problem"
  >
  & {
    last_backup: LastRun | null;
    /** What is wrong, the worst first. */
    problems: Problem[];
    agent_problems: Pick<HostProblem, "text" | "received_at">[];
    /** One or two words: "backed up", "needs you", "running" … */
    stateWord: string;
    /** What runs, as far as is known. */
    runningJobId: string | null;
    /** A source group says what to back up; without one nothing can run. */
    hasPaths: boolean;
    /** Why the job that last tried the repository ended as it did. */
    repositoryReason: string | null;
    /** Some of what its agent reports only happened, and goes when a person has seen it. */
    mayDismissProblems: boolean;
    days: DayState[];
  };

export interface HostFrameProps {
  frame: FrameProps;
  host: HostView;
  /** Operators and admins. */
  mayRun: boolean;
}

const TABS: [HostTab, string, string][] = [
  ["snapshots", "Snapshots", ""],
  ["sources", "Sources", "/sources"],
  ["schedules", "Schedules", "/schedules"],
  ["repository", "Repository", "/repository"],
  ["jobs", "Jobs", "/jobs"],
  ["settings", "Settings", "/settings"],
];

export function HostFrame(
  props: HostFrameProps & { tab: HostTab; children?: Child },
) {
  const { frame, host, mayRun, tab } = props;
  return (
    <Layout {...frame} title={host.name} current="hosts" live={`/live/hosts/${host.id}?tab=${tab}`}>
      <p class="crumbs">
        <a href="/">Hosts</a>
      </p>
      <HostHead host={host} mayRun={mayRun} />
      <Vitals host={host} now={frame.now} mayRun={mayRun} />
      <Tabs
        label="Host"
        tabs={TABS.filter(([id]) =>
          mayRun || id === "snapshots" || id === "jobs"
        ).map(([id, label, path]) => ({
          href: `/hosts/${host.id}${path}`,
          label,
          isCurrent: id === tab,
        }))}
      />
      {props.children}
    </Layout>
  );
}

/** Live fragment `host-head`. */
export function HostHead({ host, mayRun }: { host: HostView; mayRun: boolean }) {
  const [isOnHold, isDoubted] = [host.on_hold_since !== null, host.doubted_since !== null];
  return (
    <div id="host-head">
      <div class="head">
        <div>
          <h1>
            <Name text={host.name} />
          </h1>
          {host.problems.length > 0 && (
            <p class="lead">
              <Name text={inASentence(messagesOf(host.problems))} />
            </p>
          )}
          {host.tags.length > 0 && (
            <div class="tags">
              <Tags tags={host.tags} link={(tag) => `/?tag=${encodeURIComponent(tag)}`} />
            </div>
          )}
        </div>
        <div class="actions">
          <StatePill state={host.state} word={host.stateWord} />
          {isDoubted && mayRun && (
            <a class="button primary" href={`/hosts/${host.id}/settings#machines`}>
              Which is right?
            </a>
          )}
          {isOnHold && mayRun && (
            <PostButton to={`/hosts/${host.id}/resume`} label="Restored, go on" kind="primary" />
          )}
          {host.runningJobId !== null
            ? <a class="button" href={`/jobs/${host.runningJobId}`}>Open running job</a>
            : mayRun && !host.hasPaths
            ? <a class="button primary" href={`/hosts/${host.id}/sources`}>Say what to back up</a>
            : mayRun && host.online && !isDoubted && (
              <PostButton
                to={`/hosts/${host.id}/jobs`}
                name="kind"
                value="backup"
                label="Run all now"
                kind={isOnHold ? undefined : "primary"}
              />
            )}
        </div>
      </div>
      <AgentProblems
        hostId={host.id}
        problems={host.agent_problems}
        mayDismiss={mayRun && host.mayDismissProblems}
      />
    </div>
  );
}

/** Live fragment `vitals`. */
export function Vitals({ host, now, mayRun }: { host: HostView; now: number; mayRun: boolean }) {
  const [isOnHold, isDoubted] = [host.on_hold_since !== null, host.doubted_since !== null];
  return (
    <dl
      class="vitals"
      id="vitals"
      data-mark={`${host.last_backup?.job_id} ${host.online} ${host.repository_state} ${isOnHold} ${isDoubted}`}
    >
      <div>
        <dt>Last backup</dt>
        <dd>
          <LastBackup host={host} now={now} />
        </dd>
      </div>
      <div>
        <dt>Last 30 days</dt>
        <dd>
          <Strip days={host.days} now={now} />
        </dd>
      </div>
      <div>
        <dt>Next run</dt>
        <dd>
          {isOnHold
            ? "on hold"
            : host.next_run_at === null
            ? "—"
            : <Time at={host.next_run_at} now={now} />}
        </dd>
      </div>
      <div>
        <dt>Repository</dt>
        <dd>
          <RepositoryLine host={host} now={now} mayRun={mayRun} />
        </dd>
      </div>
      <div>
        <dt>Agent</dt>
        <dd>
          <Agent host={host} now={now} />
        </dd>
      </div>
    </dl>
  );
}

function LastBackup({ host, now }: { host: HostView; now: number }) {
  const last = host.last_backup;
  if (!last) return <span class="muted">none yet</span>;
  return (
    <>
      <span class={`state ${jobState(last.status, last.warnings)}`}>
        <Dot state={jobState(last.status, last.warnings)} />
        <a href={`/jobs/${last.job_id}`}>{jobWord(last.status, last.warnings)}</a>
      </span>{" "}
      <span class="muted">
        <Time at={last.at} now={now} />
      </span>
    </>
  );
}

/** `repo ready · initialised 3d ago`, or amber `init failed · job … · retry`. */
export function RepositoryLine(
  { host, now, mayRun }: { host: HostView; now: number; mayRun: boolean },
) {
  const { repository_ready_at: readyAt, repository_job_id: jobId } = host;
  const job = jobId && <a href={`/jobs/${jobId}`}>job</a>;
  switch (host.repository_state) {
    case "ready":
      return (
        <>
          <StateWord state="ok" word="repo ready" /> {readyAt !== null && (
            <span class="muted">
              · initialised <Time at={readyAt} now={now} />
            </span>
          )}
        </>
      );
    case "working":
      return (
        <>
          <StateWord state="run" word="being opened" /> {job && <>· {job}</>}
        </>
      );
    case "none":
      return <StateWord state="off" word="waits for the host" />;
    case "failed":
      return (
        <span title={titleOf(host.repositoryReason, 0)}>
          <StateWord state="warn" word="init failed" /> {job && <>· {job}</>}{" "}
          {mayRun && host.online && (
            <>
              ·{" "}
              <PostButton
                to={`/hosts/${host.id}/jobs`}
                name="kind"
                value="init"
                label="retry"
                kind="as-link"
              />
            </>
          )}
        </span>
      );
    default:
      return host.repository_state satisfies never;
  }
}

function Agent({ host, now }: { host: HostView; now: number }) {
  return (
    <>
      <div>
        {host.online
          ? <StateWord state="ok" word="online" />
          : <StateWord state="off" word="offline" />}{" "}
        {!host.online && host.last_seen_at !== null && (
          <span class="muted">
            last seen <Time at={host.last_seen_at} now={now} />
          </span>
        )}
        {!host.online && host.last_seen_at === null && <span class="muted">never connected</span>}
      </div>
      <div class="muted small">
        agent {visible(host.agent_version)}, {host.restic_version
          ? `restic ${visible(host.restic_version)}`
          : (
            <span class="warn" title={titleOf(host.restic_problem, 0)}>
              no restic
            </span>
          )}, {visible(host.os)} {visible(host.arch)}
      </div>
      {host.brakes && <div class="small">{brakesInShort(host.brakes)}</div>}
      {host.hostname_warning !== null && <StrangeName host={host} />}
    </>
  );
}

/** What a machine calls itself goes no further than this page, but a person reads it. */
function StrangeName({ host }: { host: HostView }) {
  return (
    <div class="small warn">
      calls itself <Name text={middleCut(host.hostname, 48)} />: a name{" "}
      {visible(middleCut(host.hostname_warning ?? "", 160))}
    </div>
  );
}
