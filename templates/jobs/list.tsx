// Jobs, the newest first: the page of all, and the table that a host's tab shows too.
import { JOB_STATUSES } from "../../shared/job.ts";
import { bytes, duration, middleCut } from "../format.ts";
import { type FrameProps, Layout } from "../layout.tsx";
import { Choice } from "../parts/choice.tsx";
import { Empty } from "../parts/empty.tsx";
import { Name, titleOf } from "../parts/name.tsx";
import { Pager } from "../parts/pager.tsx";
import { jobState, jobWord, StateWord } from "../parts/state.tsx";
import { Time } from "../parts/time.tsx";
import { JobTitle } from "./words.tsx";
import { PAGE_KINDS } from "./kinds/all.ts";
import { JOB_KINDS } from "../../shared/job_kinds/all.ts";
import type { JobRowData } from "./view.ts";

export interface JobFilter {
  host: string;
  kind: string;
  status: string;
}

export interface JobListProps {
  frame: FrameProps;
  jobs: JobRowData[];
  filter: JobFilter;
  /** For the choice; the first few hundred by name. */
  hosts: { id: string; name: string }[];
  /** From the API's cursor; null at the end. */
  nextCursor: string | null;
  isFirstPage: boolean;
}

export function JobListPage(props: JobListProps) {
  const { frame, jobs, filter, nextCursor, isFirstPage } = props;
  const isFiltered = Boolean(filter.host || filter.kind || filter.status);
  return (
    <Layout {...frame} title="Jobs" current="jobs" live={isFirstPage ? "/live/jobs" : undefined}>
      <h1>Jobs</h1>
      <div class="section">
        <Filters {...props} />
        <div id="jobs">
          {jobs.length > 0
            ? <JobTable jobs={jobs} now={frame.now} />
            : isFiltered
            ? (
              <Empty title="No job matches" action={{ href: "/jobs", label: "Show all jobs" }}>
                Choose another host, kind or outcome.
              </Empty>
            )
            : (
              <Empty title="No jobs yet" action={{ href: "/", label: "To the hosts" }}>
                Every backup and every look at a repository is a job, and stays here with its log.
                Run the first one from a host.
              </Empty>
            )}
          <JobPager
            filter={filter}
            nextCursor={nextCursor}
            isFirstPage={isFirstPage}
            base="/jobs"
          />
        </div>
      </div>
    </Layout>
  );
}

export function JobPager(
  { filter, nextCursor, isFirstPage, base }: {
    filter: Partial<JobFilter>;
    nextCursor: string | null;
    isFirstPage: boolean;
    base: string;
  },
) {
  const query = (cursor: string | null) => {
    const all = new URLSearchParams();
    for (const [name, value] of Object.entries(filter)) if (value) all.set(name, value);
    if (cursor) all.set("cursor", cursor);
    return all.size ? `${base}?${all}` : base;
  };
  return (
    <Pager
      previous={isFirstPage ? undefined : query(null)}
      previousLabel="Newest"
      next={nextCursor ? query(nextCursor) : undefined}
      nextLabel="Older"
    />
  );
}

function Filters({ filter, hosts }: JobListProps) {
  return (
    <form
      class="filters"
      action="/jobs"
      hx-get="/jobs"
      hx-target="#jobs"
      hx-select="#jobs"
      hx-swap="outerHTML"
      hx-push-url="true"
      hx-trigger="change, submit"
    >
      <Choice
        name="host"
        label="Host"
        value={filter.host}
        options={[["", "all"], ...hosts.map((host): [string, string] => [host.id, host.name])]}
      />
      <Choice
        name="kind"
        label="Kind"
        value={filter.kind}
        options={[
          ["", "all"],
          ...JOB_KINDS.map((kind): [string, string] => [
            kind,
            PAGE_KINDS[kind].word,
          ]),
        ]}
      />
      <Choice
        name="status"
        label="Outcome"
        value={filter.status}
        options={[
          ["", "all"],
          ...JOB_STATUSES.map((status): [string, string] => [status, status]),
        ]}
      />
      <button type="submit" class="no-scripts">Show</button>
    </form>
  );
}

export function JobTable(
  { jobs, now, isOfHost = false }: { jobs: JobRowData[]; now: number; isOfHost?: boolean },
) {
  return (
    <table class="table fixed fold jobs">
      <thead>
        <tr>
          <th class="j-title" scope="col">Job</th>
          <th class="j-status" scope="col">Outcome</th>
          <th class="j-when" scope="col">When</th>
          <th class="j-took num" scope="col">Took</th>
          <th class="j-added num" scope="col">Added</th>
          <th class="j-actor" scope="col">Started by</th>
        </tr>
      </thead>
      <tbody>
        {jobs.map((job) => <JobRow job={job} now={now} isOfHost={isOfHost} />)}
      </tbody>
    </table>
  );
}

/** A row has room for the beginning and the end of a long name. */
function inShort(job: JobRowData): JobRowData {
  const { host_name, source_group_name } = job;
  return {
    ...job,
    host_name: middleCut(host_name, 60),
    source_group_name: source_group_name && middleCut(source_group_name, 60),
  };
}

/** Live fragment `job-<id>`. */
export function JobRow(
  { job, now, isOfHost = false }: { job: JobRowData; now: number; isOfHost?: boolean },
) {
  return (
    <tr id={`job-${job.id}`} data-mark={job.status}>
      <td class="first">
        <a href={`/jobs/${job.id}`}>
          <JobTitle job={inShort(job)} whole={!isOfHost} />
        </a>
      </td>
      <td title={titleOf(job.reason, 0)}>
        <StateWord
          state={jobState(job.status, job.warnings)}
          word={jobWord(job.status, job.warnings)}
        />
      </td>
      <td class="side">
        <Time at={job.started_at ?? job.created_at} now={now} />
      </td>
      <td class="num side">
        {job.duration_seconds === null ? "—" : duration(job.duration_seconds)}
      </td>
      <td class="num desk">{job.summary === null ? "—" : bytes(job.summary.bytes_added)}</td>
      <td class="muted desk">
        {job.actor.kind === "system" ? "the server" : <Name text={job.actor.name} />}
      </td>
    </tr>
  );
}
