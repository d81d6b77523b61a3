// One process, restic or a hook: started with a built environment, drained always, ended with its whole process group.

/** Why we ended a process ourselves. */
export type Stop = "cancelled" | "agent_stopped" | "unreachable" | "refused" | "overdue";

export interface Exit {
  /** null when the process was never started. */
  code: number | null;
  signal: string | null;
  /** Set when we asked it to end, whatever its exit code says. */
  stop: Stop | null;
  /** It may not have removed its lock from the repository. */
  mayLeaveLock: boolean;
}

export interface ProcessMark {
  pid: number;
  path: string;
  /** Its first arguments: one alone would fit half of what runs on a machine, `/bin/sh -c`. */
  verb: string;
}

/** The first two arguments, for a mark. */
export function beginOf(args: string[]): string {
  return args.slice(0, 2).join(" ");
}

export interface SpawnOptions {
  path: string;
  args: string[];
  environment: Record<string, string>;
  /** Windows: the arguments as they are, without quotes of ours; cmd.exe has rules of its own. */
  rawArguments?: boolean;
  /** What it is recognised by after a restart of the agent, where that is not its own path and arguments. */
  mark?: Pick<ProcessMark, "path" | "verb">;
  /** What asks it to end; restic removes its lock at an interrupt. */
  endSignal?: "SIGINT" | "SIGTERM";
  /**
   * Takes what the process prints as it comes; or "pull": `out` is read by the caller, and a process that he does not read stands
   * still at a full pipe. A piece of it is there until the next one is asked for.
   */
  onOut: ((chunk: Uint8Array) => void) | "pull";
  onError: (chunk: Uint8Array) => void;
}

const windows = Deno.build.os === "windows";
const TASKKILL = "C:\\Windows\\System32\\taskkill.exe";
const SILENT = { stdin: "null", stdout: "null", stderr: "null" } as const;
// How restic, and how a program that does not heed it, ends at Ctrl-C on Windows.
const INTERRUPTED = [130, -1073741510];
// A grandchild may hold the pipes open after its parent has ended.
const DRAIN_MS = 5000;

