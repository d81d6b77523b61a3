// What a hook prints, as lines of its job: bounded, however much it prints and whether or not it ends its lines.
import { LineSplitter } from "../restic/lines.ts";
import type { JobLines } from "./lines.ts";

/** What a hook prints on: the log of its job, or what takes its place. */
export type LineTarget = Pick<JobLines, "add">;

export const HOOK_LINES = 10_000;
export const HOOK_CHARACTERS = 4_194_304;

export class HookOutput {
  readonly out = this.#reader();
  readonly error = this.#reader();
  #lines = 0;
  #characters = 0;

  constructor(private readonly lines: LineTarget) {}

  /** Gives what was printed without a line break at the end. */
  end(): void {
    this.out.end();
    this.error.end();
  }

  get #isFull(): boolean {
    return this.#lines >= HOOK_LINES || this.#characters >= HOOK_CHARACTERS;
  }

  #reader() {
    const splitter = new LineSplitter((line) => this.#add(line));
    return {
      // What comes after the limit is still read, so that the hook does not stand still, and dropped.
      push: (chunk: Uint8Array) => this.#isFull || splitter.push(chunk),
      end: () => this.#isFull || splitter.end(),
    };
  }

  #add(line: string): void {
    if (this.#isFull) return;
    this.#lines++;
    this.#characters += line.length;
    this.lines.add("hook", `hook: ${line}`);
    if (!this.#isFull) return;
    this.lines.add("hook", "hook: [cut: the hook printed more than a log keeps; it goes on]");
  }
}
