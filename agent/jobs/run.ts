// One job from its start to its end: started, lines, results, finished, in that order.
import type { ConfigUpdate } from "../../shared/protocol.ts";
import type { Agent } from "../agent.ts";
import { refusedByOwner } from "../brake/refuse.ts";
import { messageOf } from "../../shared/log.ts";
import { removeLocksOfDead } from "../restic/locks.ts";
import { ended, failed, type Outcome } from "../restic/outcome.ts";
import { prepareRestic } from "../restic/prepare.ts";
import { NO_CONTACT } from "../restic/refusals.ts";
import { ResticProblem, type ResticProgram } from "../restic/version.ts";
import { beginSentence, endSentence, type JobLimits } from "./bandwidth_limits.ts";
import type { JobContext } from "./context.ts";
import type { JobControl } from "./control.ts";
import { finishInterrupted, finishJob, interruptedSentence } from "./finish.ts";
import { cleanUp, withHooks } from "./hooks.ts";
import type { Accepted } from "./ledger.ts";
import { JobLines } from "./lines.ts";
import { allGone } from "./orphans.ts";
import { markOf } from "./process_mark.ts";
import { redactorFor } from "./redact.ts";
import { retryOf } from "./retry.ts";
import { endSurvivors, type LeftBy } from "./survivors.ts";
import type { RepositoryAccess } from "../../shared/repository_access.ts";
import { writesRepository } from "../../shared/job_kinds/all.ts";
import { adminAccessIn, groupOf, type Order, readerAccessIn } from "./order.ts";
import { agentKind } from "./kinds.ts";

/** Runs an accepted order to its end. Never rejects: whatever happens is an outcome. */
export async function runJob(
  agent: Agent,
  order: Order,
  limits: JobLimits,
  control: JobControl,
): Promise<void> {
  const began = agent.clock.elapsed();
  const config = agent.plan.config;
  const given = [config?.repository, adminAccessIn(order), readerAccessIn(order)];
  const redact = redactorFor(given, config?.snapshot_host);
  const hooks = groupOf(order)?.hooks;
  const refusal = refusedByOwner(agent, order, config);
  agent.ledger.begin(order.job_id, !refusal && hooks?.post_hook !== undefined);
  const restic = await agent.restic.find().catch((error: unknown) => error);
  agent.journal.append({
    type: "job.started",
    job_id: order.job_id,
    ...(order.origin ? { origin: order.origin } : {}),
    at: agent.clock.now(),
    restic_version: restic instanceof Error ? null : (restic as ResticProgram).version,
    bandwidth_up_kib_per_s: reported(limits.bandwidth_up_kib_per_s),
    bandwidth_down_kib_per_s: reported(limits.bandwidth_down_kib_per_s),
  });
  const lines = new JobLines({
    jobId: order.job_id,
    now: agent.clock.now,
    redact,
    report: (report) => agent.journal.append(report),
  });
  if (order.origin?.catch_up) {
    const missed = new Date(order.origin.scheduled_at).toISOString().slice(0, 16).replace("T", " ");
    lines.add("agent", `Catch-up run for ${missed} UTC, which was missed or interrupted.`);
  }
  const sentence = beginSentence(order, limits);
  if (sentence) lines.add("agent", sentence);
  const outcome = refusal ??
    await attempt(agent, { order, config, limits, restic, control, lines, redact });
  if (!refusal) await endWhatIsLeft(agent, control, { jobId: order.job_id, lines });
  const changed = endSentence(agent, order, limits);
  if (changed) lines.add("agent", changed);
  if (outcome.status === "failed" && outcome.reason) lines.add("agent", outcome.reason);
  if (outcome.status === "skipped") lines.add("agent", `Skipped: ${outcome.reason}`);
  const retry = retryOf(agent, order.origin, outcome);
  if (retry) lines.add("agent", retry.sentence);
  lines.flush();
  finishJob(agent, order.job_id, {
    ...outcome,
    duration_ms: Math.max(0, Math.round(agent.clock.elapsed() - began)),
    reason: outcome.reason && redact(outcome.reason),
    ...(order.origin ? { origin: order.origin } : {}),
  });
  if (retry) agent.timers.later(retry.origin, retry.dueAt);
  else if (order.origin && outcome.reason_code === "agent_stopped") {
    agent.timers.catchUp(order.origin);
  }
}

