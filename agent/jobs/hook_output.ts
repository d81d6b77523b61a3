// What a hook prints, as lines of its job: the beginning as it comes, and of long output the last lines, which say why it failed.
import type { JobLines } from "./lines.ts";
import { TerminalLines } from "./terminal_lines.ts";

/** What a hook prints on: the log of its job, or what takes its place. */
export type LineTarget = Pick<JobLines, "add">;

export const HOOK_LINES = 10_000;
/** Of the beginning, and of the last lines again. */
export const HOOK_CHARACTERS = 4_194_304;
export const LAST_LINES = 200;

export class HookOutput {
  readonly out = this.#reader();
  readonly error = this.#reader();
  /** The last line that was not blank; "" when there was none. */
  lastLine = "";
  #lines = 0;
  #characters = 0;
  #last: string[] = [];
  #lastCharacters = 0;
  #leftOut = 0;

  constructor(private readonly lines: LineTarget) {}

  /** Gives what waits: what was printed without a line break, and the last lines. To be called once, when the hook has ended. */
  end(): void {
    this.out.end();
    this.error.end();
    if (this.#leftOut > 0) {
      const what = this.#leftOut === 1 ? "1 line was" : `${this.#leftOut} lines were`;
      this.#give(`[cut: the hook printed more than a log keeps; ${what} left out here]`);
    }
    for (const line of this.#last) this.#give(line);
  }

  get #isFull(): boolean {
    return this.#lines >= HOOK_LINES || this.#characters >= HOOK_CHARACTERS;
  }

  #reader() {
    const lines = new TerminalLines((line) => this.#add(line));
    return {
      // What comes after the limit is still read, so that the hook does not stand still.
      push: (chunk: Uint8Array) => {
        const skipped = lines.push(chunk, this.#isFull ? LAST_LINES : Infinity);
        // Not in one step: meanwhile other lines may have been left out.
        this.#leftOut += skipped;
      },
      end: () => lines.end(),
    };
  }

  #add(line: string): void {
    if (line.trim() !== "") this.lastLine = line;
    if (this.#isFull) return this.#keepLast(line);
    this.#lines++;
    this.#characters += line.length;
    this.#give(line);
  }

  #keepLast(line: string): void {
    this.#last.push(line);
    this.#lastCharacters += line.length;
    while (this.#last.length > LAST_LINES || this.#lastCharacters > HOOK_CHARACTERS) {
      this.#lastCharacters -= this.#last.shift()!.length;
      this.#leftOut++;
    }
  }

  #give(line: string): void {
    this.lines.add("hook", `hook: ${line}`);
  }
}
