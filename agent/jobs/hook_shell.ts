// How a hook's text becomes a process: its text is in no argument, since a hook often holds a password and every user of a
// machine may read the arguments of every process.
import { join } from "node:path";
import type { HookName } from "../../shared/hooks.ts";
import type { Agent } from "../agent.ts";
import { removeIfThere, replaceFile } from "../files.ts";
import { type Log, messageOf } from "../../shared/log.ts";
import type { SpawnOptions } from "../process.ts";
import { stopAtFirstError } from "./cmd_script.ts";

export interface HookText {
  jobId: string;
  name: HookName;
  text: string;
  stopsAtError: boolean;
}

/** Must be disposed when the hook has ended: it may own a file. */
export type Shell = Disposable & {
  command: Pick<SpawnOptions, "path" | "args" | "rawArguments" | "mark">;
  environment?: Record<string, string>;
};

const windows = Deno.build.os === "windows";
const nothing = () => {};

// Of two pipes nobody could say which line came last.
const ONE_PIPE = "exec 2>&1;";
const TAKE_TEXT = "_hook=$RM_HOOK; unset RM_HOOK;";
const RUN_TEXT = 'eval "$_hook"';

/** As the kernel reads it: a program, and all that follows as one argument. */
const INTERPRETER = /^#![ \t]*(\S+)(?:[ \t]+(\S|\S.*\S))?[ \t]*$/;

/** Throws when the file that it needs cannot be written. */
export function shellFor(agent: Agent, hook: HookText): Shell {
  if (windows) return cmdFor(agent, hook);
  const interpreter = INTERPRETER.exec(hook.text.split("\n", 1)[0]!);
  if (interpreter) return interpreterFor(agent, hook, interpreter);
  const steps = [ONE_PIPE, TAKE_TEXT, ...(hook.stopsAtError ? ["set -e;"] : []), RUN_TEXT];
  return {
    command: { path: "/bin/sh", args: ["-c", steps.join(" ")] },
    environment: { RM_HOOK: hook.text },
    [Symbol.dispose]: nothing,
  };
}

/** Removes what a crash left of files that hooks ran from. Never throws. */
export function removeHookFiles(stateDir: string, log: Log): void {
  try {
    for (const { name } of Deno.readDirSync(folderOf(stateDir))) {
      removeFile(join(folderOf(stateDir), name), log);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) {
      log.warn(`Old files of hooks could not be removed: ${messageOf(error)}`);
    }
  }
}

/** The interpreter is given the file, so that it may lie where programs may not be run (noexec). */
function interpreterFor(agent: Agent, hook: HookText, [, path, argument]: RegExpExecArray): Shell {
  const file = writeFile(agent, hook, "", hook.text);
  return {
    command: {
      path: "/bin/sh",
      args: ["-c", 'exec "$@" 2>&1', "sh", path!, ...(argument ? [argument] : []), file.path],
      // The interpreter takes the shell's place, and with env another program that of env; all have the file as an argument.
      mark: { path: file.path, verb: "" },
    },
    [Symbol.dispose]: file[Symbol.dispose],
  };
}

/** `cmd.exe /C` takes one line only: a longer text goes through a file that is there as long as it runs. */
function cmdFor(agent: Agent, hook: HookText): Shell {
  const cmd = (line: string) => ({
    path: agent.environment("ComSpec") ?? "C:\\Windows\\System32\\cmd.exe",
    // With /S the outer quotes go and all between them stays as it is.
    args: ["/D", "/S", "/C", `"${line}"`],
    rawArguments: true,
  });
  const lines = hook.text.trimEnd().split("\n");
  if (lines.length === 1) return { command: cmd(lines[0]!), [Symbol.dispose]: nothing };
  const steps = hook.stopsAtError ? stopAtFirstError(lines) : lines;
  const file = writeFile(agent, hook, ".cmd", `@echo off\r\n${steps.join("\r\n")}\r\n`);
  return { command: cmd(`"${file.path}"`), [Symbol.dispose]: file[Symbol.dispose] };
}

const FOLDER = "hooks";

function folderOf(stateDir: string): string {
  return join(stateDir, FOLDER);
}

function writeFile(agent: Agent, { jobId, name }: HookText, ending: string, content: string) {
  const folder = agent.state.scratch(FOLDER);
  const path = join(folder, `${jobId}-${name}${ending}`);
  replaceFile(path, content);
  if (!windows) Deno.chmodSync(path, 0o700);
  return { path, [Symbol.dispose]: () => removeFile(path, agent.log) };
}

/** A hook may have removed it itself; one that cannot be removed goes at the agent's next start. */
function removeFile(path: string, log: Log): void {
  try {
    removeIfThere(path);
  } catch (error) {
    log.warn(`${path} could not be removed: ${messageOf(error)}`);
  }
}
