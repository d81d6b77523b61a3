// Runs one restic command: arguments into the log, deadlines, output, and what it all means.
import { limitArguments } from "../../shared/bandwidth.ts";
import { askSsh } from "./ask_ssh.ts";
import { cacheProblem } from "./cache.ts";
import { watchForContact } from "./contact.ts";
import type { ResticContext, RunContext } from "./context.ts";
import { ErrorReader } from "./errors.ts";
import { LineSplitter } from "./lines.ts";
import { beginOf, type Exit, ManagedProcess, type Stop } from "../process.ts";
import type { ErrorFacts, OnItemError } from "./errors.ts";
import { isWordless } from "./refusals.ts";
import { readProc } from "../proc.ts";
import { failureOf, type Outcome } from "./outcome.ts";

export interface RunOptions {
  args: string[];
  /** Arguments that follow them byte by byte, since they are no text. Not on Windows. */
  bytes?: Uint8Array[];
  /** Ends the whole run after this long; without it only contact with the repository has a deadline. */
  wholeMs?: number;
  /** Runs although the job was told to stop, for what must be known about work already done. */
  evenWhenStopped?: boolean;
  onOut?: (line: string) => void;
  /** Instead of lines: the raw output. */
  onOutBytes?: (chunk: Uint8Array) => void;
  /**
   * Instead of both: reads the output itself, and restic stands still while it does not. When it returns before the end, restic is
   * ended. The run ends with it.
   */
  pull?: (out: AsyncIterable<Uint8Array>) => Promise<void>;
  /** What is said of a single file or folder on stderr. */
  onItemError?: OnItemError;
  /** Bytes that it has written so far, once a second; for a version that tells nothing of its progress. Linux. */
  onWritten?: ((bytes: number) => void) | undefined;
  /** The one command that may say --remove-all; its order names the locks. */
  mayRemoveAll?: boolean;
}

export interface Run {
  exit: Exit;
  errors: ErrorFacts;
  /** Set when the exit code, a signal or a stop says that it did not do its work. */
  failure: Outcome | undefined;
}

const NOT_STARTED = { code: null, signal: null, mayLeaveLock: false };

