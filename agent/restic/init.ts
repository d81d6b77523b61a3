// First contact with a repository: opens it, or makes it where there is none and a human said that it is new.
import { ended, failed, type Outcome } from "./outcome.ts";
import { findRemains } from "./remains.ts";
import { otherThanOrdered, readRepositoryId } from "./repository_id.ts";
import { runRestic, type Task } from "./run.ts";
import { listSnapshots, reportSnapshots } from "./snapshots.ts";

export async function init(task: Task): Promise<Outcome> {
  const probe = await listSnapshots(task);
  if (task.order.reinit && probe.failure?.reason_code !== "no_repository") {
    return refuseToReplace(task, probe.failure);
  }
  if (!probe.failure) {
    const { opened, failure } = await readRepositoryId(task);
    // It opens, so that without an id to compare nothing depends on this answer.
    if (failure && task.order.restic_id) return failure;
    const other = otherThanOrdered(task, opened);
    if (other) return other;
    task.lines.add("agent", "The repository is there and opens; nothing was changed.");
    reportSnapshots(task, probe.snapshots);
    return {
      ...ended("succeeded", null, null, probe.run.exit.code),
      created: false,
      ...told(opened),
    };
  }
  if (probe.failure.reason_code !== "no_repository") return probe.failure;
  if (task.order.may_create !== true) {
    const reason = `${probe.failure.reason}, and this job was not told to make one.`;
    return { ...probe.failure, reason };
  }
  const remains = await findRemains(task);
  if (remains) {
    task.lines.add("agent", remains.reason);
    return failed(remains.code, remains.reason, null);
  }
  return await create(task);
}

/** Nothing that is there is ever wiped. */
function refuseToReplace(task: Task, failure: Outcome | undefined): Outcome {
  const why = failure?.reason ?? `There is a repository at ${task.url.url}, and it opens.`;
  const reason = `${why} Nothing was touched: it must be cleared by hand first.`;
  return failed(failure?.reason_code ?? "holds_data", reason, failure?.exit_code ?? null);
}

async function create(task: Task): Promise<Outcome> {
  const run = await runRestic(task, { args: ["init"], wholeMs: task.limits.lookMs });
  if (run.failure) return run.failure;
  const listing = await listSnapshots(task, { evenWhenStopped: true });
  if (listing.failure) {
    const why = `restic made a repository that does not open afterwards: ${listing.failure.reason}`;
    return failed("not_verified", why, run.exit.code);
  }
  const { opened } = await readRepositoryId(task);
  reportSnapshots(task, listing.snapshots);
  task.lines.add("agent", "The repository was made and opens.");
  return { ...ended("succeeded", null, null, run.exit.code), created: true, ...told(opened) };
}

function told(opened: Outcome["opened"]): Pick<Outcome, "opened"> {
  return opened ? { opened } : {};
}
