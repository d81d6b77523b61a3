// Runs one restic command for a job: arguments into the log, deadlines, output, and what it all means.
import { type Caps, limitArguments } from "../../shared/bandwidth.ts";
import type { Progress } from "../../shared/job.ts";
import type { CommandRun, NewReport } from "../../shared/protocol.ts";
import type { RepositoryUrl } from "../../shared/repository_url.ts";
import type { FileSystemMemory } from "../file_systems.ts";
import type { JobControl } from "../jobs/control.ts";
import type { JobLines } from "../jobs/lines.ts";
import { askSsh } from "./ask_ssh.ts";
import { cacheProblem } from "./cache.ts";
import { watchForContact } from "./contact.ts";
import { ErrorReader } from "./errors.ts";
import { LineSplitter } from "./lines.ts";
import { type Exit, ManagedProcess, type Stop } from "../process.ts";
import type { ErrorFacts } from "./errors.ts";
import { isWordless } from "./refusals.ts";
import { failureOf, type Outcome } from "./outcome.ts";
import type { ResticProgram } from "./version.ts";
import type { RepositoryAccess } from "../../shared/repository_access.ts";

/** How long the agent waits for what; tests shorten it. */
export interface Limits {
  /** Until restic must have reached the repository. */
  contactMs: number;
  /** For a command that only looks: the whole run. */
  lookMs: number;
  /** From interrupt to kill, on top of what the upload cap needs. */
  graceMs: number;
  /** How long a locked repository is waited for, and how often it is tried. */
  lockWaitMs: number;
  lockRetryMs: number;
}

export const LIMITS: Limits = {
  contactMs: 60_000,
  lookMs: 120_000,
  graceMs: 10_000,
  lockWaitMs: 15 * 60_000,
  lockRetryMs: 30_000,
};

/** All that a restic command needs to know of the job it runs for. */
export interface Task {
  order: CommandRun;
  restic: ResticProgram;
  repository: RepositoryAccess;
  url: RepositoryUrl;
  /** The name under which this host's snapshots stand. */
  snapshotHost: string;
  /** In force for this job since it began. */
  caps: Caps;
  environment: Record<string, string>;
  cacheDir: string;
  /** Why restic runs without it, once that was seen in this job. */
  withoutCache?: string;
  /** Arguments of every command: certificate authority and extended options. */
  globals: string[];
  /** On which file systems the paths of source groups were. */
  fileSystems: Pick<FileSystemMemory, "of" | "remember">;
  limits: Limits;
  lines: JobLines;
  control: JobControl;
  report: (report: NewReport) => void;
  progress: (progress: Progress) => void;
}

export interface RunOptions {
  args: string[];
  /** Ends the whole run after this long; without it only contact with the repository has a deadline. */
  wholeMs?: number;
  /** Runs although the job was told to stop, for what must be known about work already done. */
  evenWhenStopped?: boolean;
  onOut?: (line: string) => void;
  /** Instead of lines: the raw output. */
  onOutBytes?: (chunk: Uint8Array) => void;
}

export interface Run {
  exit: Exit;
  errors: ErrorFacts;
  /** Set when the exit code, a signal or a stop says that it did not do its work. */
  failure: Outcome | undefined;
}

const NOT_STARTED = { code: null, signal: null, mayLeaveLock: false };

