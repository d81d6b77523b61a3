// The handle by which a job that runs is told to stop.
import type { ManagedProcess, ProcessMark, Stop } from "../process.ts";

export interface ControlEvents {
  /** restic is about to be started. */
  onStart: () => void;
  onProcess: (mark: ProcessMark) => void;
  /** restic ended in a way that may have left its lock. */
  onLock: () => void;
}

export type Stoppable = Pick<ManagedProcess, "mark" | "stop">;

export class JobControl {
  #stopped: { why: Stop; graceMs: number } | null = null;
  #process: Stoppable | undefined;
  #wake: (() => void) | undefined;

  constructor(private readonly events: ControlEvents) {}

  /** Why the job was told to stop, or null. */
  get stopped(): Stop | null {
    return this.#stopped?.why ?? null;
  }

  /** Interrupts what runs and lets nothing more start. The first reason stays. */
  stop(why: Stop, graceMs: number): void {
    this.#stopped ??= { why, graceMs };
    this.#process?.stop(this.#stopped.why, graceMs);
    this.#wake?.();
  }

  /** Waits, but not when the job is told to stop. */
  async pause(ms: number): Promise<void> {
    if (this.#stopped) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      timer = setTimeout(resolve, ms);
    });
    clearTimeout(timer);
    this.#wake = undefined;
  }

  beforeStart(): void {
    this.events.onStart();
  }

  noteLock(): void {
    this.events.onLock();
  }

  /** Lets a stop reach this process until the result is disposed. */
  attach(process: Stoppable, spare: boolean): Disposable {
    this.events.onProcess(process.mark);
    if (!spare) {
      this.#process = process;
      if (this.#stopped) process.stop(this.#stopped.why, this.#stopped.graceMs);
    }
    return { [Symbol.dispose]: () => this.#process = undefined };
  }

  /** The same for what is due although the job was told to stop before: only a stop from now on reaches it. */
  attachAgain(process: Stoppable): Disposable {
    this.events.onProcess(process.mark);
    this.#process = process;
    return { [Symbol.dispose]: () => this.#process = undefined };
  }
}
