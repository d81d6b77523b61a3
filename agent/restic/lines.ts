// Bytes to lines, with a bound: what is in a line beyond the limit is dropped and a mark says so.
import { LINE_LENGTH_LIMIT } from "../../shared/job.ts";

export const CUT_MARK = cutMark(LINE_LENGTH_LIMIT);

function cutMark(limit: number): string {
  return ` [cut: the line was longer than ${limit} characters]`;
}

export class LineSplitter {
  readonly #decoder = new TextDecoder();
  #rest = "";
  #isCut = false;

  constructor(
    private readonly onLine: (line: string) => void,
    private readonly limit = LINE_LENGTH_LIMIT,
  ) {}

  push(chunk: Uint8Array): void {
    this.#take(this.#decoder.decode(chunk, { stream: true }));
  }

  /** Gives the last line when it had no line break. */
  end(): void {
    this.#take(this.#decoder.decode());
    if (this.#rest !== "" || this.#isCut) this.#give("");
  }

  #take(text: string): void {
    let start = 0;
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", start)) {
      this.#give(text.slice(start, end));
      start = end + 1;
    }
    if (start < text.length) this.#keep(start === 0 ? text : text.slice(start));
  }

  #give(last: string): void {
    this.#keep(last);
    const line = this.#rest;
    const isCut = this.#isCut;
    this.#rest = "";
    this.#isCut = false;
    this.onLine(
      isCut ? line + cutMark(this.limit) : line.endsWith("\r") ? line.slice(0, -1) : line,
    );
  }

  #keep(text: string): void {
    if (this.#isCut || text === "") return;
    const line = this.#rest + text;
    this.#isCut = line.length > this.limit + 1 ||
      line.length > this.limit && !line.endsWith("\r");
    // Half of a surrogate pair is no character.
    this.#rest = this.#isCut ? line.slice(0, this.limit).replace(/[\ud800-\udbff]$/, "") : line;
  }
}
