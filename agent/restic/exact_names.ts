// The bytes of names that are no UTF-8. In restic's JSON each such byte is U+FFFD, and so is a real U+FFFD; its plain listing has the bytes,
// one path a line in the same order, but cannot say where a name with a line feed ends. Each without the other is not enough.

const UNKNOWN = "\ufffd";
const encoder = new TextEncoder();
const LINE_FEED = 10;

/** Whether the JSON may not say all of it. */
export function isUncertain(name: string): boolean {
  return name.includes(UNKNOWN);
}

/** Reads the plain listing of a folder of which the JSON gave these names. */
export class ExactNames {
  /** The bytes of those that are uncertain, by their place in the list. */
  readonly found = new Map<number, Uint8Array>();
  #rest: Uint8Array = new Uint8Array();
  #next = 0;

  /** `before` is what each path begins with. */
  constructor(private readonly before: Uint8Array, private readonly names: readonly string[]) {}

  get isWhole(): boolean {
    return this.#next === this.names.length;
  }

  /** Takes a piece. False when it is not the listing of these names. */
  push(piece: Uint8Array): boolean {
    const bytes = new Uint8Array(this.#rest.length + piece.length);
    bytes.set(this.#rest);
    bytes.set(piece, this.#rest.length);
    let at = 0;
    while (!this.isWhole) {
      const end = this.#match(bytes, at);
      if (end === "no") return false;
      if (end === "more") break;
      at = end;
      this.#next++;
    }
    this.#rest = this.isWhole ? new Uint8Array() : bytes.slice(at);
    return true;
  }

  /** Where the line of the next name ends. */
  #match(bytes: Uint8Array, from: number): number | "more" | "no" {
    const begin = from + this.before.length;
    if (bytes.length < begin) return "more";
    if (!startsAt(bytes, from, this.before)) return "no";
    const name = this.names[this.#next]!;
    const end = endOf(bytes, begin, name);
    if (typeof end === "string") return end;
    if (end >= bytes.length) return "more";
    if (bytes[end] !== LINE_FEED) return "no";
    if (isUncertain(name)) this.found.set(this.#next, bytes.slice(begin, end));
    return end + 1;
  }
}

function endOf(bytes: Uint8Array, begin: number, name: string): number | "more" | "no" {
  let at = begin;
  for (const part of name.split(/(\ufffd)/)) {
    if (part === UNKNOWN) {
      // The character itself has three bytes, of which the last two cannot begin a name's next character.
      const is = (byte: number, n: number) => bytes[at + n] === byte;
      if (at + 3 > bytes.length && bytes[at] === 0xef && bytes.at(-1) !== LINE_FEED) return "more";
      if (at >= bytes.length) return "more";
      if (is(0xef, 0) && is(0xbf, 1) && is(0xbd, 2)) at += 3;
      else if (bytes[at]! >= 0x80) at++;
      else return "no";
      continue;
    }
    const text = encoder.encode(part);
    if (!startsAt(bytes, at, text)) return bytes.length < at + text.length ? "more" : "no";
    at += text.length;
  }
  return at;
}

function startsAt(bytes: Uint8Array, at: number, what: Uint8Array): boolean {
  for (let n = 0; n < what.length; n++) if (bytes[at + n] !== what[n]) return false;
  return true;
}