/** Runs restic. Throws only when the program cannot be started. */
export async function runRestic(context: RunContext, options: RunOptions): Promise<Run> {
  const { control, timeouts } = context;
  if (options.args.includes("--remove-all") && !options.mayRemoveAll) {
    throw new Error("only an order that names the locks may remove all of them");
  }
  const errors = new ErrorReader(options.onItemError);
  const finish = (exit: Exit): Run => {
    const deadlineMs = exit.stop === "overdue" ? options.wholeMs ?? 0 : timeouts.contactMs;
    const facts = { exit, errors: errors.facts, url: context.url.url, deadlineMs };
    return { exit, errors: errors.facts, failure: failureOf(facts) };
  };
  if (control.stopped && !options.evenWhenStopped) {
    return finish({ ...NOT_STARTED, stop: control.stopped });
  }
  lookAtCache(context);
  context.lines.add(
    "agent",
    `restic ${context.restic.version}: ${shown(argumentsOf(context, options))}${
      options.bytes ? shownBytes(options.bytes) : ""
    }`,
  );
  const exit = await supervise(context, options, errors);
  // One that was refused never came so far as to make a lock.
  if (exit.mayLeaveLock && exit.stop !== "refused") control.noteLock();
  if (exit.code === 1 && isWordless(errors.facts.text)) {
    for (const line of await askSsh(context.url.url, context.environment)) {
      for (const each of errors.read(`ssh: ${line}`)) context.lines.add("stderr", each);
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

async function supervise(
  context: RunContext,
  options: RunOptions,
  errors: ErrorReader,
): Promise<Exit> {
  const out = new LineSplitter(options.onOut ?? ((line) => context.lines.add("stdout", line)));
  const began = performance.now();
  const err = new LineSplitter((raw) => {
    for (const line of errors.read(raw)) context.lines.add("stderr", line);
    if (isRefused(errors.facts, performance.now() - began)) stop("refused");
  });
  let sawOutput = false;
  context.control.beforeStart();
  // Looks at the cache before the process can touch it.
  using _contact = watchForContact(context.cacheDir, {
    withinMs: context.timeouts.contactMs,
    sawContact: () => sawOutput || errors.facts.contact,
    onSilence: () => stop("unreachable"),
  });
  const process = new ManagedProcess({
    ...commandOf(context, options),
    environment: context.environment,
    onOut: options.pull ? "pull" : (chunk) => {
      sawOutput = true;
      if (options.onOutBytes) options.onOutBytes(chunk);
      else out.push(chunk);
    },
    onError: (chunk) => err.push(chunk),
  });
  const stop = (why: Stop) => process.stop(why, context.timeouts.graceMs);
  using _whole = options.wholeMs ? after(options.wholeMs, () => stop("overdue")) : null;
  using _watched = options.onWritten && watchWritten(process.pid, options.onWritten);
  using _attached = context.control.attach(process, options.evenWhenStopped ?? false);
  const reading = options.pull && letRead(process, options.pull, {
    onOutput: () => sawOutput = true,
    onLeft: () => stop("cancelled"),
  });
  // What the reader threw is told after the end of the process.
  reading?.catch(() => {});
  const exit = await process.exit;
  await reading;
  out.end();
  err.end();
  return exit;
}

const WRITTEN_EVERY_MS = 1000;

function watchWritten(pid: number, tell: (bytes: number) => void): Disposable {
  const timer = setInterval(() => {
    const [, bytes] = /^wchar: (\d+)$/m.exec(readProc(`${pid}/io`) ?? "") ?? [];
    if (bytes !== undefined) tell(Number(bytes));
  }, WRITTEN_EVERY_MS);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** Rejects with what the reader threw. */
async function letRead(
  process: ManagedProcess,
  pull: NonNullable<RunOptions["pull"]>,
  { onOutput, onLeft }: { onOutput: () => void; onLeft: () => void },
): Promise<void> {
  let isAtEnd = false;
  async function* watched(): AsyncGenerator<Uint8Array> {
    for await (const chunk of process.out) {
      onOutput();
      yield chunk;
    }
    isAtEnd = true;
  }
  try {
    await pull(watched());
  } finally {
    // A restic that nobody reads would stand still for ever.
    if (!isAtEnd) onLeft();
  }
}

/** Right after the verb: what follows may end with "--" and paths. */
function argumentsOf(context: ResticContext, { args: [verb = "", ...args] }: RunOptions): string[] {
  const { globals, withoutCache } = context;
  return [verb, ...globals, ...(withoutCache === undefined ? [] : ["--no-cache"]), ...args];
}

/** Becomes the program of its arguments, each of which is written in octal. The point keeps a line feed at the end of one. */
const EXACTLY =
  'LC_ALL=C; for a do a=$(printf "%b." "$a"); set -- "$@" "${a%.}"; shift; done; exec "$@"';

/** Deno starts programs with text alone: what is no text goes through a shell that makes the bytes. */
function commandOf(context: ResticContext, options: RunOptions) {
  const { path } = context.restic;
  const args = argumentsOf(context, options);
  if (!options.bytes) return { path, args };
  const encoder = new TextEncoder();
  const all = [...[path, ...args].map((text) => encoder.encode(text)), ...options.bytes];
  return {
    path: "/bin/sh",
    args: ["-c", EXACTLY, "sh", ...all.map(inOctal)],
    mark: { path, verb: beginOf(args) },
  };
}

function inOctal(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => `\\0${byte.toString(8).padStart(3, "0")}`).join("");
}

/** Before each command: a disk may fill while a job runs. */
function lookAtCache(context: RunContext): void {
  if (context.withoutCache !== undefined) return;
  const problem = cacheProblem(context.cacheDir);
  if (problem !== undefined) goOnWithoutCache(context, problem);
}

/** From here on in this job. */
export function goOnWithoutCache(context: RunContext, problem: string): void {
  context.withoutCache = problem;
  context.lines.add("agent", `restic runs without its cache: ${problem}.`);
}

/** The limits in force as arguments: of every command that moves data. */
export function capArguments(context: ResticContext): string[] {
  return limitArguments(context.limits);
}

function after(ms: number, act: () => void): Disposable {
  const timer = setTimeout(act, ms);
  return { [Symbol.dispose]: () => clearTimeout(timer) };
}

function shownBytes(all: Uint8Array[]): string {
  return all.map((bytes) => ` ${shown([new TextDecoder().decode(bytes)])}`).join("");
}

/** Arguments as a person would type them. There are never secrets in them. */
function shown(args: string[]): string {
  return args.map((arg) => /^[\w@%+=:,./-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", `'\\''`)}'`)
    .join(" ").slice(0, 8000);
}
