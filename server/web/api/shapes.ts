// How things look in the JSON API: times as ISO 8601 UTC, problems in words and as data, internal fields left out.
import type { z } from "zod";
import { messageOf, messagesOf } from "../../../shared/problem_words.ts";
import type { Problem } from "../../../shared/problems.ts";
import type { FleetSummary as FleetShape, Host as HostShape } from "../../../shared/shapes/host.ts";
import type {
  Job as JobShape,
  JobLine,
  StartedJob,
  StoredLine,
} from "../../../shared/shapes/job.ts";
import type { MaintenanceTask as TaskShape } from "../../../shared/shapes/maintenance.ts";
import type { ShownProblem } from "../../../shared/shapes/problem.ts";
import type { FleetSummary } from "../../hosts/fleet.ts";
import type { Host } from "../../hosts/find.ts";
import type { Job } from "../../jobs/find.ts";
import type { MaintenanceTask } from "../../maintenance/find.ts";
import type { Ctx } from "../context.ts";

const TIME_NAMES = [
  "at",
  "time",
  "mtime",
  "boot_time",
  "on_hold_since",
  "doubted_since",
  "waits_since",
] as const;
type TimeName = typeof TIME_NAMES[number] | `${string}_at`;

/** What withIsoTimes() makes of a value that is under the name. */
export type IsoTimes<T, Name = ""> = T extends number ? Name extends TimeName ? string : number
  : T extends object ? { [K in keyof T]: IsoTimes<T[K], K extends number ? Name : K> }
  : T;

/** Turns every number whose name says that it is a time into ISO 8601. */
export function withIsoTimes<T>(value: T): IsoTimes<T> {
  return isoTimes(value, "") as IsoTimes<T>;
}

function isoTimes(value: unknown, name: string): unknown {
  if (typeof value === "number" && isTimeName(name)) return new Date(value).toISOString();
  if (Array.isArray(value)) return value.map((each) => isoTimes(each, name));
  if (value !== null && typeof value === "object") {
    return Object.fromEntries(
      Object.entries(value).map(([key, each]) => [key, isoTimes(each, key)]),
    );
  }
  return value;
}

function isTimeName(name: string): boolean {
  return TIME_NAMES.some((each) => each === name) || name.endsWith("_at");
}

/** `problems` as texts, those that belong together in one; `problem_details` one by one, to decide by. */
function problemsShape(problems: Problem[]) {
  return { problems: messagesOf(problems), problem_details: problems.map(problemShape) };
}

export function problemShape(problem: Problem): z.input<typeof ShownProblem> {
  const { code, severity, since, params } = problem;
  const message = messageOf(problem);
  const shown = { code, severity, since: new Date(since).toISOString(), message };
  return { ...shown, params: withIsoTimes(params) };
}

export function fleetShape({ worst, ...summary }: FleetSummary): z.input<typeof FleetShape> {
  return {
    ...withIsoTimes(summary),
    worst: worst.map((host) => ({ ...host, ...problemsShape(host.problems) })),
  };
}

export function taskShape({ off_because, ...task }: MaintenanceTask): z.input<typeof TaskShape> {
  return {
    ...withIsoTimes(task),
    off_because: off_because && messageOf(off_because),
    off_problem: off_because && problemShape(off_because),
  };
}

export function hostShape(host: Host): z.input<typeof HostShape> {
  const { urgency: _, running, problems, ...shown } = host;
  return {
    ...withIsoTimes(shown),
    ...problemsShape(problems),
    running: running.map(({ progress, ...job }) => ({
      ...withIsoTimes(job),
      percent: progress?.percent ?? null,
    })),
  };
}

export function jobShape(job: Job): z.input<typeof JobShape> {
  const { number: _, host_online: __, ...shown } = job;
  return withIsoTimes(shown);
}

export function lineShape({ line, at, stream, text }: StoredLine): z.input<typeof JobLine> {
  return { n: line, at: new Date(at).toISOString(), stream, text };
}

/** A job that was started, and its page. */
export function startedShape(c: Ctx, id: string): StartedJob {
  return { job_id: id, job_url: `${c.get("baseUrl")}/jobs/${id}` };
}
