// A tar that is made of others as they come: those of restic lose their ends, and headers of our own stand between them.
import { joinBytes } from "./bytes.ts";
import type { ArchiveEntry, ArchivePart } from "./entry.ts";
import { BLOCK, PAX_LIMIT, type PaxRecords, readPax, readTarHeader } from "./tar_headers.ts";
import { paddingOf } from "./tar_headers.ts";

const END_BYTES = 2 * BLOCK;

/** What ends every tar: two blocks of zeros. */
export function tarEnd(): Uint8Array<ArrayBuffer> {
  return new Uint8Array(END_BYTES);
}

/** A tar without its end, so that more can follow. A piece is used before the next one is asked for. Throws an Error for one that has no end. */
export async function* withoutEnd(tar: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let held = new Uint8Array();
  for await (const piece of tar) {
    const surplus = held.length + piece.length - END_BYTES;
    if (surplus <= 0) {
      held = joinBytes([held, piece]);
      continue;
    }
    const ofHeld = Math.min(held.length, surplus);
    if (ofHeld > 0) yield held.subarray(0, ofHeld);
    if (surplus > ofHeld) yield piece.subarray(0, surplus - ofHeld);
    held = joinBytes([held.subarray(ofHeld), piece.subarray(surplus - ofHeld)]);
  }
  if (held.length !== END_BYTES || held.some((byte) => byte !== 0)) {
    throw new Error("the archive of a folder has no end");
  }
}

/** The members of a tar. A piece of one is there until the next part is asked for. Throws an Error for what is not whole. */
export async function* readTar(tar: AsyncIterable<Uint8Array>): AsyncGenerator<ArchivePart> {
  const reader = new TarReader();
  for await (const piece of tar) yield* reader.push(piece);
  reader.end();
}

class TarReader {
  readonly #block = new Uint8Array(BLOCK);
  #filled = 0;
  /** Of the member, or of the pax header before it. */
  #left = 0;
  #padding = 0;
  #pax: Uint8Array[] | undefined;
  #records: PaxRecords = new Map();
  #zeros = 0;

  *push(piece: Uint8Array): Generator<ArchivePart> {
    for (let at = 0; at < piece.length;) {
      const rest = piece.subarray(at);
      if (this.#left > 0) {
        const part = rest.subarray(0, this.#left);
        at += part.length;
        this.#left -= part.length;
        if (!this.#pax) yield { bytes: part };
        else this.#collect(part);
      } else if (this.#padding > 0) {
        const skipped = Math.min(this.#padding, rest.length);
        this.#padding -= skipped;
        at += skipped;
      } else {
        const part = rest.subarray(0, BLOCK - this.#filled);
        this.#block.set(part, this.#filled);
        this.#filled += part.length;
        at += part.length;
        const entry = this.#filled === BLOCK && this.#header();
        if (entry) yield { entry };
      }
    }
  }

  end(): void {
    if (this.#left > 0 || this.#padding > 0 || this.#filled > 0 || this.#zeros < 2) {
      throw new Error("the archive of a folder has no end");
    }
  }

  #collect(part: Uint8Array): void {
    this.#pax!.push(part.slice());
    if (this.#left > 0) return;
    this.#records = readPax(joinBytes(this.#pax!));
    this.#pax = undefined;
  }

  #header(): ArchiveEntry | undefined {
    this.#filled = 0;
    if (this.#block.every((byte) => byte === 0)) {
      this.#zeros++;
      return undefined;
    }
    if (this.#zeros > 0) throw new Error("the archive goes on after its end");
    const read = readTarHeader(this.#block, this.#records);
    this.#records = new Map();
    this.#left = "pax" in read ? read.pax : read.entry.size;
    this.#padding = paddingOf(this.#left);
    if ("entry" in read) return read.entry;
    if (read.pax > PAX_LIMIT) throw new Error("an extended header of the archive is too large");
    this.#pax = [];
    return undefined;
  }
}
