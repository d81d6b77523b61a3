// The segments that no longer grow: given out, forgotten when acknowledged, shortened when there are too many.
import { removeIfThere, replaceFile } from "../files.ts";
import { type Log, messageOf } from "../../shared/log.ts";
import { encodeEntry, type Entry } from "./entry.ts";
import { readSegment, type Segment } from "./segment.ts";
import { withoutLines } from "./thin.ts";

export class Archive {
  /** Oldest first. */
  #segments: Segment[] = [];
  #loaded: { path: string; entries: Entry[] } | undefined;

  constructor(private readonly log: Log, private readonly segmentBytes: number) {}

  get bytes(): number {
    return this.#segments.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  get isEmpty(): boolean {
    return this.#segments.length === 0;
  }

  add(segment: Segment): void {
    this.#segments.push(segment);
  }

  /** All entries of the first segment that holds some after this number. */
  entriesAfter(seq: number): Entry[] {
    for (;;) {
      const segment = this.#segments.find(({ last }) => last > seq);
      if (!segment) return [];
      try {
        return this.#entriesOf(segment);
      } catch (error) {
        // What it holds is lost; it must not keep back for ever what comes after it. The file stays where it is.
        this.log.error(`${segment.path} cannot be read and is left out: ${messageOf(error)}`);
        this.#segments = this.#segments.filter((each) => each !== segment);
      }
    }
  }

  /** Removes the segments that hold nothing after this number. */
  forget(upTo: number): void {
    for (const { path, last } of this.#segments) if (last <= upTo) this.remove(path);
    this.#segments = this.#segments.filter(({ last }) => last > upTo);
  }

  remove(path: string): void {
    try {
      removeIfThere(path);
    } catch (error) {
      this.log.error(`${path} could not be removed: ${messageOf(error)}`);
    }
  }

  /** Drops the oldest lines until no more than this is left, or only results are. */
  shortenTo(bytes: number): void {
    while (this.bytes > bytes) {
      const index = this.#segments.findIndex(({ thinned }) => !thinned);
      if (index < 0) return;
      try {
        this.#thin(index);
      } catch (error) {
        this.log.error(`The journal could not be shortened: ${messageOf(error)}`);
        return;
      }
    }
  }

  #thin(index: number): void {
    const segment = this.#segments[index]!;
    const before = this.#segments[index - 1];
    // Thinned neighbours become one, or an endless log would leave a file of markers per segment.
    const merged = before?.thinned && before.bytes < this.segmentBytes / 2 ? before : undefined;
    const kept = withoutLines([
      ...(merged ? this.#entriesOf(merged) : []),
      ...this.#entriesOf(segment),
    ]);
    const target = merged ?? segment;
    const content = joined(kept.map(encodeEntry));
    replaceFile(target.path, content);
    if (merged) this.remove(segment.path);
    this.#segments.splice(merged ? index - 1 : index, merged ? 2 : 1, {
      ...target,
      last: kept.at(-1)?.seq ?? 0,
      bytes: content.length,
      thinned: true,
    });
    this.#loaded = undefined;
    this.log.warn(`The journal is full: lines up to report ${segment.last} were dropped`);
  }

  #entriesOf(segment: Segment): Entry[] {
    if (this.#loaded?.path !== segment.path) {
      this.#loaded = { path: segment.path, entries: readSegment(segment.path).entries };
    }
    return this.#loaded.entries;
  }
}

export function joined(parts: Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
