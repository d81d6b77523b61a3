// Pages while 10⁷ lines are being removed because of their age, and while a host with as many is, beside the same pages before.
import { DatabaseSync } from "node:sqlite";
import { eventually } from "../support/eventually.ts";
import { quiet } from "./sides.ts";
import { medians, prepare, type Stored } from "./stored.ts";
import type { Row } from "./table.ts";

const LINES = 10_000_000;
/** The server looks for old lines once a minute. */
const BEGINS_WITHIN_MS = 90_000;

export async function benchRemoval(): Promise<Row[]> {
  const stored = await prepare({ jobs: 20_000, lines: LINES, longLines: 5000 });
  await using _hosts = stored.hosts;
  await quiet();
  const before = await pages(stored);
  await stored.hosts.server!.end();
  inDatabase(stored, (sqlite) => sqlite.exec("update jobs set received_at = 1"));
  await stored.hosts.start();
  await eventually("the removal has begun", () => countOf(stored) > 0, BEGINS_WITHIN_MS);
  const during = await pages(stored);
  const removed = countOf(stored);
  return ["dashboard", "list of jobs", "job page"].map((name, n) => ({
    measure: `${name} while 10⁷ old lines are removed`,
    limit: "the same page before",
    goal: "≤ 1.3",
    ratio: during[n]! / before[n]!,
    detail: `${during[n]!.toFixed(2)} against ${before[n]!.toFixed(2)} ms; ${removed} jobs done`,
  }));
}

function pages({ hosts, longJob }: Stored): Promise<number[]> {
  return medians(
    () => hosts.page("/"),
    () => hosts.page("/jobs"),
    () => hosts.page(`/jobs/${longJob}`),
  );
}

/** How many jobs have lost their lines. */
function countOf(stored: Stored): number {
  return inDatabase(
    stored,
    (sqlite) =>
      (sqlite.prepare("select count(*) as n from jobs where lines_removed_at is not null")
        .get() as {
          n: number;
        }).n,
  );
}

function inDatabase<T>({ hosts }: Stored, work: (sqlite: DatabaseSync) => T): T {
  const sqlite = new DatabaseSync(hosts.database);
  try {
    return work(sqlite);
  } finally {
    sqlite.close();
  }
}
