// Forget: removes exactly the snapshots that the server names by their full ids, after the repository itself has told that
// each of them is what the server takes it for and that all that is to stay is there. restic is never given a policy
// (before 0.17 an empty one removes all), never --prune, and is not believed: 0.17 and 0.18 claim removals that an
// append-only server refused, so the list is read again and compared.
import type { AgentKind } from "../jobs/kind.ts";
import { whenUnlocked } from "./locked.ts";
import { onSameRepository } from "./repository_id.ts";
import type { JobContextOf } from "../jobs/context.ts";
import type { JobFinished, Snapshot } from "../../shared/protocol.ts";
import { inWords, keepsEverything } from "../../shared/retention.ts";
import { ended, failed, type Outcome } from "./outcome.ts";
import { capArguments, runRestic } from "./run.ts";
import { listWhole, reportSnapshots, reportWhole } from "./snapshots.ts";
import type { ForgetOrder } from "../../shared/job_kinds/forget.ts";

type Forgotten = NonNullable<JobFinished["forgotten"]>[number];

/** A command line on Windows holds about 32,000 characters. */
const IDS_AT_ONCE = 400;
const SHOWN = 200;

/** An order held against the repository. */
interface Checked {
  order: ForgetOrder;
  keep: number;
  /** There, and what the server takes them for. */
  remove: Snapshot[];
  problem?: Outcome;
}

export const forget: AgentKind<"forget"> = {
  run: (job) => onSameRepository(job, () => whenUnlocked(job, () => removeSnapshots(job))),
};

async function removeSnapshots(job: JobContextOf<"forget">): Promise<Outcome> {
  const orders = job.order.forget ?? [];
  if (orders.some(({ retention }) => retention && keepsEverything(retention))) {
    return failed(
      "empty_policy",
      "Forget was refused: a policy that keeps nothing in particular would remove everything.",
      null,
    );
  }
  const before = await listWhole(job);
  if (before.failure) return before.failure;
  reportWhole(job, before.snapshots);
  const checked = orders.map((order) => check(order, before.snapshots));
  for (const each of checked) explain(job, each);
  if (job.order.dry_run) {
    for (const each of checked) show(job, each);
    return result(checked, checked.map((each) => ({ ...counts(each), left: null })));
  }
  return await remove(job, checked, before.snapshots);
}

/** What the server believes of each snapshot, against what the repository says. */
function check(order: ForgetOrder, listed: Snapshot[]): Checked {
  const ids = new Map(listed.map((snapshot) => [snapshot.id, snapshot]));
  const prefixes = new Map(listed.map((snapshot) => [snapshot.id.slice(0, 16), snapshot]));
  const found: Checked = { order, keep: 0, remove: [] };
  let missing = 0;
  let foreign = 0;
  for (const place of order.snapshots) {
    const isThere = (snapshot: Snapshot | undefined) =>
      snapshot?.hostname === place.host &&
      JSON.stringify(snapshot.tags) === JSON.stringify(place.tags);
    for (const start of place.keep) {
      const snapshot = prefixes.get(start.slice(0, 16));
      if (snapshot?.id.startsWith(start) && isThere(snapshot)) found.keep++;
      else missing++;
    }
    for (const id of place.remove) {
      const snapshot = ids.get(id);
      if (snapshot && isThere(snapshot)) found.remove.push(snapshot);
      else if (snapshot) foreign++;
    }
  }
  return { ...found, ...problemOf(order, { missing, foreign, goes: found.remove.length }) };
}

function problemOf(
  order: ForgetOrder,
  { missing, foreign, goes }: { missing: number; foreign: number; goes: number },
): { problem?: Outcome } {
  const where = `"${order.tag}" on ${order.host}`;
  const problem = (code: string, sentence: string) => ({
    problem: failed(code, `Forget stopped before ${where}: ${sentence}`, null),
  });
  if (order.held) {
    return problem(
      "would_drop_most",
      `${order.held}. If that is meant, run it again with consent.`,
    );
  }
  if (foreign > 0) {
    return problem(
      "not_ours",
      `${foreign} of the snapshots that were to go have another host or tag in the repository.`,
    );
  }
  if (missing > 0 && goes > 0) {
    return problem(
      "list_changed",
      `${missing} of the snapshots that are to stay are not in the repository any more. The server has the new list; run it again.`,
    );
  }
  return {};
}

