// First contact with a repository: opens it, or makes it where there is none and a human said that it is new.
import type { AgentKind } from "../jobs/kind.ts";
import type { JobContextOf } from "../jobs/context.ts";
import { ended, failed, type Outcome } from "./outcome.ts";
import { findRemains } from "./remains.ts";
import { otherThanOrdered, readRepositoryId } from "./repository_id.ts";
import { runRestic } from "./run.ts";
import { listSnapshots, reportSnapshots } from "./snapshots.ts";

export const init: AgentKind<"init"> = {
  run: openOrMake,
};

async function openOrMake(job: JobContextOf<"init">): Promise<Outcome> {
  const probe = await listSnapshots(job);
  if (job.order.reinit && probe.failure?.reason_code !== "no_repository") {
    return refuseToReplace(job, probe.failure);
  }
  if (!probe.failure) {
    const { opened, failure } = await readRepositoryId(job);
    // It opens, so that without an id to compare nothing depends on this answer.
    if (failure && job.order.restic_id) return failure;
    const other = otherThanOrdered(job, opened);
    if (other) return other;
    job.lines.add("agent", "The repository is there and opens; nothing was changed.");
    reportSnapshots(job, probe.snapshots);
    return {
      ...ended("succeeded", null, null, probe.run.exit.code),
      created: false,
      ...reported(opened),
    };
  }
  if (probe.failure.reason_code !== "no_repository") return probe.failure;
  if (job.order.may_create !== true) {
    const reason = `${probe.failure.reason}, and this job was not told to make one.`;
    return { ...probe.failure, reason };
  }
  const remains = await findRemains(job);
  if (remains) {
    job.lines.add("agent", remains.reason);
    return failed(remains.code, remains.reason, null);
  }
  return await create(job);
}

/** Nothing that is there is ever wiped. */
function refuseToReplace(job: JobContextOf<"init">, failure: Outcome | undefined): Outcome {
  const why = failure?.reason ?? `There is a repository at ${job.url.url}, and it opens.`;
  const reason = `${why} Nothing was touched: it must be cleared by hand first.`;
  return failed(failure?.reason_code ?? "holds_data", reason, failure?.exit_code ?? null);
}

async function create(job: JobContextOf<"init">): Promise<Outcome> {
  const run = await runRestic(job, { args: ["init"], wholeMs: job.timeouts.lookMs });
  if (run.failure) return run.failure;
  const listing = await listSnapshots(job, { evenWhenStopped: true });
  if (listing.failure) {
    const why = `restic made a repository that does not open afterwards: ${listing.failure.reason}`;
    return failed("not_verified", why, run.exit.code);
  }
  const { opened } = await readRepositoryId(job);
  reportSnapshots(job, listing.snapshots);
  job.lines.add("agent", "The repository was made and opens.");
  return { ...ended("succeeded", null, null, run.exit.code), created: true, ...reported(opened) };
}

function reported(opened: Outcome["opened"]): Pick<Outcome, "opened"> {
  return opened ? { opened } : {};
}
