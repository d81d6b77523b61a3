// Hooks: commands before and after a backup, with all the rights of the agent, and nothing of the repository's secrets.
import { join } from "node:path";
import type { HookName } from "../../shared/hooks.ts";
import type { Hooks } from "../../shared/protocol.ts";
import type { Agent } from "../agent.ts";
import { makePrivateDirectory, replaceFile } from "../files.ts";
import { messageOf } from "../log.ts";
import { type Exit, ManagedProcess, type SpawnOptions } from "../process.ts";
import { ownEnvironment } from "../restic/environment.ts";
import { ended, failed, type Outcome } from "../restic/outcome.ts";
import type { JobControl } from "./control.ts";
import { HookOutput, type LineTarget } from "./hook_output.ts";
import type { Order } from "./ledger.ts";

/** All that a hook needs to know of the job that it belongs to. */
export interface HookJob {
  order: Pick<Order, "job_id" | "kind">;
  hooks: Hooks;
  groupName: string;
  /** The name under which this host's snapshots stand. */
  host: string;
  control: JobControl;
  lines: LineTarget;
}

interface HookEnd {
  exit: Exit;
  /** What went wrong, or null. */
  problem: string | null;
}

const windows = Deno.build.os === "windows";
// The service manager does not wait longer for an agent that is told to stop.
const AFTER_AGENT_STOP_MS = 5000;

/**
 * Runs the hooks around a backup. A pre hook that fails keeps the backup from being made; the post hook runs whatever
 * happened, and when it fails that is a warning.
 */
export async function withHooks(
  agent: Agent,
  job: HookJob,
  backup: () => Promise<Outcome>,
): Promise<Outcome> {
  const { hooks, control, order } = job;
  if (hooks.unsealable) return unsealable(hooks.unsealable);
  // Told to stop before it began: nothing was prepared, so nothing is to be cleaned up.
  if (control.stopped) return await backup();
  // From here on a crash leaves something to clean up.
  if (hooks.post_hook !== undefined) agent.ledger.notePostHook(order.job_id, true);
  const before = await runHook(agent, job, "pre_hook", {});
  const outcome = before?.problem ? failureOf(before) : await backup();
  const after = await runHook(agent, job, "post_hook", {
    RM_JOB_STATUS: outcome.status === "succeeded" ? "succeeded" : "failed",
    RM_SNAPSHOT_ID: outcome.summary?.snapshot_id ?? "",
  });
  if (!after?.problem) return outcome;
  job.lines.add("agent", `Warning: ${after.problem}.`);
  return {
    ...outcome,
    warnings: outcome.warnings + 1,
    reason: outcome.reason ?? `${after.problem}.`,
    reason_code: outcome.reason_code ?? "post_hook_failed",
  };
}

/**
 * The post hook of a job that an earlier agent could not end: what its pre hook stopped must not stay so. Answers how it
 * went, with the last that it printed when it failed.
 */
export async function cleanUp(agent: Agent, job: Omit<HookJob, "lines">): Promise<string> {
  let last = "";
  const lines: LineTarget = { add: (_, text) => last = text };
  const end = await runHook(agent, { ...job, lines }, "post_hook", {
    RM_JOB_STATUS: "failed",
    RM_SNAPSHOT_ID: "",
  });
  if (!end?.problem) return "Its post_hook was run when the agent was back.";
  const words = last.startsWith("hook: ") ? `, and last said "${last.slice(6, 300)}"` : "";
  return `Its post_hook was run when the agent was back: ${end.problem}${words}.`;
}

/** One hook by itself, to try it out: its failure is the job's. */
export async function tryHook(agent: Agent, job: HookJob, name: HookName): Promise<Outcome> {
  if (job.hooks.unsealable === name) return unsealable(name);
  const more: Record<string, string> = name === "post_hook"
    ? { RM_JOB_STATUS: "succeeded", RM_SNAPSHOT_ID: "" }
    : {};
  const end = await runHook(agent, job, name, more);
  if (!end) return failed("no_hook", `There is no ${name} to try.`, null);
  return end.problem ? failureOf(end) : ended("succeeded", null, null, end.exit.code);
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
  if (name === "post_hook") agent.ledger.notePostHook(job.order.job_id, false);
  try {
    return await runText(agent, job, name, text, more);
  } catch (error) {
    const exit = { code: null, signal: null, stop: null, mayLeaveLock: false };
    return { exit, problem: `${name} could not be run: ${messageOf(error)}` };
  }
}

