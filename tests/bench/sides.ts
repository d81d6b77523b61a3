// The programs beside the measured one, each in a process of its own, and what the system says of a process.
import { fileURLToPath } from "node:url";

/** What is generated once and what comes out; ignored by git. */
export const BENCH_FOLDER = fileURLToPath(new URL("../../.bench", import.meta.url));
await Deno.mkdir(BENCH_FOLDER, { recursive: true });

/** A program from programs/, which tells what it has to say in lines of JSON. */
export class Side implements AsyncDisposable {
  /** What it said last. */
  // deno-lint-ignore no-explicit-any
  latest: any;
  #waiting: (() => void)[] = [];
  readonly #child: Deno.ChildProcess;

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#read();
  }

  static start(file: string, ...args: (string | number)[]): Side {
    const path = fileURLToPath(new URL(`programs/${file}`, import.meta.url));
    return new Side(
      new Deno.Command(Deno.execPath(), {
        args: ["run", "--no-check", "-A", path, ...args.map(String)],
        stdin: "null",
        stdout: "piped",
      }).spawn(),
    );
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Resolves with what it says next, or with undefined when it has ended. */
  async next() {
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return this.latest;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended already.
    }
    await this.#child.status;
  }

  async #read(): Promise<void> {
    let rest = "";
    for await (const text of this.#child.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      for (const line of lines) {
        this.latest = JSON.parse(line);
        this.#wake();
      }
    }
    this.latest = undefined;
    this.#wake();
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

export { memoryOf } from "../support/proc.ts";

/** Seconds of processor time of a process and of those of its children that have ended. */
export function processorOf(pid: number): number {
  return processorIn(Deno.readTextFileSync(`/proc/${pid}/stat`));
}

/** The same from the text of a /proc/…/stat (proc(5): fields 14 to 17, in hundredths of a second on Linux). */
export function processorIn(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / 100;
}

export function sleep(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}

/** Waits until the machine does little else, for at most a minute: what others run here would be measured too. */
export async function quiet(): Promise<void> {
  const QUIET = 0.1;
  for (let tries = 0; tries < 60; tries++) {
    const before = busyTime();
    await sleep(1);
    const after = busyTime();
    if ((after.busy - before.busy) / (after.all - before.all) < QUIET) return;
  }
}

/** Since the start of the machine, in ticks of all cores (proc(5), /proc/stat). */
function busyTime(): { busy: number; all: number } {
  const times = Deno.readTextFileSync("/proc/stat").split("\n")[0]!.split(/\s+/).slice(1, 9).map(
    Number,
  );
  const all = times.reduce((sum, each) => sum + each, 0);
  // The fourth and fifth are idle time and waiting for the disk.
  return { busy: all - times[3]! - times[4]!, all };
}
