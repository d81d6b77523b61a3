// Hooks: commands before and after a backup, with all the rights of the agent, and nothing of the repository's secrets.
import type { HookName } from "../../shared/hooks.ts";
import type { Agent } from "../agent.ts";
import { messageOf } from "../../shared/log.ts";
import { type Exit, ManagedProcess } from "../process.ts";
import { ownEnvironment } from "../restic/environment.ts";
import { ended, failed, type Outcome } from "../restic/outcome.ts";
import type { JobControl } from "./control.ts";
import { HookOutput, type LineTarget } from "./hook_output.ts";
import { shellFor } from "./hook_shell.ts";
import { harmless, variablesOf } from "./hook_variables.ts";
import { markOf } from "./process_mark.ts";
import type { Hooks } from "../../shared/hook_order.ts";
import type { Order } from "./order.ts";

/** All that a hook needs to know of the job that it belongs to. */
export interface HookJob {
  order: Pick<Order, "job_id" | "kind">;
  hooks: Hooks;
  groupName: string;
  /** The name under which this host's snapshots stand. */
  host: string;
  control: JobControl;
  lines: LineTarget;
  /** Frees a text of the repository's secrets. */
  redact: (text: string) => string;
}

interface HookEnd {
  name: HookName;
  exit: Exit;
  /** What went wrong, or null. */
  problem: string | null;
  /** The last line that it printed, or "". */
  lastLine: string;
}

// The service manager does not wait longer for an agent that is told to stop.
const AFTER_AGENT_STOP_MS = 5000;
/** EX_TEMPFAIL of sysexits.h: a pre hook asks not to back up this time. */
const SKIP = 75;

/**
 * Runs the hooks around all of a backup, what it does in the repository before and after restic's own backup too. A pre
 * hook that fails keeps it from being made, and one that exits with 75 skips it. The post hook runs however and however
 * early the job ended, and learns how; when it fails that is a warning.
 */
export async function withHooks(
  agent: Agent,
  job: HookJob,
  backup: () => Promise<Outcome>,
): Promise<Outcome> {
  const outcome = await beforePostHook(agent, job, backup);
  const after = await runHook(agent, job, "post_hook", variablesOf(outcome, job.redact));
  if (!after?.problem) return outcome;
  job.lines.add("agent", `Warning: ${after.problem}.`);
  return {
    ...outcome,
    warnings: outcome.warnings + 1,
    reason: outcome.reason ?? `${after.problem}.`,
    reason_code: outcome.reason_code ?? "post_hook_failed",
  };
}

async function beforePostHook(
  agent: Agent,
  job: HookJob,
  backup: () => Promise<Outcome>,
): Promise<Outcome> {
  const { hooks, control } = job;
  if (hooks.cannot_decrypt) return cannotDecrypt(hooks.cannot_decrypt);
  if (control.stopped === "agent_stopped") return interrupted(null);
  if (control.stopped) return ended("cancelled", "cancelled", "Cancelled.", null);
  const before = await runHook(agent, job, "pre_hook", {});
  return before?.problem ? failureOf(before) : await backup();
}

/**
 * The post hook of a job that an earlier agent could not end: what its pre hook stopped must not stay so. `outcome` is how
 * the job ended. Returns how the hook went, with the last that it printed when it failed.
 */
export async function cleanUp(
  agent: Agent,
  job: Omit<HookJob, "lines">,
  outcome: Outcome,
): Promise<string> {
  const lines: LineTarget = { add: () => {} };
  const variables = variablesOf(outcome, job.redact);
  const end = await runHook(agent, { ...job, lines }, "post_hook", variables);
  if (!end?.problem) return "Its post_hook was run when the agent was back.";
  const words = end.lastLine ? `, and last said "${end.lastLine.slice(0, 294)}"` : "";
  return `Its post_hook was run when the agent was back: ${end.problem}${words}.`;
}

/** One hook by itself, to try it out: its failure is the job's. */
export async function testHook(agent: Agent, job: HookJob, name: HookName): Promise<Outcome> {
  if (job.hooks.cannot_decrypt === name) return cannotDecrypt(name);
  const good = ended("succeeded", null, null, 0);
  const more = name === "post_hook" ? variablesOf(good, job.redact) : {};
  const end = await runHook(agent, job, name, more);
  if (!end) return failed("no_hook", `There is no ${name} to try.`, null);
  return end.problem ? failureOf(end) : good;
}