/** Runs restic. Throws only when the program cannot be started. */
export async function runRestic(task: Task, options: RunOptions): Promise<Run> {
  const { control, limits } = task;
  if (options.args.includes("--remove-all") && !task.order.remove_all) {
    throw new Error("only an order that names the locks may remove all of them");
  }
  const errors = new ErrorReader();
  const finish = (exit: Exit): Run => {
    const deadlineMs = exit.stop === "overdue" ? options.wholeMs ?? 0 : limits.contactMs;
    const facts = { exit, errors: errors.facts, url: task.url.url, deadlineMs };
    return { exit, errors: errors.facts, failure: failureOf(facts) };
  };
  if (control.stopped && !options.evenWhenStopped) {
    return finish({ ...NOT_STARTED, stop: control.stopped });
  }
  lookAtCache(task);
  task.lines.add("agent", `restic ${task.restic.version}: ${shown(argumentsOf(task, options))}`);
  const exit = await supervise(task, options, errors);
  // One that was refused never came so far as to make a lock.
  if (exit.mayLeaveLock && exit.stop !== "refused") control.noteLock();
  if (exit.code === 1 && isWordless(errors.facts.text)) {
    for (const line of await askSsh(task.url.url, task.environment)) {
      for (const each of errors.read(`ssh: ${line}`)) task.lines.add("stderr", each);
    }
  }
  return finish(exit);
}

/** A second time, so that one refusal by chance ends nothing. */
const TRIES = 2;
/** Until then it is the lock that the command begins with; later ones are made again while it works. */
const FIRST_LOCK_MS = 240_000;

/** restic would go on for a quarter of an hour, whatever the answer is. */
function isRefused({ refusedAtFirst, refusedLock }: ErrorFacts, afterMs: number): boolean {
  return refusedAtFirst >= TRIES || (refusedLock >= TRIES && afterMs < FIRST_LOCK_MS);
}

async function supervise(task: Task, options: RunOptions, errors: ErrorReader): Promise<Exit> {
  const out = new LineSplitter(options.onOut ?? ((line) => task.lines.add("stdout", line)));
  const began = performance.now();
  const err = new LineSplitter((raw) => {
    for (const line of errors.read(raw)) task.lines.add("stderr", line);
    if (isRefused(errors.facts, performance.now() - began)) stop("refused");
  });
  let sawOutput = false;
  task.control.beforeStart();
  // Looks at the cache before the process can touch it.
  using _contact = watchForContact(task.cacheDir, {
    withinMs: task.limits.contactMs,
    sawContact: () => sawOutput || errors.facts.contact,
    onSilence: () => stop("unreachable"),
  });
  const process = new ManagedProcess({
    path: task.restic.path,
    args: argumentsOf(task, options),
    environment: task.environment,
    onOut: (chunk) => {
      sawOutput = true;
      if (options.onOutBytes) options.onOutBytes(chunk);
      else out.push(chunk);
    },
    onError: (chunk) => err.push(chunk),
  });
  const stop = (why: Stop) => process.stop(why, task.limits.graceMs);
  using _whole = options.wholeMs ? after(options.wholeMs, () => stop("overdue")) : null;
  using _attached = task.control.attach(process, options.evenWhenStopped ?? false);
  const exit = await process.exit;
  out.end();
  err.end();
  return exit;
}

/** Right after the verb: what follows may end with "--" and paths. */
function argumentsOf(task: Task, { args: [verb = "", ...args] }: RunOptions): string[] {
  const { globals, withoutCache } = task;
  return [verb, ...globals, ...(withoutCache === undefined ? [] : ["--no-cache"]), ...args];
}

/** Before each command: a disk may fill while a job runs. */
function lookAtCache(task: Task): void {
  if (task.withoutCache !== undefined) return;
  const problem = cacheProblem(task.cacheDir);
  if (problem !== undefined) goOnWithoutCache(task, problem);
}

/** From here on in this job. */
export function goOnWithoutCache(task: Task, problem: string): void {
  task.withoutCache = problem;
  task.lines.add("agent", `restic runs without its cache: ${problem}.`);
}

/** The caps in force as arguments: of every command that moves data. */
export function capArguments(task: Task): string[] {
  return limitArguments(task.caps);
}

function after(ms: number, act: () => void): Disposable {
  const timer = setTimeout(act, ms);
  return { [Symbol.dispose]: () => clearTimeout(timer) };
}

/** Arguments as a person would type them. There are never secrets in them. */
function shown(args: string[]): string {
  return args.map((arg) => /^[\w@%+=:,./-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", `'\\''`)}'`)
    .join(" ").slice(0, 8000);
}
