// Pages with a long history behind them: the dashboard, the list of jobs, and a job of 100,000 lines at its end and in its
// middle, with 10⁵ jobs and 10⁷ lines stored, beside the same pages with 10² jobs and 10⁴ lines.
import { statfsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { ManyHosts } from "./many_hosts.ts";
import { quiet } from "./sides.ts";
import { percentile, type Row } from "./table.ts";

const HOSTS = 50;
const REQUESTS = 100;
const ROOM_NEEDED = 4e9;
const TEXT = "processed /home/alice/photographs/2024/summer/IMG_20240717_113205.jpg, 3.4 MiB ok";

export interface Stored {
  hosts: ManyHosts;
  /** The job with the most lines, which is the newest. */
  longJob: string;
  longLines: number;
}

let much: Stored | undefined;
let little: Stored | undefined;

export async function benchStored(): Promise<Row[]> {
  little ??= await prepare({ jobs: 100, lines: 10_000, longLines: 5000 });
  much ??= await prepare({ jobs: 100_000, lines: 10_000_000, longLines: 100_000 });
  await quiet();
  const pages: [string, (stored: Stored) => string][] = [
    ["dashboard", () => "/"],
    ["list of jobs", () => "/jobs"],
    ["job page, newest lines", ({ longJob }) => `/jobs/${longJob}`],
    [
      "job page, lines from the middle",
      ({ longJob, longLines }) => `/jobs/${longJob}?before=${longLines / 2}`,
    ],
  ];
  const rows: Row[] = [];
  for (const [name, path] of pages) {
    const [many, few] = await medians(
      () => much!.hosts.page(path(much!)),
      () => little!.hosts.page(path(little!)),
    ) as [number, number];
    rows.push({
      measure: `${name} with 10⁵ jobs and 10⁷ lines stored`,
      limit: "the same page with 10² jobs and 10⁴ lines",
      goal: "≤ 1.3",
      ratio: many / few,
      detail: `${many.toFixed(2)} against ${few.toFixed(2)} ms`,
    });
  }
  return [...rows, await startOf(much)];
}

export async function endStored(): Promise<void> {
  await much?.hosts[Symbol.asyncDispose]();
  await little?.hosts[Symbol.asyncDispose]();
}

/** By turns, so that what disturbs one disturbs the other. */
export async function medians(...asks: (() => Promise<number>)[]): Promise<number[]> {
  const times = asks.map(() => [] as number[]);
  for (let n = 0; n < REQUESTS; n++) {
    for (const [index, ask] of asks.entries()) times[index]!.push(await ask());
  }
  return times.map((each) => percentile(each, 0.5));
}

async function startOf({ hosts }: Stored): Promise<Row> {
  await hosts.server!.end();
  const began = performance.now();
  await hosts.start();
  return {
    measure: "start of the server with 10⁷ lines stored",
    limit: "–",
    goal: "–",
    ratio: (performance.now() - began) / 1000,
    unit: "s",
    detail: `a database of ${(Deno.statSync(hosts.database).size / 1e9).toFixed(1)} GB`,
  };
}

export async function prepare(
  input: { jobs: number; lines: number; longLines: number },
): Promise<Stored> {
  const { jobs, lines, longLines } = input;
  const hosts = await ManyHosts.prepare(HOSTS);
  const { bavail, bsize } = statfsSync(hosts.folder);
  if (bavail * bsize < ROOM_NEEDED) throw new Error(`${hosts.folder} has too little room`);
  const longJob = fill(hosts, jobs, { perJob: Math.floor((lines - longLines) / jobs), longLines });
  await hosts.start();
  return { hosts, longJob, longLines };
}

/** Copies the last job of each host until there are so many; all but the newest have a few lines. */
function fill(
  { database }: ManyHosts,
  jobs: number,
  { perJob, longLines }: { perJob: number; longLines: number },
): string {
  const sqlite = new DatabaseSync(database);
  try {
    // Nobody else looks, and what is lost is made again.
    sqlite.exec("pragma journal_mode = off; pragma synchronous = off; pragma cache_size = -262144");
    const names = sqlite.prepare("select * from jobs").columns().map(({ name }) => name)
      .filter((name) => name !== "number" && name !== "id");
    const missing = jobs - HOSTS;
    const count = "with recursive c(n) as (select 1 union all select n + 1 from c where n < ?)";
    sqlite.prepare(`insert into jobs (id, ${names.join(", ")}) ${count}
      select lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2)
        || '-8' || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6))), ${names.join(", ")}
      from c join jobs on jobs.number = 1 + c.n % ${HOSTS}`).run(missing);
    sqlite.prepare(`insert into job_lines (job_number, n, at, stream, text) ${count}
      select jobs.number, c.n, jobs.created_at, 0, ? from jobs cross join c where jobs.number < ?`)
      .run(perJob, TEXT, jobs);
    sqlite.prepare(`insert into job_lines (job_number, n, at, stream, text) ${count}
      select ?, c.n, 0, 0, ? from c`).run(longLines, jobs, TEXT);
    const row = sqlite.prepare("select id from jobs where number = ?").get(jobs) as { id: string };
    return row.id;
  } finally {
    sqlite.close();
  }
}
