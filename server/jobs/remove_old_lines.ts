// Lines of jobs go when they are old, those of jobs that failed later. The age counts from when the server first knew of the
// job, not from what its agent says. The date up to which they go advances by at most a day an hour, so that a clock which
// was set wrongly for a while costs days of logs and not all of them.
import type { JobStatus } from "../../shared/job.ts";
import { removeLines } from "../hosts/clean_up.ts";
import { ROWS_PER_STEP, stepwise } from "../quotas/stepwise.ts";
import type { Server } from "../server.ts";

const DAY = 86_400_000;
const HOUR = 3_600_000;

type Outcome = "succeeded" | "failed";

/** Run every minute. */
export async function removeOldLines(server: Server): Promise<void> {
  for (const outcome of ["succeeded", "failed"] as const) {
    const until = await dueUntil(server, outcome);
    if (!await stepwise(server, (sqlite) => removeSome(sqlite, outcome, until, server.now()))) {
      return;
    }
  }
}

/** Jobs that were received before this are due. */
async function dueUntil(server: Server, outcome: Outcome): Promise<number> {
  const { keepLinesDays, keepLinesOfFailedDays } = server.settings.quotas;
  const days = outcome === "succeeded" ? keepLinesDays : keepLinesOfFailedDays;
  const wanted = server.now() - days * DAY;
  const row = await server.db.selectFrom("line_ages").select("removed_until")
    .where("outcome", "=", outcome).executeTakeFirst();
  const removed_until = row
    ? Math.min(wanted, row.removed_until + advanceOf(server, outcome))
    : wanted;
  if (removed_until === row?.removed_until) return removed_until;
  await server.db.insertInto("line_ages").values({ outcome, removed_until })
    .onConflict((conflict) => conflict.column("outcome").doUpdateSet({ removed_until })).execute();
  return removed_until;
}

/** Since when this run of the server has let the date advance, by the clock that does not jump. */
const advanced = new WeakMap<Server, Map<Outcome, number>>();

function advanceOf(server: Server, outcome: Outcome): number {
  const at = advanced.get(server) ?? new Map<Outcome, number>();
  advanced.set(server, at);
  const now = server.elapsed();
  const passed = Math.min(HOUR, now - (at.get(outcome) ?? now));
  at.set(outcome, now);
  return passed / HOUR * DAY;
}

/** What a job costs beside its lines. */
const JOB_COST = 20;

/** One step: the lines of many small jobs, or some of a large one. Returns false when nothing is due. */
function removeSome(
  sqlite: Server["database"]["sqlite"],
  outcome: Outcome,
  until: number,
  now: number,
): boolean {
  let left = ROWS_PER_STEP;
  while (left > 0) {
    const number = dueJob(sqlite, outcome, until);
    if (number === undefined) return false;
    const removed = removeLines(sqlite, number, left);
    if (removed < left) {
      sqlite.prepare("update jobs set lines_removed_at = ? where number = ?").run(now, number);
    }
    left -= removed + JOB_COST;
  }
  return true;
}

const STATUSES: Record<Outcome, JobStatus[]> = {
  succeeded: ["succeeded", "skipped", "cancelled"],
  failed: ["failed", "interrupted"],
};

function dueJob(
  sqlite: Server["database"]["sqlite"],
  outcome: Outcome,
  until: number,
): number | undefined {
  const query = sqlite.prepare(
    `select number from jobs where lines_removed_at is null and status = ? and received_at < ?
       order by received_at limit 1`,
  );
  for (const status of STATUSES[outcome]) {
    const job = query.get(status, until) as { number: number } | undefined;
    if (job) return job.number;
  }
  return undefined;
}
