// What is backed up: the source groups of a host, in words, each with its own Run now.
import type { JobStatus } from "../../shared/job.ts";
import { inWords, type Retention } from "../../shared/retention.ts";
import { visible } from "../../shared/redact.ts";
import { duration, plural } from "../format.ts";
import { Csrf } from "../parts/csrf.tsx";
import { Empty } from "../parts/empty.tsx";
import { inPlace } from "../parts/field.tsx";
import { Name } from "../parts/name.tsx";
import { jobState, jobWord, StateWord } from "../parts/state.tsx";
import { Time } from "../parts/time.tsx";
import { HostFrame, type HostFrameProps } from "./frame.tsx";

export interface SourceGroupView {
  id: string;
  name: string;
  includes: string[];
  excludes: string[];
  retention: Retention;
  retryMax: number;
  retryBackoffSeconds: number;
  lastRun: { jobId: string; at: number; status: JobStatus; warnings: number } | null;
}

export interface SourcesProps extends HostFrameProps {
  groups: SourceGroupView[];
  /** A Run now that was refused because of what was typed: shown in its group. */
  refused?: {
    groupId: string;
    /** bandwidth_up_kbps or bandwidth_down_kbps. */
    field: string;
    message: string;
    upload: string;
    download: string;
  };
}

export function SourcesPage(props: SourcesProps) {
  const { host, groups, mayRun } = props;
  return (
    <HostFrame {...props} tab="sources">
      {groups.length === 0
        ? (
          <Empty
            title="Nothing is backed up yet"
            action={mayRun
              ? { href: `/hosts/${host.id}/sources/new`, label: "Add source group" }
              : undefined}
          >
            A source group says what to save, what to leave out and how long to keep it. Its name is
            the tag of its snapshots.
          </Empty>
        )
        : (
          <>
            <div class="head">
              <p class="muted">
                {plural(groups.length, "source group")}. Each makes snapshots of its own.
              </p>
              {mayRun && (
                <a class="button" href={`/hosts/${host.id}/sources/new`}>Add source group</a>
              )}
            </div>
            {groups.map((group) => <Group {...props} group={group} />)}
          </>
        )}
    </HostFrame>
  );
}

function Group(props: SourcesProps & { group: SourceGroupView }) {
  const { host, group, mayRun, frame } = props;
  return (
    <section class="group" id={`group-${group.id}`}>
      <div class="head">
        <h2>
          <Name text={group.name} />
        </h2>
        {mayRun && <a class="button" href={`/hosts/${host.id}/sources/${group.id}`}>Change…</a>}
      </div>
      <dl class="facts">
        <dt>Saves</dt>
        <dd>
          <Paths paths={group.includes} none="nothing yet: it cannot run" />
        </dd>
        <dt>Leaves out</dt>
        <dd>
          <Paths paths={group.excludes} none="nothing" />
        </dd>
        <dt>Retention</dt>
        <dd>{inWords(group.retention)}</dd>
        <dt>When it fails</dt>
        <dd>
          {group.retryMax === 0
            ? "no second attempt"
            : `tries again up to ${plural(group.retryMax, "time")}, first after ${
              duration(group.retryBackoffSeconds)
            }`}
        </dd>
        <dt>Last run</dt>
        <dd>
          {group.lastRun
            ? (
              <>
                <StateWord
                  state={jobState(group.lastRun.status, group.lastRun.warnings)}
                  word={jobWord(group.lastRun.status, group.lastRun.warnings)}
                />{" "}
                <a href={`/jobs/${group.lastRun.jobId}`}>
                  <Time at={group.lastRun.at} now={frame.now} />
                </a>
              </>
            )
            : <span class="muted">never</span>}
        </dd>
      </dl>
      {mayRun && <RunForm {...props} />}
    </section>
  );
}

function Paths({ paths, none }: { paths: string[]; none: string }) {
  if (paths.length === 0) return <span class="muted">{none}</span>;
  const shown = paths.slice(0, 8);
  return (
    <ul class="paths">
      {shown.map((path) => (
        <li>
          <bdi>{visible(path)}</bdi>
        </li>
      ))}
      {paths.length > shown.length && <li>and {paths.length - shown.length} more</li>}
    </ul>
  );
}

function RunForm({ host, group, frame, refused }: SourcesProps & { group: SourceGroupView }) {
  const mine = refused?.groupId === group.id ? refused : undefined;
  const id = (name: string) => `${name}-${group.id}`;
  return (
    <form method="post" action={`/hosts/${host.id}/jobs`} class="limit">
      <Csrf token={frame.csrf} />
      <input type="hidden" name="kind" value="backup" />
      <input type="hidden" name="source_group_id" value={group.id} />
      <div class="actions">
        <button type="submit" disabled={!host.isOnline || group.includes.length === 0}>
          Run now
        </button>
        {!host.isOnline && <span class="muted small">The host is offline.</span>}
      </div>
      {host.isOnline && (
        <details class="unfold" open={Boolean(mine)}>
          <summary class="small">Limit bandwidth for this run</summary>
          <div class="nested">
            <div class="row">
              <div class="field">
                <label for={id("up")}>Up, KiB/s</label>
                <input
                  id={id("up")}
                  name="bandwidth_up_kbps"
                  inputmode="numeric"
                  value={mine?.upload ?? ""}
                  aria-describedby={id("limits")}
                  aria-invalid={mine?.field === "bandwidth_up_kbps" ? "true" : undefined}
                />
              </div>
              <div class="field">
                <label for={id("down")}>Down, KiB/s</label>
                <input
                  id={id("down")}
                  name="bandwidth_down_kbps"
                  inputmode="numeric"
                  value={mine?.download ?? ""}
                  aria-describedby={id("limits")}
                  aria-invalid={mine?.field === "bandwidth_down_kbps" ? "true" : undefined}
                />
              </div>
            </div>
            <div id={id("limits")}>
              {mine && <p class="error">{inPlace(mine.message, mine.field)}</p>}
              <p class="help">Blank: as the host is set. 0: no limit.</p>
            </div>
          </div>
        </details>
      )}
    </form>
  );
}
