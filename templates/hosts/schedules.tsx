// When a host is backed up, by its own clock.
import { cronInWords } from "../../shared/cron.ts";
import { Empty } from "../parts/empty.tsx";
import type { Schedule } from "../../shared/shapes/schedule.ts";
import { LastRun } from "../parts/last_run.tsx";
import { type RefusedRun, RunOneLimited } from "../parts/limits.tsx";
import { Name } from "../parts/name.tsx";
import { PostButton } from "../parts/csrf.tsx";
import { StateWord } from "../parts/state.tsx";
import { Time } from "../parts/time.tsx";
import { HostFrame, type HostFrameProps } from "./frame.tsx";

type ListedSchedule = Pick<
  Schedule,
  "id" | "cron" | "enabled" | "source_groups" | "next_run_at" | "last_run"
>;

/** What changes while the page is open. */
export interface ScheduleListProps extends Pick<HostFrameProps, "host" | "mayRun"> {
  schedules: ListedSchedule[];
  now: number;
}

export interface SchedulesProps extends HostFrameProps, Omit<ScheduleListProps, "now"> {
  hasGroups: boolean;
  refused?: RefusedRun;
}

export function SchedulesPage(props: SchedulesProps) {
  const { host, schedules, mayRun } = props;
  const add = { href: `/hosts/${host.id}/schedules/new`, label: "Add schedule" };
  return (
    <HostFrame {...props} tab="schedules">
      {schedules.length === 0
        ? (
          <Empty
            title="Nothing runs by itself yet"
            action={!mayRun
              ? undefined
              : props.hasGroups
              ? add
              : { href: `/hosts/${host.id}/sources/new`, label: "Add source group" }}
          >
            {props.hasGroups
              ? "A schedule says when source groups are backed up. The host keeps it with its own clock, also while this server is away."
              : "First say what to back up: a source group. Then a schedule says when."}
          </Empty>
        )
        : (
          <>
            <ScheduleList {...props} now={props.frame.now} />
            {mayRun && host.online && (
              <RunOneLimited
                to={`/hosts/${host.id}/schedules/run`}
                csrf={props.frame.csrf}
                name="schedule_id"
                label="Schedule"
                options={schedules.map(({ id, cron }) => ({ value: id, label: cronInWords(cron) }))}
                button="Run now"
                refused={props.refused}
              />
            )}
          </>
        )}
    </HostFrame>
  );
}

/** Live fragment `schedules`. */
export function ScheduleList(props: ScheduleListProps) {
  const { host, schedules, mayRun } = props;
  /** The agent has not acknowledged the newest plan yet. */
  const isBehind = host.applied_plan_version < host.plan_version;
  return (
    <div id="schedules" data-shifts>
      <div class="head">
        <div>
          <p class="muted">
            By the host's own clock, in the time zone <bdi>{host.time_zone}</bdi>.
          </p>
          {isBehind && (
            <p role="status">
              <StateWord
                state="warn"
                word={host.online
                  ? "The host has not taken over the newest plan yet; it works by the one before."
                  : "The host is offline and works by the plan that it knows. It gets the newest when it is back."}
              />
            </p>
          )}
        </div>
        {mayRun && <a class="button" href={`/hosts/${host.id}/schedules/new`}>Add schedule</a>}
      </div>
      <table class="table fold">
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col">Source groups</th>
            <th scope="col">Next</th>
            <th scope="col">Last</th>
            <th scope="col">
              <span class="off-screen">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>{schedules.map((schedule) => <Row {...props} schedule={schedule} />)}</tbody>
      </table>
    </div>
  );
}

function Row(
  { host, schedule: s, now, mayRun }: ScheduleListProps & { schedule: ListedSchedule },
) {
  const to = `/hosts/${host.id}/schedules/${s.id}`;
  return (
    <tr>
      <td class="first">
        {cronInWords(s.cron)} <code class="muted">{s.cron}</code>
      </td>
      <td>
        {s.source_groups.map((group, index) => (
          <>
            {index > 0 && ", "}
            <Name text={group.name} />
          </>
        ))}
      </td>
      <td data-head="next">
        {!s.enabled
          ? <span class="muted">— (paused)</span>
          : host.on_hold_since !== null
          ? <span class="muted">— (on hold)</span>
          : s.next_run_at === null
          ? "—"
          : <Time at={s.next_run_at} now={now} />}
      </td>
      <td data-head="last">
        <LastRun run={s.last_run} now={now} />
      </td>
      <td class="act">
        {mayRun && (
          <span class="actions">
            {host.online && (
              <PostButton
                to={`/hosts/${host.id}/jobs?schedule_id=${s.id}`}
                label="Run now"
                describe={`Run now: ${cronInWords(s.cron)}`}
              />
            )}
            <PostButton
              to={`${to}/${s.enabled ? "pause" : "resume"}`}
              label={s.enabled ? "Pause" : "Resume"}
              describe={`${s.enabled ? "Pause" : "Resume"}: ${cronInWords(s.cron)}`}
            />
            <a class="button slim" href={to} aria-label={`Change: ${cronInWords(s.cron)}`}>
              Change…
            </a>
          </span>
        )}
      </td>
    </tr>
  );
}
