// What stands above every tab of a host: name, state, tags, the vitals, the tabs.
import type { Child } from "hono/jsx";
import { messagesOf } from "../../shared/problem_words.ts";
import type { Problem } from "../../shared/problems.ts";
import { visible } from "../../shared/redact.ts";
import { inASentence, middleCut } from "../format.ts";
import { type FrameProps, Layout } from "../layout.tsx";
import { PostButton } from "../parts/csrf.tsx";
import { Name, Tags, titleOf } from "../parts/name.tsx";
import { Dot, jobState, jobWord, type State, StatePill, StateWord } from "../parts/state.tsx";
import { type DayState, Strip } from "../parts/strip.tsx";
import { Tabs } from "../parts/tabs.tsx";
import { Time } from "../parts/time.tsx";
import { AgentProblems } from "./agent_problems.tsx";
import type { HostProblem } from "../../shared/shapes/host.ts";
import type { LastRun } from "../../shared/shapes/last_run.ts";
import { brakesInShort } from "./brakes.tsx";
import type { Brakes } from "../../shared/protocol.ts";

export type HostTab = "snapshots" | "sources" | "schedules" | "repository" | "jobs" | "settings";

export interface HostView {
  id: string;
  name: string;
  state: State;
  /** One or two words: "backed up", "needs you", "running" … */
  stateWord: string;
  /** What is wrong, the worst first. */
  problems: Problem[];
  tags: string[];
  os: string;
  arch: string;
  /** What the machine calls itself. */
  hostname: string;
  /** What about that name deceives eyes. */
  hostnameWarning: string | null;
  /** As its agent reports them; null: the machine's owner allows everything. */
  brakes: Brakes | null;
  isOnline: boolean;
  lastSeenAt: number | null;
  lastBackup: LastRun | null;
  running: { jobId: string; title: string } | null;
  nextRunAt: number | null;
  /** A reinstalled machine has it, and nobody has said that its data is restored. */
  isOnHold: boolean;
  /** Two machines use its identity. */
  isDoubted: boolean;
  /** A source group says what to back up; without one nothing can run. */
  hasPaths: boolean;
  repository: HostRepository;
  agentVersion: string;
  resticVersion: string | null;
  /** Why there is no usable restic. */
  resticProblem: string | null;
  /** What its agent says is wrong with itself. */
  agentProblems: Pick<HostProblem, "text" | "received_at">[];
  /** Some of that only happened, and goes when a person has seen it. */
  mayDismissProblems: boolean;
  days: DayState[];
}

export interface HostRepository {
  id: string;
  name: string;
  /** `waiting`: nothing was tried yet, for example because the host never connected. */
  state: "ready" | "opening" | "failed" | "waiting";
  readyAt: number | null;
  /** The job that last tried. */
  jobId: string | null;
  reason: string | null;
}

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
          {host.isDoubted && mayRun && (
            <a class="button primary" href={`/hosts/${host.id}/settings#machines`}>
              Which is right?
            </a>
          )}
          {host.isOnHold && mayRun && (
            <PostButton to={`/hosts/${host.id}/resume`} label="Restored, go on" kind="primary" />
          )}
          {host.running
            ? <a class="button" href={`/jobs/${host.running.jobId}`}>Open running job</a>
            : mayRun && !host.hasPaths
            ? <a class="button primary" href={`/hosts/${host.id}/sources`}>Say what to back up</a>
            : mayRun && host.isOnline && !host.isDoubted && (
              <PostButton
                to={`/hosts/${host.id}/jobs`}
                name="kind"
                value="backup"
                label="Run all now"
                kind={host.isOnHold ? undefined : "primary"}
              />
            )}
        </div>
      </div>
      <AgentProblems
        hostId={host.id}
        problems={host.agentProblems}
        mayDismiss={mayRun && host.mayDismissProblems}
      />
    </div>
  );
}

/** Live fragment `vitals`. */
export function Vitals({ host, now, mayRun }: { host: HostView; now: number; mayRun: boolean }) {
  return (
    <dl
      class="vitals"
      id="vitals"
      data-mark={`${host.lastBackup?.job_id} ${host.isOnline} ${host.repository.state} ${host.isOnHold} ${host.isDoubted}`}
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
          {host.isOnHold
            ? "on hold"
            : host.nextRunAt === null
            ? "—"
            : <Time at={host.nextRunAt} now={now} />}
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
  const last = host.lastBackup;
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
  const { repository } = host;
  const job = repository.jobId && <a href={`/jobs/${repository.jobId}`}>job</a>;
  switch (repository.state) {
    case "ready":
      return (
        <>
          <StateWord state="ok" word="repo ready" />{" "}
          {repository.readyAt !== null && (
            <span class="muted">
              · initialised <Time at={repository.readyAt} now={now} />
            </span>
          )}
        </>
      );
    case "opening":
      return (
        <>
          <StateWord state="run" word="being opened" /> {job && <>· {job}</>}
        </>
      );
    case "waiting":
      return <StateWord state="off" word="waits for the host" />;
    case "failed":
      return (
        <span title={titleOf(repository.reason, 0)}>
          <StateWord state="warn" word="init failed" /> {job && <>· {job}</>}{" "}
          {mayRun && host.isOnline && (
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
      return repository.state satisfies never;
  }
}

function Agent({ host, now }: { host: HostView; now: number }) {
  return (
    <>
      <div>
        {host.isOnline
          ? <StateWord state="ok" word="online" />
          : <StateWord state="off" word="offline" />}{" "}
        {!host.isOnline && host.lastSeenAt !== null && (
          <span class="muted">
            last seen <Time at={host.lastSeenAt} now={now} />
          </span>
        )}
        {!host.isOnline && host.lastSeenAt === null && <span class="muted">never connected</span>}
      </div>
      <div class="muted small">
        agent {visible(host.agentVersion)}, {host.resticVersion
          ? `restic ${visible(host.resticVersion)}`
          : (
            <span class="warn" title={titleOf(host.resticProblem, 0)}>
              no restic
            </span>
          )}, {visible(host.os)} {visible(host.arch)}
      </div>
      {host.brakes && <div class="small">{brakesInShort(host.brakes)}</div>}
      {host.hostnameWarning !== null && <StrangeName host={host} />}
    </>
  );
}

/** What a machine calls itself goes no further than this page, but a person reads it. */
function StrangeName({ host }: { host: HostView }) {
  return (
    <div class="small warn">
      calls itself <Name text={middleCut(host.hostname, 48)} />: a name{" "}
      {visible(middleCut(host.hostnameWarning ?? "", 160))}
    </div>
  );
}