export class ManagedProcess {
  readonly pid: number;
  /** What it is recognised by after a restart of the agent. */
  readonly mark: ProcessMark;
  /**
   * Resolves when the process has ended and its output is read, but for `out`. Rejects with what `onOut` or `onError` threw.
   */
  readonly exit: Promise<Exit>;
  /**
   * With "pull": its output, to be read once and to the end, or until after `stop`. One that was stopped ends for its reader soon
   * after, whoever else holds the pipe open.
   */
  get out(): AsyncIterable<Uint8Array> {
    if (!this.#pulled) throw new Error("the output of this process goes to onOut");
    return this.#pulled;
  }
  readonly #pulled: Pulled | undefined;
  readonly #child: Deno.ChildProcess;
  readonly #endSignal: Deno.Signal;
  #stop: Stop | null = null;
  #hasEnded = false;
  #killTimer: number | undefined;

  /** Throws when the program cannot be started. */
  constructor(options: SpawnOptions) {
    this.#child = new Deno.Command(options.path, {
      args: options.args,
      env: options.environment,
      clearEnv: true,
      windowsRawArguments: options.rawArguments ?? false,
      // A directory that certainly exists and that no backup path is relative to.
      cwd: windows ? undefined : "/",
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      // Its own process group, so that what it starts (ssh, rclone, a hook's dump) ends with it.
      detached: !windows,
    }).spawn();
    this.#endSignal = options.endSignal ?? "SIGINT";
    this.pid = this.#child.pid;
    this.mark = {
      pid: this.pid,
      ...options.mark ?? { path: options.path, verb: beginOf(options.args) },
    };
    this.#pulled = options.onOut === "pull" ? new Pulled(this.#child.stdout) : undefined;
    this.exit = this.#run(options);
  }

  /** Asks it to end, and kills it when it has not ended after the grace. What is left of its group then ends too. */
  stop(why: Stop, graceMs: number): void {
    this.#stop ??= why;
    // Its output is still read: what is left of its group keeps that open.
    if (this.#hasEnded) return this.#signal("SIGKILL");
    // On Windows nothing can interrupt it alone; the Ctrl-C that stops the agent has reached it already.
    if (!windows || why !== "agent_stopped") this.#signal(this.#endSignal);
    clearTimeout(this.#killTimer);
    this.#killTimer = setTimeout(() => this.#signal("SIGKILL"), graceMs);
  }

  async #run(options: SpawnOptions): Promise<Exit> {
    const output = [drain(this.#child.stderr, options.onError)];
    if (options.onOut !== "pull") output.push(drain(this.#child.stdout, options.onOut));
    const { code, signal } = await this.#child.status;
    this.#hasEnded = true;
    clearTimeout(this.#killTimer);
    // Nobody but the console that is told to stop interrupts a program there, and it tells the agent too.
    if (windows && INTERRUPTED.includes(code)) this.#stop ??= "agent_stopped";
    if (this.#stop) this.#signal("SIGKILL");
    await settleWithin(DRAIN_MS, output);
    if (this.#stop) await this.#pulled?.end();
    return {
      code,
      signal,
      stop: this.#stop,
      // Even one that was interrupted properly: 0.14 forgets a lock that it was just making.
      mayLeaveLock: this.#stop !== null || signal !== null || [130, 137, 141, 143].includes(code),
    };
  }

  /** Windows: what it started has no group to be reached by, and a process that has ended has no tree any more. */
  #endTree(): void {
    if (this.#hasEnded) return;
    new Deno.Command(TASKKILL, { args: ["/PID", String(this.pid), "/T", "/F"], ...SILENT })
      .outputSync();
    this.#child.kill("SIGKILL");
  }

  #signal(signal: Deno.Signal): void {
    try {
      if (windows) this.#endTree();
      else Deno.kill(-this.pid, signal);
    } catch {
      // It has ended meanwhile.
    }
  }
}

const PIECE_BYTES = 65_536;

/** Output that is read when its reader asks for more; a piece's memory is used again for the next. */
class Pulled implements AsyncIterable<Uint8Array> {
  readonly #reader: ReadableStreamBYOBReader;

  constructor(stream: ReadableStream<Uint8Array>) {
    this.#reader = stream.getReader({ mode: "byob" });
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    let buffer = new ArrayBuffer(PIECE_BYTES);
    try {
      for (;;) {
        const { done, value } = await this.#reader.read(new Uint8Array(buffer));
        if (done) return;
        buffer = value.buffer;
        yield value;
      }
    } finally {
      await this.end();
    }
  }

  /** Lets go of the pipe: a reader that waits sees the end, and a process that writes on is told. */
  async end(): Promise<void> {
    await this.#reader.cancel().catch(() => {
      // A pipe that broke has ended.
    });
  }
}

interface Drain {
  done: Promise<void>;
  end: () => Promise<void>;
}

/** Reads to the end: a process whose output nobody reads stands still. */
function drain(stream: ReadableStream<Uint8Array>, take: (chunk: Uint8Array) => void): Drain {
  const reader = stream.getReader();
  let failure: unknown;
  const read = async () => {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      try {
        take(value);
      } catch (error) {
        failure ??= error;
      }
    }
  };
  return {
    // A pipe that breaks has ended; how the process fared is in its status.
    done: read().catch(() => {}),
    end: async () => {
      await reader.cancel().catch(() => {});
      if (failure) throw failure;
    },
  };
}

async function settleWithin(ms: number, drains: Drain[]): Promise<void> {
  let timer: number | undefined;
  const tooLong = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([Promise.all(drains.map(({ done }) => done)), tooLong]);
  clearTimeout(timer);
  await Promise.all(drains.map(({ end }) => end()));
}
