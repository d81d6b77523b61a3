// The end of a job: into the journal first, out of the ledger after, so that a crash between them tells it twice and never not at all.
import type { Agent } from "../agent.ts";
import type { Outcome } from "../restic/outcome.ts";
import type { Accepted } from "./ledger.ts";
import { killOrphan } from "./orphans.ts";

export function finishJob(
  agent: Agent,
  jobId: string,
  outcome: Partial<Outcome> & { duration_ms?: number },
): void {
  agent.journal.append({
    type: "job.finished",
    job_id: jobId,
    at: agent.clock.now(),
    status: "failed",
    exit_code: null,
    reason_code: null,
    warnings: 0,
    summary: null,
    ...outcome,
    // One that the server refuses would be in the journal for ever.
    reason: outcome.reason?.slice(0, 2000) ?? null,
  });
  agent.ledger.finish(jobId);
  agent.log.info(`Job ${jobId} ended: ${outcome.status}. ${outcome.reason ?? ""}`);
}

/** Answers for the jobs that an earlier run of the agent had taken on and left. */
export function finishAbandoned(agent: Agent): void {
  finishUnlisted(agent);
  const reported = new Set(agent.journal.unacknowledgedEnds);
  for (const job of agent.ledger.unfinished) {
    if (job.restic_started) agent.ledger.noteLock(job.repository_id);
    const orphan = job.process && killOrphan(job.process) ? job.process : undefined;
    if (orphan) {
      agent.orphans.push(orphan);
      agent.log.warn(`Killed the restic of job ${job.id} that an earlier agent had left`);
    }
    if (reported.has(job.id)) {
      agent.ledger.finish(job.id);
      continue;
    }
    // Its end lets others write: it is reported when nothing of it works any more.
    if (job.post_hook_due || orphan) agent.queue.cleanUpAfter(job, orphan);
    else finishInterrupted(agent, job);
  }
}

/**
 * Of a job that began while the disk took nothing only its start may have been kept: the server would wait for its end for ever.
 */
function finishUnlisted(agent: Agent): void {
  const listed = new Set(agent.ledger.unfinished.map(({ id }) => id));
  for (const { job_id, origin } of agent.journal.unfinishedStarts) {
    if (listed.has(job_id)) continue;
    const repositoryId = origin?.repository_id ?? agent.plan.config?.repository?.id;
    if (repositoryId) agent.ledger.noteLock(repositoryId);
    finishJob(agent, job_id, {
      status: "interrupted",
      reason: "The agent was stopped or crashed while this job ran.",
      reason_code: "agent_stopped",
      ...(origin ? { origin } : {}),
    });
    if (origin) agent.timers.catchUp(origin);
  }
}

export function interruptedSentence({ state }: Accepted): string {
  const when = state === "running" ? "while this job ran" : "before this job began";
  return `The agent was stopped or crashed ${when}.`;
}

export function finishInterrupted(agent: Agent, job: Accepted, more = ""): void {
  finishJob(agent, job.id, {
    status: "interrupted",
    reason: interruptedSentence(job) + more,
    reason_code: "agent_stopped",
    ...(job.origin ? { origin: job.origin } : {}),
  });
  if (job.origin) agent.timers.catchUp(job.origin);
}
