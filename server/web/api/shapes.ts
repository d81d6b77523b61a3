// How things look in the JSON API: times as ISO 8601 UTC, internal fields left out.
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

function isTimeName(name: string): boolean {
  return ["at", "time", "boot_time", "on_hold_since", "doubted_since", "waits_since"].includes(
    name,
  ) || name.endsWith("_at");
}

export function hostShape(host: Host): unknown {
  const { urgency: _, running, ...shown } = host;
  return withIsoTimes({
    ...shown,
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
  return { n: line.n, at: new Date(line.at).toISOString(), stream: line.stream, text: line.text };
}
