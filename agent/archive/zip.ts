// A zip as a stream (PKWARE APPNOTE 6.3): members are stored, their sums follow them, and the directory at the end is all that is kept of them.
// Names are bytes: those that are UTF-8 are marked as such.
import { crc32 } from "node:zlib";
import { textOf } from "../../shared/snapshot_path.ts";
import { joinBytes } from "./bytes.ts";
import type { ArchiveEntry, EntryType } from "./entry.ts";

/** Bytes of the directory: about 200,000 members. It is in memory until the end. */
export const ZIP_DIRECTORY_LIMIT = 25_165_824;

const MOST_32 = 0xffff_ffff;
const MOST_16 = 0xffff;
const UNIX = 3;
/** Of the format that has sizes of 64 bits. */
const VERSION = 45;
const FLAG_SUM_FOLLOWS = 1 << 3;
const FLAG_UTF8 = 1 << 11;
/** The types of files in Unix' modes. */
const KINDS: Record<EntryType, number> = { file: 0o100000, link: 0o120000, folder: 0o040000 };
const encoder = new TextEncoder();

export class ZipTooLarge extends Error {
  override name = "ZipTooLarge";
}

interface Member {
  entry: ArchiveEntry;
  path: Uint8Array;
  at: number;
  sum: number;
  written: number;
  isLarge: boolean;
}

/** What it returns goes into the archive in this order: begin(), what was given to add(), end() of each member, then finish(). */
export class ZipWriter {
  #at = 0;
  #count = 0;
  #member: Member | undefined;
  readonly #directory: Uint8Array[] = [];
  #directoryBytes = 0;
  /** Small records are gathered, since each array costs more than its bytes. */
  #gathered: Uint8Array[] = [];
  #gatheredBytes = 0;

  begin(entry: ArchiveEntry): Uint8Array<ArrayBuffer> {
    const path = entry.type === "folder"
      ? joinBytes([entry.path, encoder.encode("/")])
      : entry.path;
    if (path.length > MOST_16) throw new ZipTooLarge("a path is too long for a zip");
    const isLarge = entry.size >= MOST_32;
    const member = { entry, path, at: this.#at, sum: 0, written: 0, isLarge };
    this.#member = member;
    const large = isLarge ? [u16(1), u16(16), u64(0), u64(0)] : [];
    const extra = joinBytes([...large, timeExtra(entry.seconds)]);
    const sizes = isLarge ? MOST_32 : 0;
    const header = joinBytes([
      u32(0x04034b50),
      ...common(member),
      u32(0),
      u32(sizes),
      u32(sizes),
      u16(path.length),
      u16(extra.length),
      path,
      extra,
    ]);
    if (entry.type !== "link") return this.#counted(header);
    return this.#counted(joinBytes([header, this.#sum(entry.target)]));
  }

  /** Bytes of the member, which are the archive's as they are. */
  add(bytes: Uint8Array): Uint8Array {
    this.#sum(bytes);
    this.#at += bytes.length;
    return bytes;
  }

  end(): Uint8Array<ArrayBuffer> {
    const member = this.#member!;
    this.#member = undefined;
    const { sum, written, isLarge } = member;
    this.#keep(member);
    const size = isLarge ? u64(written) : u32(written);
    return this.#counted(joinBytes([u32(0x08074b50), u32(sum), size, size]));
  }

  *finish(): Generator<Uint8Array> {
    const [at, size] = [this.#at, this.#directoryBytes];
    this.#flush();
    yield* this.#directory;
    const needs64 = this.#count >= MOST_16 || at >= MOST_32 || size >= MOST_32;
    if (needs64) {
      yield joinBytes([
        u32(0x06064b50),
        u64(44),
        u16(UNIX << 8 | VERSION),
        u16(VERSION),
        u32(0),
        u32(0),
        u64(this.#count),
        u64(this.#count),
        u64(size),
        u64(at),
        u32(0x07064b50),
        u32(0),
        u64(at + size),
        u32(1),
      ]);
    }
    const count = u16(Math.min(this.#count, MOST_16));
    yield joinBytes([
      u32(0x06054b50),
      u32(0),
      count,
      count,
      u32(Math.min(size, MOST_32)),
      u32(Math.min(at, MOST_32)),
      u16(0),
    ]);
  }

  #counted(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    this.#at += bytes.length;
    return bytes;
  }

  #sum(bytes: Uint8Array): Uint8Array {
    const member = this.#member!;
    member.sum = crc32(bytes, member.sum);
    member.written += bytes.length;
    return bytes;
  }

  #keep(member: Member): void {
    const { entry, path, at, sum, written, isLarge } = member;
    const isFar = at >= MOST_32;
    const large = [...isLarge ? [u64(written), u64(written)] : [], ...isFar ? [u64(at)] : []];
    const extra = joinBytes([
      ...large.length > 0 ? [u16(1), u16(large.length * 8), ...large] : [],
      timeExtra(entry.seconds),
    ]);
    const mode = KINDS[entry.type] | entry.mode;
    const size = isLarge ? MOST_32 : written;
    const record = joinBytes([
      u32(0x02014b50),
      u16(UNIX << 8 | VERSION),
      ...common(member),
      u32(sum),
      u32(size),
      u32(size),
      u16(path.length),
      u16(extra.length),
      u16(0),
      u16(0),
      u16(0),
      u32((mode << 16 | (entry.type === "folder" ? 0x10 : 0)) >>> 0),
      u32(isFar ? MOST_32 : at),
      path,
      extra,
    ]);
    this.#count++;
    this.#gathered.push(record);
    this.#gatheredBytes += record.length;
    this.#directoryBytes += record.length;
    if (this.#gatheredBytes > 65_536) this.#flush();
    if (this.#directoryBytes > ZIP_DIRECTORY_LIMIT) {
      throw new ZipTooLarge(`a zip of more than ${this.#count} members is not made here`);
    }
  }

  #flush(): void {
    if (this.#gatheredBytes > 0) this.#directory.push(joinBytes(this.#gathered));
    this.#gathered = [];
    this.#gatheredBytes = 0;
  }
}

/** What the header of a member and its place in the directory have in common. */
function common({ path, entry }: Member): Uint8Array[] {
  const flags = FLAG_SUM_FOLLOWS | (textOf(path) === undefined ? 0 : FLAG_UTF8);
  return [u16(VERSION), u16(flags), u16(0), ...dosTime(entry.seconds)];
}

/** In UTC, in the years that it can say; timeExtra() has the time exactly. */
function dosTime(seconds: number): Uint8Array[] {
  const at = new Date(Math.min(Math.max(seconds, 315_532_800), 4_354_819_198) * 1000);
  const time = at.getUTCHours() << 11 | at.getUTCMinutes() << 5 | at.getUTCSeconds() >> 1;
  const date = at.getUTCFullYear() - 1980 << 9 | at.getUTCMonth() + 1 << 5 | at.getUTCDate();
  return [u16(time), u16(date)];
}

/** "Extended timestamp": the seconds since 1970 (Info-ZIP, 0x5455), where 32 bits can say it. */
function timeExtra(seconds: number): Uint8Array {
  if (seconds < -0x8000_0000 || seconds > 0x7fff_ffff) return new Uint8Array();
  return joinBytes([u16(0x5455), u16(5), Uint8Array.of(1), u32(seconds >>> 0)]);
}

function u16(value: number): Uint8Array {
  return Uint8Array.of(value & 0xff, value >>> 8 & 0xff);
}

function u32(value: number): Uint8Array {
  return Uint8Array.of(value, value >>> 8, value >>> 16, value >>> 24);
}

function u64(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value), true);
  return bytes;
}
