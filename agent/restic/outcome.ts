// How a run of restic ended, in the words of a job. Exit codes 10, 11 and 12 exist from 0.17 on; older ones give 1 and a text.
import { maskUrlCredentials } from "../../shared/redact.ts";
import type { JobFinished } from "../../shared/protocol.ts";
import type { ErrorFacts } from "./errors.ts";
import { lastRefusal, readRefusal, refusalSentence, tellingLines } from "./refusals.ts";
import type { Exit, Stop } from "../process.ts";

export type Outcome = Omit<JobFinished, "type" | "seq" | "job_id" | "at">;

export interface RunFacts {
  exit: Exit;
  errors: ErrorFacts;
  /** The repository as people know it. */
  url: string;
  /** How long our own deadline was, for the stops "unreachable" and "overdue". */
  deadlineMs: number;
}

/** Why a run failed, or undefined when its exit code says that it did its work (0, or 3: not all of it). */
export function failureOf(run: RunFacts): Outcome | undefined {
  const { exit } = run;
  const isDoneAfterAll = exit.stop === "refused" && exit.code === 0;
  if (exit.stop && !isDoneAfterAll) return stopped(exit.stop, run);
  const killed = describeSignal(exit);
  if (killed) return failed("killed", killed, exit.code);
  if (exit.code === 0 || exit.code === 3) return undefined;
  const cause = causeOf(run);
  if (cause) return failed(cause.code, cause.reason, exit.code);
  const last = lastLine(run.errors.text);
  const what = `restic failed (exit code ${exit.code})`;
  return failed("restic_failed", last ? `${what}: ${last}` : `${what}.`, exit.code);
}

export function failed(code: string, reason: string, exitCode: number | null): Outcome {
  return ended("failed", code, reason, exitCode);
}

export function ended(
  status: Outcome["status"],
  code: string | null,
  reason: string | null,
  exitCode: number | null,
): Outcome {
  return {
    status,
    exit_code: exitCode,
    reason: reason && maskUrlCredentials(reason).slice(0, 2000),
    reason_code: code,
    warnings: 0,
    summary: null,
  };
}

function causeOf(run: RunFacts): { code: string; reason: string } | undefined {
  const { exit, errors } = run;
  const known = CAUSES.find(({ exitCode }) => exitCode === exit.code);
  if (known) return { code: known.code, reason: known.sentence(run) };
  // A text counts only with 1, the code for everything that has none of its own.
  if (exit.code !== 1) return undefined;
  // What was said last counts: what came before it, restic got over.
  const { text } = errors;
  for (const line of tellingLines(text)) {
    const cause = CAUSES.find(({ pattern }) => pattern?.test(line));
    if (cause) return { code: cause.code, reason: cause.sentence(run) };
    const refusal = readRefusal(line, run.url) && lastRefusal(text, run.url);
    if (refusal) return { code: refusal.code, reason: refusalSentence(refusal, run.url) };
  }
  return undefined;
}

interface Cause {
  code: string;
  exitCode?: number;
  pattern?: RegExp;
  sentence: (run: RunFacts) => string;
}

// The order matters: versions before 0.17 ask "Is there a repository …" whatever went wrong with its first file.
const CAUSES: Cause[] = [
  {
    code: "wrong_password",
    exitCode: 12,
    pattern: /wrong password or no key found/,
    sentence: () => "Wrong repository password.",
  },
  {
    code: "locked",
    exitCode: 11,
    pattern: /repository is already locked/,
    sentence: lockedSentence,
  },
  {
    code: "source_missing",
    pattern: /all (?:target|source) directories\/files do not exist/,
    sentence: ({ errors }) => `Nothing to back up: ${missingSentence(errors.missing)}`,
  },
  {
    code: "no_space",
    pattern: /no space left on device|insufficient storage|disk quota exceeded|\(507\)/i,
    sentence: ({ url }) => `No space left in the repository or on this machine: ${url}`,
  },
  {
    code: "no_repository",
    exitCode: 10,
    // Only in what follows the address, in which a port of 34047 or a folder "not found" may stand.
    pattern:
      /unable to open config file: [^\n]*(?:\(404\)|StatusCode=404|(?:does not exist|no such file|not found|cannot find)[^\n:"]*$)/i,
    sentence: ({ url }) => `No repository at ${url}`,
  },
  {
    code: "damaged",
    pattern: /config or key [^\n]* is damaged|ciphertext verification failed/,
    sentence: ({ url }) => `The repository is damaged (its config or key cannot be read): ${url}`,
  },
  { code: "restic_panic", exitCode: 2, sentence: () => "restic itself crashed (exit code 2)." },
];

function lockedSentence({ errors }: RunFacts): string {
  const holder = /locked (?:exclusively )?by PID (\d+) on (\S+)(?: by (\S+))?/.exec(errors.text);
  const since = /lock was created at (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)/.exec(errors.text)?.[1];
  if (!holder) return "The repository is locked by another process.";
  const when = since ? `, since ${since}` : "";
  return `The repository is locked by PID ${holder[1]} on host ${holder[2]}${when}.`;
}

export function missingSentence(missing: string[]): string {
  const shown = missing.slice(0, 5).join(", ");
  const more = missing.length > 5 ? ` and ${missing.length - 5} more` : "";
  return missing.length === 1
    ? `the source path ${shown} does not exist.`
    : `the source paths ${shown}${more} do not exist.`;
}

/** The end of what was told to end. */
export function stoppedBy(stop: Stop, exitCode: number | null): Outcome {
  return stop === "agent_stopped"
    ? ended("interrupted", "agent_stopped", "The agent was stopped.", exitCode)
    : ended("cancelled", "cancelled", "Cancelled.", exitCode);
}

function stopped(stop: Stop, run: RunFacts): Outcome {
  const { exit, url, deadlineMs } = run;
  switch (stop) {
    case "cancelled":
    case "agent_stopped":
      return stoppedBy(stop, exit.code);
    case "refused":
    case "unreachable":
    case "overdue": {
      const seconds = Math.round(deadlineMs / 1000);
      const refusal = lastRefusal(run.errors.text, url);
      if (!refusal) {
        const reason = `The repository did not answer within ${seconds} s: ${url}`;
        return failed("unreachable", reason, exit.code);
      }
      const what = stop === "refused" ? refusal.what : `${refusal.what}, for ${seconds} s`;
      return failed(refusal.code, refusalSentence({ ...refusal, what }, url), exit.code);
    }
  }
}

const SIGNALS: Record<number, string> = {
  130: "SIGINT",
  137: "SIGKILL",
  141: "SIGPIPE",
  143: "SIGTERM",
};

function describeSignal({ code, signal }: Exit): string | undefined {
  const name = signal ?? SIGNALS[code ?? 0];
  if (!name) return undefined;
  const hint = name === "SIGKILL" ? ", as happens when the machine runs out of memory" : "";
  return `restic was ended from outside by ${name}${hint}.`;
}

function lastLine(text: string): string | undefined {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  return lines.findLast((line) => line.startsWith("Fatal")) ?? lines.at(-1);
}