/**
 * Ends a job that an earlier run of the agent left between its pre and its post hook: the post hook as the plan has it
 * now, then the job's end. Told to stop, it leaves both to the next start. Never rejects.
 */
export async function cleanUpAfter(
  agent: Agent,
  job: Accepted,
  control: JobControl,
): Promise<void> {
  const { config, schedule } = agent.plan;
  const group = schedule?.source_groups.find(({ id }) => id === job.source_group_id);
  if (!agent.brake.allowHooks) {
    const none = " Its post_hook was not run: the owner of this machine allows no hooks.";
    agent.log.warn(`Job ${job.id}:${none}`);
    return finishInterrupted(agent, job, none);
  }
  if (!group?.hooks?.post_hook) {
    const none = " Its post_hook could not be run afterwards: the plan has none for it now.";
    return finishInterrupted(agent, job, none);
  }
  const redact = redactorFor([config?.repository], config?.snapshot_host);
  const how = await cleanUp(agent, {
    order: { job_id: job.id, kind: job.kind },
    hooks: group.hooks,
    groupName: group.name,
    host: config?.snapshot_host ?? "",
    control,
    redact,
  }, ended("interrupted", "agent_stopped", interruptedSentence(job), null));
  const lines = { add: (_: unknown, text: string) => agent.log.warn(`Job ${job.id}: ${text}`) };
  await endWhatIsLeft(agent, control, { jobId: job.id, lines });
  if (control.stopped === "agent_stopped") return;
  finishInterrupted(agent, job, ` ${redact(how)}`);
}

// The service manager does not wait longer for an agent that is told to stop.
const GRACE_WHEN_STOPPED_MS = 1000;

async function endWhatIsLeft(
  agent: Agent,
  control: JobControl,
  left: Pick<LeftBy, "jobId" | "lines">,
): Promise<void> {
  const isStopping = control.stopped === "agent_stopped";
  await endSurvivors(agent, {
    ...left,
    graceMs: isStopping ? GRACE_WHEN_STOPPED_MS : agent.timeouts.graceMs,
  });
}

interface Attempt {
  order: Order;
  config: ConfigUpdate | undefined;
  limits: JobLimits;
  /** The program, or why there is none. */
  restic: unknown;
  control: JobControl;
  lines: JobLines;
  redact: (text: string) => string;
}

async function attempt(agent: Agent, given: Attempt): Promise<Outcome> {
  const { order, config, control, lines, redact } = given;
  try {
    const hookJob = { order, control, lines, redact, host: config?.snapshot_host ?? "" };
    const kind = agentKind(order.kind);
    if (kind.runAlone) return await kind.runAlone(agent, order, hookJob);
    // What breaks here is an outcome too: a post hook has to clean up after it.
    const work = () => workOn(agent, given).catch((error) => brokenBy(agent, order.job_id, error));
    const group = groupOf(order);
    if (!group?.hooks) return await work();
    const job = { ...hookJob, hooks: group.hooks, groupName: group.name };
    return await withHooks(agent, job, work);
  } catch (error) {
    return brokenBy(agent, order.job_id, error);
  }
}

/** All of a job that touches the repository. */
async function workOn(agent: Agent, given: Attempt): Promise<Outcome> {
  // A pre hook may have put a link where a folder was.
  const refusal = refusedByOwner(agent, given.order, given.config);
  if (refusal) return refusal;
  const context = prepare(agent, { ...given, restic: await resticFor(agent, given) });
  if ("status" in context) return context;
  const cannotBegin = writesRepository(context.order.kind) && await removeOwnLock(agent, context);
  return cannotBegin || await performAndTidy(agent, context);
}