/** undefined when there is no such hook. One that cannot even be started has failed like any other. */
async function runHook(
  agent: Agent,
  job: HookJob,
  name: HookName,
  more: Record<string, string>,
): Promise<HookEnd | undefined> {
  const text = job.hooks[name];
  if (text === undefined) return undefined;
  // Before it begins: one that turns the machine off must not do so again at the next start.
  if (name === "post_hook") agent.ledger.postHookBegins(job.order.job_id);
  try {
    return await runText(agent, job, { name, text }, more);
  } catch (error) {
    const exit = { code: null, signal: null, stop: null, mayLeaveLock: false };
    return { name, exit, problem: `${name} could not be run: ${messageOf(error)}`, lastLine: "" };
  }
}

async function runText(
  agent: Agent,
  job: HookJob,
  { name, text }: { name: HookName; text: string },
  more: Record<string, string>,
): Promise<HookEnd> {
  const { control, lines, order } = job;
  const limitMs = control.stopped === "agent_stopped"
    ? AFTER_AGENT_STOP_MS
    : job.hooks.timeout_seconds * 1000;
  lines.add("agent", `Running the ${name} (time limit ${limitMs / 1000} s).`);
  const output = new HookOutput(lines);
  const stopsAtError = job.hooks.stop_at_error?.includes(name) ?? false;
  using shell = shellFor(agent, { jobId: order.job_id, name, text, stopsAtError });
  const process = new ManagedProcess({
    ...shell.command,
    environment: {
      ...shell.environment,
      ...ownEnvironment(agent.environment),
      RM_JOB_ID: order.job_id,
      RM_JOB_KIND: order.kind,
      RM_HOST: harmless(job.host),
      RM_SOURCE_GROUP: harmless(job.groupName),
      ...more,
      ...markOf(agent.settings.stateDir, order.job_id, name === "pre_hook" ? "pre" : "post"),
    },
    endSignal: "SIGTERM",
    onOut: output.out.push,
    onError: output.error.push,
  });
  const { graceMs } = agent.timeouts;
  const overdue = setTimeout(() => process.stop("overdue", graceMs), limitMs);
  // A throttled restic may need minutes to end; a hook gets the plain grace.
  using _attached = control.attachAgain({
    mark: process.mark,
    stop: (why) => process.stop(why, graceMs),
  });
  const exit = await process.exit.finally(() => {
    clearTimeout(overdue);
    output.end();
  });
  const problem = problemOf(name, exit, limitMs / 1000);
  return { name, exit, problem, lastLine: output.lastLine.trim() };
}

function problemOf(name: HookName, exit: Exit, limitSeconds: number): string | null {
  switch (exit.stop) {
    case "overdue":
      return `${name} was ended after ${limitSeconds} s, its time limit`;
    case "cancelled":
      return `${name} was cancelled`;
    case "agent_stopped":
      return `${name} was ended because the agent was stopped`;
  }
  if (exit.signal) return `${name} failed (signal ${exit.signal})`;
  return exit.code === 0 ? null : `${name} failed (exit ${exit.code})`;
}

function failureOf({ name, exit, problem, lastLine }: HookEnd): Outcome {
  switch (exit.stop) {
    case "cancelled":
      return ended("cancelled", "cancelled", `Cancelled: ${problem}.`, exit.code);
    case "agent_stopped":
      return interrupted(exit.code);
    case "overdue":
      return failed(`${name}_overdue`, `${problem}.`, exit.code);
  }
  if (name === "pre_hook" && exit.code === SKIP) {
    return ended("skipped", "pre_hook_skipped", lastLine || ASKED_TO_SKIP, exit.code);
  }
  return failed(`${name}_failed`, `${problem}`, exit.code);
}

const ASKED_TO_SKIP = `The pre_hook asked to skip this backup (exit ${SKIP}).`;

function interrupted(exitCode: number | null): Outcome {
  return ended("interrupted", "agent_stopped", "The agent was stopped.", exitCode);
}

function cannotDecrypt(name: HookName): Outcome {
  const reason =
    `The ${name} could not be decrypted on the server, so nothing was run. An admin must enter it again.`;
  return failed("hook_cannot_decrypt", reason, null);
}