async function remove(
  job: JobContextOf<"forget">,
  checked: Checked[],
  before: Snapshot[],
): Promise<Outcome> {
  let refusal: Outcome | undefined;
  for (const { order, remove, problem } of checked) {
    if (problem || remove.length === 0 || refusal) continue;
    refusal = await removeIds(job, order, remove.map(({ id }) => id));
  }
  const wasRun = checked.some(({ problem, remove }) => !problem && remove.length > 0);
  const after = wasRun ? await listWhole(job, true) : { snapshots: before, failure: undefined };
  if (after.failure) {
    const reason = `It could not be verified what forget removed: ${after.failure.reason}`;
    const unknown = checked.map((each) => ({ ...counts(each), left: null }));
    return result(checked, unknown, failed("not_verified", reason, null));
  }
  if (wasRun) {
    reportWhole(job, after.snapshots);
    reportSnapshots(
      job,
      after.snapshots.filter(({ hostname }) => hostname === job.snapshotHost),
    );
  }
  return compare(checked, after.snapshots, refusal);
}

async function removeIds(
  job: JobContextOf<"forget">,
  order: ForgetOrder,
  ids: string[],
): Promise<Outcome | undefined> {
  for (let from = 0; from < ids.length; from += IDS_AT_ONCE) {
    const args = ["forget", ...capArguments(job), ...ids.slice(from, from + IDS_AT_ONCE)];
    const run = await runRestic(job, { args });
    if (run.failure) return asRefusal(run.failure, order);
    // 0.19 has a code of its own for what could not be removed.
    if (run.exit.code === 3) return refused(order, undefined);
  }
  return undefined;
}

/** What was removed must be gone, and what was to stay must be there. */
function compare(
  checked: Checked[],
  after: Snapshot[],
  refusal: Outcome | undefined,
): Outcome {
  const ids = new Set(after.map(({ id }) => id));
  const prefixes = new Set(after.map(({ id }) => id.slice(0, 16)));
  let problem = refusal;
  const forgotten = checked.map((each): Forgotten => {
    const still = each.remove.filter(({ id }) => ids.has(id)).length;
    const starts = each.order.snapshots.flatMap(({ keep }) => keep);
    const kept = starts.filter((start) => prefixes.has(start.slice(0, 16))).length;
    if (!each.problem && still > 0) problem ??= refused(each.order, still);
    if (!each.problem && kept < each.keep) {
      problem ??= failed(
        "not_verified",
        `Of "${each.order.tag}" on ${each.order.host} ${
          each.keep - kept
        } snapshots that were to stay are gone.`,
        null,
      );
    }
    return {
      ...counts(each),
      remove: each.remove.length - still,
      left: kept + still,
      done: !each.problem && still === 0 && kept === each.keep,
    };
  });
  return result(checked, forgotten, problem);
}

function result(
  checked: Checked[],
  forgotten: Forgotten[],
  problem = checked.find((each) => each.problem)?.problem,
): Outcome {
  const first = problem ?? checked.find((each) => each.problem)?.problem;
  return { ...first ?? ended("succeeded", null, null, 0), forgotten };
}

function counts({ order, keep, remove, problem }: Checked): Omit<Forgotten, "left"> {
  const { source_group_id, tag, host } = order;
  return { source_group_id, tag, host, keep, remove: problem ? 0 : remove.length };
}

/** restic 0.14 and 0.19 admit it. */
function asRefusal(outcome: Outcome, order: ForgetOrder): Outcome {
  return outcome.reason_code === "access_denied" || outcome.reason_code === "append_only"
    ? refused(order, undefined)
    : outcome;
}

function refused({ tag, host }: ForgetOrder, count: number | undefined): Outcome {
  const what = count === undefined
    ? ""
    : ` ${count} snapshots that restic reported as removed are still there.`;
  return failed(
    "append_only",
    `The repository refuses to delete with this credential (append-only), at "${tag}" on ${host}.${what} Set the admin credential.`,
    null,
  );
}

function explain(job: JobContextOf<"forget">, { order, keep, remove, problem }: Checked): void {
  const policy = order.retention ? ` (${inWords(order.retention)})` : "";
  job.lines.add(
    "agent",
    `"${order.tag}" on ${order.host}${policy}: keeps ${keep}, removes ${remove.length} snapshots.`,
  );
  if (problem?.reason) job.lines.add("agent", problem.reason);
}

function show(job: JobContextOf<"forget">, { remove }: Checked): void {
  for (const { id, time } of remove.slice(0, SHOWN)) {
    const at = new Date(time).toISOString().slice(0, 19).replace("T", " ");
    job.lines.add("stdout", `remove  ${id.slice(0, 8)}  ${at}`);
  }
}
