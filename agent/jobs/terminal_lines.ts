// What a program prints, as the lines that a terminal would show in the end: a progress bar that redraws itself a thousand
// times is one line with its last state. Colours and other control sequences are left out.
import { LINE_LENGTH_LIMIT } from "../../shared/job.ts";
import { CUT_MARK } from "../restic/lines.ts";

/** How many lines can be redrawn; those above them are given away for good. */
const MOST_ROWS = 64;
/** What a sequence that is not complete yet may be long. */
const LONGEST_SEQUENCE = 4096;
const LINE_FEED = 10;
const ESCAPE = 27;

// deno-lint-ignore no-control-regex
const CONTROL = /[\n\r\b\x07\x1b\x9b]/g;
// Sequences as in ECMA-48: CSI with parameters; strings such as a window's title up to their end; two-character ones.
const SEQUENCE =
  // deno-lint-ignore no-control-regex
  /(?:\x1b\[|\x9b)([0-?]*)[ -/]*([@-~])|\x1b[\]PX^_][^\x07\x1b\n]*(?:\x07|\x1b\\)|\x1b[ -/]*([0-OQ-WYZ\\`-~])/y;
// What may be the beginning of one.
// deno-lint-ignore no-control-regex
const BEGUN = /^(?:(?:\x1b\[|\x9b)[0-?]*[ -/]*|\x1b[\]PX^_][^\x07\x1b\n]*\x1b?|\x1b[ -/]*)$/;

interface Row {
  text: string;
  isCut: boolean;
  /** More than appended to: blanks at its end are what was wiped. */
  isRedrawn: boolean;
  /** An earlier line that was given away before the cursor went up to it, and not written to since. */
  isGone: boolean;
}

const blank = (isGone = false): Row => ({ text: "", isCut: false, isRedrawn: false, isGone });

export class TerminalLines {
  #decoder = new TextDecoder();
  #unfinished = "";
  /** One row, unless the program moves the cursor up: from then on rows wait until they cannot be redrawn any more. */
  #rows: Row[] = [blank()];
  #at = 0;
  #column = 0;
  /** All since the carriage return was written from the left on. */
  #isOverwriting = false;
  #mayRedraw = false;
  #saved = { at: 0, column: 0 };

  constructor(private readonly onLine: (line: string) => void) {}

  /** With `last` only so many of the chunk's lines need be given. Returns how many were left out. */
  push(chunk: Uint8Array, last = Infinity): number {
    const { start, lines } = this.#mayRedraw || chunk.includes(ESCAPE)
      ? { start: 0, lines: 0 }
      : beforeLast(chunk, last);
    if (lines > 0) this.#forget();
    this.#take(this.#decoder.decode(chunk.subarray(start), { stream: true }));
    return lines;
  }

  /** Gives what was printed without a line break at the end. */
  end(): void {
    this.#take(this.#decoder.decode());
    const rows = this.#rows;
    this.#settle();
    rows.forEach((row, index) => {
      if (row.text !== "" || row.isCut || index < rows.length - 1) this.#give(row);
    });
    this.#forget();
  }

  #forget(): void {
    this.#decoder = new TextDecoder();
    this.#unfinished = "";
    this.#rows = [blank()];
    this.#at = this.#column = 0;
    this.#isOverwriting = this.#mayRedraw = false;
  }

  get #row(): Row {
    return this.#rows[this.#at]!;
  }

  #take(decoded: string): void {
    const text = this.#unfinished + decoded;
    this.#unfinished = "";
    let at = 0;
    CONTROL.lastIndex = 0;
    for (let found = CONTROL.exec(text); found; found = CONTROL.exec(text)) {
      const { index } = found;
      if (index > at) this.#write(text.slice(at, index));
      at = CONTROL.lastIndex = this.#control(text, index);
      if (at > index) continue;
      const rest = text.slice(index);
      if (rest.length <= LONGEST_SEQUENCE && BEGUN.test(rest)) {
        this.#unfinished = rest;
        return;
      }
      // It begins none: shown as the mark of that character.
      CONTROL.lastIndex = at + 1;
    }
    this.#write(at === 0 ? text : text.slice(at));
  }

  #write(text: string): void {
    if (text === "") return;
    const row = this.#row;
    const room = LINE_LENGTH_LIMIT - this.#column;
    if (text.length > room) row.isCut = true;
    const fits = text.length > room ? text.slice(0, Math.max(0, room)) : text;
    const end = this.#column + fits.length;
    if (this.#column === row.text.length) row.text += fits;
    else {
      const before = row.text.slice(0, this.#column).padEnd(this.#column);
      row.text = before + fits + row.text.slice(end);
      row.isRedrawn = true;
    }
    this.#column = end;
    row.isGone = false;
  }

  /** Obeys what is at an index and returns where it ends: there where it begins nothing that is known or complete. */
  #control(text: string, index: number): number {
    switch (text[index]) {
      case "\n":
        this.#newLine();
        return index + 1;
      case "\r":
        this.#toStart();
        return index + 1;
      case "\b":
        this.#moveTo(this.#column - 1);
        return index + 1;
      case "\x07":
        return index + 1;
    }
    SEQUENCE.lastIndex = index;
    const match = SEQUENCE.exec(text);
    if (!match) return index;
    const [whole, parameters, final, escaped] = match;
    if (escaped === "7") this.#save();
    else if (escaped === "8") this.#restore();
    else if (final && final !== "m") {
      this.#sequence(final, (parameters ?? "").split(";").map(Number));
    }
    return index + whole.length;
  }

  #sequence(final: string, [first = 0, second = 0]: number[]): void {
    const count = first || 1;
    switch (final) {
      case "A":
      case "F":
        this.#up(count);
        return final === "F" ? this.#moveTo(0) : undefined;
      case "B":
      case "E":
        this.#down(count);
        return final === "E" ? this.#moveTo(0) : undefined;
      case "C":
        return this.#moveTo(this.#column + count);
      case "D":
        return this.#moveTo(this.#column - count);
      case "G":
      case "`":
        return count === 1 ? this.#toStart() : this.#moveTo(count - 1);
      case "H":
      case "f":
        this.#toRow(count - 1);
        return this.#moveTo((second || 1) - 1);
      case "d":
        return this.#toRow(count - 1);
      case "J":
        return this.#eraseScreen(first);
      case "K":
        return this.#eraseLine(first);
      case "s":
        return this.#save();
      case "u":
        return this.#restore();
    }
  }

  #newLine(): void {
    this.#settle();
    this.#column = 0;
    if (!this.#mayRedraw) {
      this.#give(this.#row);
      this.#rows = [blank()];
      return;
    }
    this.#at++;
    if (this.#at === this.#rows.length) this.#rows.push(blank());
    if (this.#rows.length <= MOST_ROWS) return;
    // It scrolls on: what it printed is not redrawn any more.
    const rows = this.#rows.splice(0, this.#at);
    for (const row of rows) this.#give(row);
    this.#at = 0;
    this.#mayRedraw = this.#rows.length > 1;
  }

  #toStart(): void {
    this.#settle();
    this.#column = 0;
    this.#isOverwriting = this.#row.text !== "";
  }

  /** What a shorter text left of the one below it, unless it begins at a blank: parts of two words cannot be read. */
  #settle(): void {
    const row = this.#row;
    const column = this.#column;
    const isMixed = /^\S\S/.test(row.text.slice(Math.max(0, column - 1), column + 1));
    if (this.#isOverwriting && column > 0 && isMixed) this.#eraseLine(0);
    this.#isOverwriting = false;
  }

  #moveTo(column: number): void {
    this.#isOverwriting = false;
    this.#column = Math.min(Math.max(0, column), LINE_LENGTH_LIMIT);
  }

  #up(count: number): void {
    this.#settle();
    this.#mayRedraw = true;
    const missing = Math.min(count - this.#at, MOST_ROWS - this.#rows.length);
    for (let n = 0; n < missing; n++) this.#rows.unshift(blank(true));
    this.#at = Math.max(0, this.#at + Math.max(0, missing) - count);
  }

  #down(count: number): void {
    this.#settle();
    this.#at = Math.min(this.#at + count, this.#rows.length - 1);
  }

  #toRow(row: number): void {
    this.#settle();
    this.#mayRedraw = true;
    this.#at = Math.min(row, MOST_ROWS - 1);
    while (this.#rows.length <= this.#at) this.#rows.push(blank(true));
  }

  #save(): void {
    this.#saved = { at: this.#at, column: this.#column };
  }

  #restore(): void {
    this.#settle();
    this.#at = Math.min(this.#saved.at, this.#rows.length - 1);
    this.#moveTo(this.#saved.column);
  }

  #eraseScreen(part: number): void {
    if (part === 0) {
      this.#eraseLine(0);
      this.#rows.length = this.#at + 1;
    } else if (part > 1) {
      this.#rows = this.#rows.map((_, index) => blank(index !== this.#at));
    }
  }

  #eraseLine(part: number): void {
    const row = this.#row;
    row.isRedrawn = true;
    row.isCut = false;
    if (part === 0) row.text = row.text.slice(0, this.#column);
    else if (part === 1) row.text = row.text.slice(this.#column).padStart(row.text.length);
    else row.text = "";
    this.#isOverwriting = false;
  }

  #give({ text, isCut, isRedrawn, isGone }: Row): void {
    if (isGone) return;
    const shown = isRedrawn ? text.trimEnd() : text;
    // Half of a surrogate pair, as cutting and overwriting leave it, is no character.
    this.onLine(isCut ? shown.toWellFormed() + CUT_MARK : isRedrawn ? shown.toWellFormed() : shown);
  }
}

/** Where the last lines of a chunk begin, and how many end before. */
function beforeLast(chunk: Uint8Array, last: number): { start: number; lines: number } {
  if (last === Infinity) return { start: 0, lines: 0 };
  let start = chunk.length;
  for (let n = 0; n <= last; n++) {
    start = start > 0 ? chunk.lastIndexOf(LINE_FEED, start - 1) : -1;
    if (start < 0) return { start: 0, lines: 0 };
  }
  let lines = 1;
  for (let i = 0; i < start; i++) if (chunk[i] === LINE_FEED) lines++;
  return { start: start + 1, lines };
}
