// Which restic there is. Asked again before each job, since a package upgrade may replace it at any time.
import { dirname, join } from "node:path";
import type { ResticProblemCode } from "../../shared/protocol.ts";
import { messageOf } from "../../shared/log.ts";

export interface ResticProgram {
  path: string;
  /** Such as 0.18.0. */
  version: string;
}

/** There is no restic that can be used. The message tells a person what to do. */
export class ResticProblem extends Error {
  override name = "ResticProblem";
  constructor(readonly code: ResticProblemCode, message: string) {
    super(message);
  }
}

const windows = Deno.build.os === "windows";
export const OLDEST_RESTIC = "0.14.0";
// Less than the server waits for hello.
const PROBE_MS = 8000;
/** Bytes. restic prints one line; what prints without end is no restic. */
const OUTPUT_READ = 4096;
const SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

export class ResticFinder {
  #known: { stamp: string; program: ResticProgram } | undefined;

  /** `path` as RM_RESTIC gives it; undefined looks through the search path. */
  constructor(
    private readonly path: string | undefined,
    private readonly searchPath: string = Deno.env.get("PATH") ?? SEARCH_PATH,
  ) {}

  /** The program and its version. Throws ResticProblem. */
  async find(): Promise<ResticProgram> {
    const { path, stamp } = this.path ? this.#atPath(this.path) : this.#inSearchPath();
    if (this.#known?.stamp === stamp) return this.#known.program;
    const program = { path, version: await probe(path) };
    this.#known = { stamp, program };
    return program;
  }

  #atPath(path: string): { path: string; stamp: string } {
    const stamp = stampOf(path);
    if (stamp) return { path, stamp };
    throw missing(`No restic was found at ${path} (RM_RESTIC).`);
  }

  #inSearchPath(): { path: string; stamp: string } {
    const folders = this.searchPath.split(windows ? ";" : ":");
    // No package manager puts restic there by default; beside the agent is a good place for it.
    if (windows) folders.push(dirname(Deno.execPath()));
    for (const directory of folders) {
      const path = join(directory, windows ? "restic.exe" : "restic");
      const stamp = directory && stampOf(path);
      if (stamp) return { path, stamp };
    }
    throw missing("restic was not found on this machine.");
  }
}

/** Compares versions such as 0.16.1 number by number. */
export function isAtLeast(version: string, least: string): boolean {
  const [have, need] = [version, least].map((text) => text.split(".").map(Number));
  for (let i = 0; i < 3; i++) {
    const difference = (have?.[i] ?? 0) - (need?.[i] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}

async function probe(path: string): Promise<string> {
  let text: string;
  try {
    text = await outputOf(path);
  } catch (error) {
    throw missing(`restic at ${path} cannot be started: ${messageOf(error)}.`);
  }
  const version = /^restic v?(\d+\.\d+\.\d+)/m.exec(text)?.[1];
  if (!version) throw missing(`The program at ${path} does not answer as restic does.`);
  if (isAtLeast(version, OLDEST_RESTIC)) return version;
  throw new ResticProblem(
    "restic_too_old",
    `restic ${version} at ${path} is too old. Install restic ${OLDEST_RESTIC} or newer.`,
  );
}

/**
 * The first bytes that it prints. Not longer than the time allowed, whatever hangs: a wrapper that heeds no signal, something that
 * it started and that keeps its output open, a file on a server that is gone. A job that waits here keeps all others waiting.
 */
async function outputOf(path: string): Promise<string> {
  const child = new Deno.Command(path, {
    args: ["version"],
    env: windows ? {} : { PATH: SEARCH_PATH },
    clearEnv: !windows,
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const reader = child.stdout.getReader();
  let isOverdue = false;
  const timer = setTimeout(() => {
    isOverdue = true;
    // What holds the output open may outlive the program: our end of it is closed, not waited for.
    reader.cancel().catch(() => {});
  }, PROBE_MS);
  try {
    const text = await readText(reader);
    if (isOverdue) throw new Error(`no answer within ${PROBE_MS / 1000} s`);
    return text;
  } finally {
    clearTimeout(timer);
    await reader.cancel().catch(() => {});
    end(child);
  }
}

async function readText(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  for (let text = "";;) {
    const { done, value } = await reader.read();
    if (done || text.length > OUTPUT_READ) return text;
    text += decoder.decode(value, { stream: true });
  }
}

/** Nothing more is expected of it, whether it has ended or not. */
function end(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch {
    // It has ended.
  }
  child.unref();
}

/** Changes whenever the file is replaced; undefined when there is no such file. */
function stampOf(path: string): string | undefined {
  try {
    const { isFile, mtime, size, ino, dev } = Deno.statSync(path);
    return isFile ? [path, mtime?.getTime(), size, ino, dev].join("|") : undefined;
  } catch {
    return undefined;
  }
}

function missing(what: string): ResticProblem {
  const advice = windows
    ? `Put restic.exe beside the agent (${dirname(Deno.execPath())}), or set RM_RESTIC to its path.`
    : "Install it with the package manager, or set RM_RESTIC to the path of restic.";
  return new ResticProblem("restic_missing", `${what} ${advice}`);
}
