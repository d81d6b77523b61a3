// Forget, group by group: never without a policy (before 0.17 restic then removes all), never with --prune, looked at before
// and compared afterwards, since restic 0.17 and 0.18 claim removals that an append-only server refused.
import { z } from "zod";
import type { ForgetOrder, JobFinished } from "../../shared/protocol.ts";
import { keepsEverything, type Retention } from "../../shared/retention.ts";
import { ended, failed, type Outcome } from "./outcome.ts";
import { capArguments, runRestic, type Task } from "./run.ts";
import { listSnapshots, reportSnapshots } from "./snapshots.ts";

type Forgotten = NonNullable<JobFinished["forgotten"]>[number];

/** More than this share of a group, and no small number, is not removed before a person has agreed. */
const MOST_SHARE = 0.5;
const MOST_COUNT = 10;
const SHOWN = 200;

const Item = z.object({ id: z.string(), time: z.string() });
const Answer = z.array(
  z.object({ keep: z.array(Item).nullish(), remove: z.array(Item).nullish() }),
);
type Plan = { keep: z.infer<typeof Item>[]; remove: z.infer<typeof Item>[] };

export async function forget(task: Task): Promise<Outcome> {
  const orders = task.order.forget ?? [];
  if (orders.length === 0 || orders.some((order) => keepsEverything(order.retention))) {
    return failed(
      "empty_policy",
      "Forget was refused: a policy that keeps nothing in particular would remove everything.",
      null,
    );
  }
  const forgotten: Forgotten[] = [];
  let problem: Outcome | undefined;
  for (const order of orders) {
    const done = await forgetGroup(task, order);
    if (done.forgotten) forgotten.push(done.forgotten);
    problem ??= done.problem;
    if (task.control.stopped || done.problem?.reason_code === "locked") break;
  }
  if (!task.order.dry_run && forgotten.some(({ remove }) => remove > 0)) await refreshOwnList(task);
  return { ...problem ?? ended("succeeded", null, null, 0), forgotten };
}

async function forgetGroup(
  task: Task,
  order: ForgetOrder,
): Promise<{ forgotten?: Forgotten; problem?: Outcome }> {
  const { tag, host } = order;
  const plan = await ask(task, order, true);
  if ("status" in plan) return { problem: plan };
  const [keep, remove] = [plan.keep.length, plan.remove.length];
  const where = `"${tag}" on ${host}`;
  task.lines.add(
    "agent",
    `${where}: keeps ${keep}, removes ${remove} of ${keep + remove} snapshots.`,
  );
  const seen = { tag, host, keep, remove, left: null };
  if (task.order.dry_run) {
    show(task, plan);
    return { forgotten: seen };
  }
  if (remove === 0) return { forgotten: { ...seen, left: keep } };
  if (!task.order.may_drop_most && remove >= MOST_COUNT && remove / (keep + remove) > MOST_SHARE) {
    const reason =
      `Forget stopped before ${where}: it would remove ${remove} of ${keep + remove} snapshots. ` +
      "If that is meant, run it again with consent.";
    return {
      forgotten: { ...seen, remove: 0, left: keep + remove },
      problem: failed("would_drop_most", reason, null),
    };
  }
  const done = await ask(task, order, false);
  if ("status" in done) return { forgotten: { ...seen, remove: 0 }, problem: refusal(done, where) };
  return await compare(task, order, done);
}

/** What restic says that it would do, or did. */
async function ask(task: Task, order: ForgetOrder, dryRun: boolean): Promise<Plan | Outcome> {
  let text = "";
  const run = await runRestic(task, {
    args: [
      "forget",
      "--json",
      ...(dryRun ? ["--dry-run"] : []),
      `--tag=${order.tag}`,
      `--host=${order.host}`,
      "--group-by=host,tags",
      ...capArguments(task),
      ...policyArguments(order.retention),
    ],
    onOut: (line) => text += line.length + text.length < 64_000_000 ? `${line}\n` : "",
  });
  if (run.failure) return run.failure;
  // 0.19 has a code of its own for what could not be removed.
  if (run.exit.code === 3) return failed("append_only", "Some snapshots could not be removed.", 3);
  // Nothing to say is an empty output, not an empty list.
  if (text.trim() === "") return { keep: [], remove: [] };
  try {
    const groups = Answer.parse(JSON.parse(text.slice(text.indexOf("["))));
    return {
      keep: groups.flatMap((group) => group.keep ?? []),
      remove: groups.flatMap((group) => group.remove ?? []),
    };
  } catch {
    return failed("no_list", "What restic would forget could not be read.", run.exit.code);
  }
}

/** The list is read again: what was reported as removed must be gone. */
async function compare(
  task: Task,
  order: ForgetOrder,
  plan: Plan,
): Promise<{ forgotten: Forgotten; problem?: Outcome }> {
  const { tag, host } = order;
  const listing = await listSnapshots(task, { host, tag });
  const seen = { tag, host, keep: plan.keep.length, remove: plan.remove.length };
  if (listing.failure) {
    const reason = `It could not be verified what forget removed: ${listing.failure.reason}`;
    return { forgotten: { ...seen, left: null }, problem: failed("not_verified", reason, null) };
  }
  const left = new Set(listing.snapshots.map(({ id }) => id));
  const still = plan.remove.filter(({ id }) => left.has(id)).length;
  const forgotten = { ...seen, remove: plan.remove.length - still, left: left.size };
  return still === 0
    ? { forgotten }
    : { forgotten, problem: refused(`"${tag}" on ${host}`, still) };
}

/** restic 0.14 and 0.19 admit it. */
function refusal(outcome: Outcome, where: string): Outcome {
  const isRefused = outcome.reason_code === "access_denied" ||
    outcome.reason_code === "append_only";
  return isRefused ? refused(where, undefined) : outcome;
}

function refused(where: string, count: number | undefined): Outcome {
  const what = count === undefined
    ? ""
    : ` ${count} snapshots that restic reported as removed are still there.`;
  return failed(
    "append_only",
    `The repository refuses to delete with this credential (append-only), at ${where}.${what} Set the admin credential.`,
    null,
  );
}

function policyArguments(retention: Retention): string[] {
  return Object.entries(retention).filter(([, value]) => value !== undefined)
    .map(([name, value]) => `--${name.replaceAll("_", "-")}=${value}`);
}

function show(task: Task, plan: Plan): void {
  const line = (verb: string) => ({ id, time }: z.infer<typeof Item>) =>
    task.lines.add("stdout", `${verb}  ${id.slice(0, 8)}  ${time.slice(0, 19).replace("T", " ")}`);
  plan.keep.slice(0, SHOWN).forEach(line("keep  "));
  plan.remove.slice(0, SHOWN).forEach(line("remove"));
}

async function refreshOwnList(task: Task): Promise<void> {
  const listing = await listSnapshots(task);
  if (!listing.failure) reportSnapshots(task, listing.snapshots);
}