async function runText(
  agent: Agent,
  job: HookJob,
  name: HookName,
  text: string,
  more: Record<string, string>,
): Promise<HookEnd> {
  const { control, lines, order } = job;
  const limitMs = control.stopped === "agent_stopped"
    ? AFTER_AGENT_STOP_MS
    : job.hooks.timeout_seconds * 1000;
  lines.add("agent", `Running the ${name} (time limit ${limitMs / 1000} s).`);
  const output = new HookOutput(lines);
  using shell = shellFor(agent, order.job_id, text);
  const process = new ManagedProcess({
    ...shell.command,
    environment: {
      ...shell.environment,
      ...ownEnvironment(agent.environment, agent.settings.stateDir),
      RM_JOB_ID: order.job_id,
      RM_JOB_KIND: order.kind,
      RM_HOST: job.host,
      RM_SOURCE_GROUP: job.groupName,
      ...more,
    },
    endSignal: "SIGTERM",
    onOut: output.out.push,
    onError: output.error.push,
  });
  const { graceMs } = agent.limits;
  const overdue = setTimeout(() => process.stop("overdue", graceMs), limitMs);
  // A throttled restic may need minutes to end; a hook gets the plain grace.
  using _attached = control.attachAnew({
    mark: process.mark,
    stop: (why) => process.stop(why, graceMs),
  });
  const exit = await process.exit.finally(() => clearTimeout(overdue));
  output.end();
  return { exit, problem: problemOf(name, exit, limitMs / 1000) };
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

function failureOf({ exit, problem }: HookEnd): Outcome {
  const name = problem?.startsWith("post_hook") ? "post_hook" : "pre_hook";
  switch (exit.stop) {
    case "cancelled":
      return ended("cancelled", "cancelled", `Cancelled: ${problem}.`, exit.code);
    case "agent_stopped":
      return ended("interrupted", "agent_stopped", "The agent was stopped.", exit.code);
    case "overdue":
      return failed(`${name}_overdue`, `${problem}.`, exit.code);
    default:
      return failed(`${name}_failed`, `${problem}`, exit.code);
  }
}

function unsealable(name: HookName): Outcome {
  const reason =
    `The ${name} could not be unsealed on the server, so nothing was run. An admin must enter it anew.`;
  return failed("hook_unsealable", reason, null);
}

type Shell = Disposable & {
  command: Pick<SpawnOptions, "path" | "args" | "rawArguments">;
  environment?: Record<string, string>;
};

// A hook often holds a password, and every user of a machine may read the arguments of every process.
const FROM_ENVIRONMENT = '_hook=$RM_HOOK; unset RM_HOOK; eval "$_hook"';

/** `cmd.exe /C` takes one line only: a longer text goes through a file that is there as long as it runs. */
function shellFor(agent: Agent, jobId: string, text: string): Shell {
  const nothing = () => {};
  if (!windows) {
    return {
      command: { path: "/bin/sh", args: ["-c", FROM_ENVIRONMENT] },
      environment: { RM_HOOK: text },
      [Symbol.dispose]: nothing,
    };
  }
  const cmd = (line: string) => ({
    path: agent.environment("ComSpec") ?? "C:\\Windows\\System32\\cmd.exe",
    // With /S the outer quotes go and all between them stays as it is.
    args: ["/D", "/S", "/C", `"${line}"`],
    rawArguments: true,
  });
  const lines = text.trimEnd().split("\n");
  if (lines.length === 1) return { command: cmd(lines[0]!), [Symbol.dispose]: nothing };
  const folder = join(agent.settings.stateDir, "hooks");
  makePrivateDirectory(folder);
  const file = join(folder, `${jobId}.cmd`);
  replaceFile(file, `@echo off\r\n${lines.join("\r\n")}\r\n`);
  return {
    command: cmd(`"${file}"`),
    [Symbol.dispose]: () => Deno.removeSync(file),
  };
}