/** Where there was none when the job began: a pre hook may have mounted or installed it. */
async function resticFor(agent: Agent, { restic }: Attempt): Promise<unknown> {
  if (!(restic instanceof Error)) return restic;
  return await agent.restic.find().catch((error: unknown) => error);
}

function brokenBy(agent: Agent, jobId: string, error: unknown): Outcome {
  agent.log.error(`Job ${jobId}: ${messageOf(error)}`);
  return failed("agent_error", `The agent could not run this job: ${messageOf(error)}`, null);
}

/** Gathers what the job needs, or says why it cannot be run. */
function prepare(agent: Agent, given: Attempt): JobContext | Outcome {
  const { order, config, limits, restic, control, lines } = given;
  if (restic instanceof ResticProblem) return failed(restic.code, restic.message, null);
  if (restic instanceof Error) throw restic;
  const context = prepareRestic(agent, {
    program: restic as ResticProgram,
    repository: accessOf(order, config?.repository),
    snapshotHost: config?.snapshot_host,
    leasedUrl: order.leased_url,
    limits,
    mark: markOf(agent.settings.stateDir, order.job_id, "restic"),
  });
  if ("status" in context) return context;
  return {
    ...context,
    order,
    fileSystems: agent.fileSystems,
    machine: agent,
    lines,
    control,
    report: (report) => {
      // Lines that came before a result are told before it.
      lines.flush();
      agent.journal.append(report);
    },
    progress: (progress) => agent.connection.sendProgress(order.job_id, progress),
  };
}

/** The repository credential, or for what may delete the one that came with the order: for the same repository only. */
function accessOf(
  order: Order,
  everyday: RepositoryAccess | null | undefined,
): RepositoryAccess | undefined {
  // Of a repository that is another host's: it reads, and its lock is all that it writes.
  const reader = readerAccessIn(order);
  if (reader) return reader.id === order.repository_id ? reader : undefined;
  if (everyday?.id !== order.repository_id) return undefined;
  const admin = adminAccessIn(order);
  if (!admin) return everyday;
  return admin.id === everyday.id && admin.url === everyday.url ? admin : undefined;
}

/**
 * After a hard end of restic here, so that its lock does not stop forget and prune for ever. Returns an outcome when the
 * job itself would only end in the same way.
 */
async function removeOwnLock(agent: Agent, context: JobContext): Promise<Outcome | undefined> {
  const { repository, lines, control } = context;
  if (!agent.ledger.mayHoldLock(repository.id)) return undefined;
  lines.add("agent", "An earlier run here may have left a lock; removing locks of dead processes.");
  const isGone = await allGone(agent.orphans);
  const { outcome, isClear } = await removeLocksOfDead(context);
  if (isClear && isGone) agent.ledger.forgetLock(repository.id);
  // That the locks are gone is no end of the job: one that was told to stop says so when it comes to its own work.
  if (outcome.status === "succeeded") return undefined;
  return control.stopped || NO_CONTACT.has(outcome.reason_code ?? "") ? outcome : undefined;
}

async function performAndTidy(agent: Agent, context: JobContext): Promise<Outcome> {
  const outcome = await perform(context);
  const { control, repository, lines } = context;
  // There a restic that is cancelled cannot be asked to end, so its lock stays.
  const wasKilled = Deno.build.os === "windows" && control.stopped === "cancelled";
  if (!wasKilled || !agent.ledger.mayHoldLock(repository.id)) return outcome;
  lines.add(
    "agent",
    "restic was ended and may have left a lock; removing locks of dead processes.",
  );
  const { isClear } = await removeLocksOfDead(context, true);
  if (isClear) agent.ledger.forgetLock(repository.id);
  return outcome;
}

async function perform(context: JobContext): Promise<Outcome> {
  const kind = agentKind(context.order.kind);
  if (!kind.run) throw new Error(`${context.order.kind} has nothing to do in a repository`);
  return await kind.run(context);
}

/** What is below zero limits nothing, like zero. */
function reported(limit: number | null): number | null {
  return limit && Math.max(0, limit);
}
