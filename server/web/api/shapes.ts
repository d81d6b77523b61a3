// How things look in the JSON API: times as ISO 8601 UTC, internal fields left out.
import { messageOf, messagesOf } from "../../../shared/problem_words.ts";
import type { Problem } from "../../../shared/problems.ts";
import type { FleetSummary } from "../../hosts/fleet.ts";
import type { MaintenanceTask } from "../../maintenance/find.ts";
import type { Job } from "../../jobs/find.ts";
import type { Host } from "../../hosts/find.ts";
import type { StoredLine } from "../../jobs/stored_line.ts";

/** Turns every number whose name says that it is a time into ISO 8601. */
export function withIsoTimes(value: unknown, key = ""): unknown {
  if (typeof value === "number" && isTimeName(key)) return new Date(value).toISOString();
  if (Array.isArray(value)) return value.map((each) => withIsoTimes(each, key));
  if (value !== null && typeof value === "object") {
    return Object.fromEntries(
      Object.entries(value).map(([name, each]) => [name, withIsoTimes(each, name)]),
    );
  }
  return value;
}

export function isTimeName(name: string): boolean {
  return ["at", "time", "boot_time", "on_hold_since", "doubted_since", "waits_since"].includes(
    name,
  ) || name.endsWith("_at");
}

/** `problems` as texts, those that belong together in one; `problem_details` one by one, to decide by. */
function problemsShape(problems: Problem[]) {
  return { problems: messagesOf(problems), problem_details: problems.map(problemShape) };
}

export function problemShape(problem: Problem) {
  const { code, severity, since, params } = problem;
  const message = messageOf(problem);
  return {
    code,
    severity,
    since: new Date(since).toISOString(),
    message,
    params: withIsoTimes(params),
  };
}

export function fleetShape({ worst, ...summary }: FleetSummary): unknown {
  return withIsoTimes({
    ...summary,
    worst: worst.map((host) => ({ ...host, ...problemsShape(host.problems) })),
  });
}

export function taskShape({ off_because, ...task }: MaintenanceTask): unknown {
  return withIsoTimes({
    ...task,
    off_because: off_because && messageOf(off_because),
    off_problem: off_because && problemShape(off_because),
  });
}

export function hostShape(host: Host): unknown {
  const { urgency: _, running, ...shown } = host;
  return withIsoTimes({
    ...shown,
    ...problemsShape(host.problems),
    running: running.map(({ progress, ...job }) => ({
      ...job,
      percent: progress?.percent ?? null,
    })),
  });
}

export function jobShape(job: Job): unknown {
  const { number: _, host_online: __, ...shown } = job;
  return withIsoTimes(shown);
}

export function lineShape(line: StoredLine): unknown {
  return {
    n: line.line,
    at: new Date(line.at).toISOString(),
    stream: line.stream,
    text: line.text,
  };
}
