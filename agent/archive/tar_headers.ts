// Headers of a tar (POSIX.1-2001, pax): written for members of our own, and read from what restic writes. Names are bytes, which no package
// leaves as they are: those decode them as UTF-8, and two names that are none would become one.
import { joinBytes } from "./bytes.ts";
import type { ArchiveEntry, EntryType } from "./entry.ts";

export const BLOCK = 512;
/** What pax headers of one member may have: extended attributes stand in them. */
export const PAX_LIMIT = 4_194_304;

const encoder = new TextEncoder();
const ascii = new TextDecoder("latin1");

const FLAGS: Record<EntryType, string> = { file: "0", link: "2", folder: "5" };
const TYPES: Record<string, EntryType> = { "0": "file", "\0": "file", "2": "link", "5": "folder" };

/** How many bytes fill up the last block. */
export function paddingOf(size: number): number {
  return (BLOCK - size % BLOCK) % BLOCK;
}

/** The header of a member; what does not fit into it stands in a pax header before. */
export function tarHeader(entry: ArchiveEntry): Uint8Array<ArrayBuffer> {
  const path = entry.type === "folder" ? joinBytes([entry.path, encoder.encode("/")]) : entry.path;
  const { size, uid, gid, seconds, fraction, target } = entry;
  const records: Record<string, Uint8Array | string> = {};
  if (!fits(path, 100)) records.path = path;
  if (!fits(target, 100)) records.linkpath = target;
  if (size >= 8 ** 11) records.size = String(size);
  if (uid >= 8 ** 7) records.uid = String(uid);
  if (gid >= 8 ** 7) records.gid = String(gid);
  if (fraction || seconds < 0 || seconds >= 8 ** 11) records.mtime = decimal(seconds, fraction);
  const own = block({ ...entry, path }, FLAGS[entry.type]);
  if (Object.keys(records).length === 0) return own;
  const pax = joinBytes(Object.entries(records).map(([key, value]) => record(key, value)));
  const name = encoder.encode("pax");
  const before = block({ ...entry, path: name, target: new Uint8Array(), size: pax.length }, "x");
  return joinBytes([before, pax, new Uint8Array(paddingOf(pax.length)), own]);
}

function fits(bytes: Uint8Array, length: number): boolean {
  return bytes.length <= length && bytes.every((byte) => byte < 0x80);
}

/** Seconds are counted down before 1970, and the digits after the point always up. */
function decimal(seconds: number, fraction: string): string {
  if (!fraction) return String(seconds);
  if (seconds >= 0) return `${seconds}.${fraction}`;
  const rest = 10n ** BigInt(fraction.length) - BigInt(fraction);
  return `-${-seconds - 1}.${String(rest).padStart(fraction.length, "0")}`;
}

/** Its length counts its own digits (POSIX pax, "extended header"). */
function record(key: string, value: Uint8Array | string): Uint8Array {
  const bytes = typeof value === "string" ? encoder.encode(value) : value;
  const rest = key.length + bytes.length + 3;
  let length = rest + String(rest).length;
  length = rest + String(length).length;
  return joinBytes([encoder.encode(`${length} ${key}=`), bytes, encoder.encode("\n")]);
}

function block(entry: Omit<ArchiveEntry, "type">, flag: string): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(BLOCK);
  const put = (at: number, bytes: Uint8Array, most: number) =>
    header.set(bytes.subarray(0, most).map((byte) => byte < 0x80 ? byte : 0x3f), at);
  const octal = (at: number, value: number, digits: number) => {
    const known = value >= 0 && value < 8 ** digits ? value : 0;
    put(at, encoder.encode(known.toString(8).padStart(digits, "0")), digits);
  };
  put(0, entry.path, 100);
  octal(100, entry.mode, 7);
  octal(108, entry.uid, 7);
  octal(116, entry.gid, 7);
  octal(124, entry.size, 11);
  octal(136, entry.seconds, 11);
  put(148, encoder.encode("        "), 8);
  put(156, encoder.encode(flag), 1);
  put(157, entry.target, 100);
  put(257, encoder.encode("ustar\x0000"), 8);
  octal(148, sumOf(header), 6);
  header[154] = 0;
  return header;
}

function sumOf(header: Uint8Array): number {
  return header.reduce((sum, byte, at) => sum + (at >= 148 && at < 156 ? 0x20 : byte), 0);
}

export type PaxRecords = ReadonlyMap<string, Uint8Array>;

export type ReadHeader =
  | { pax: number }
  | { entry: ArchiveEntry };

/** What a block says, together with the pax header before it. Throws an Error for what restic would not write. */
export function readTarHeader(header: Uint8Array, pax: PaxRecords): ReadHeader {
  if (parseInt(ascii.decode(header.subarray(148, 156)), 8) !== sumOf(header)) {
    throw new Error("the archive is damaged: the sum of a header is wrong");
  }
  const flag = String.fromCharCode(header[156]!);
  const number = (key: string, at: number, length: number) => {
    const given = pax.get(key);
    const value = given
      ? Number(ascii.decode(given))
      : parseInt(ascii.decode(header.subarray(at, at + length)), 8);
    if (!Number.isSafeInteger(value) || value < 0) throw new Error(`the archive's ${key} is none`);
    return value;
  };
  const size = number("size", 124, 12);
  if (flag === "x") return { pax: size };
  const type = TYPES[flag];
  if (!type) throw new Error(`the archive has a member of the unknown type ${flag}`);
  return {
    entry: {
      type,
      path: withoutSlash(pax.get("path") ?? pathIn(header)),
      size: type === "file" ? size : 0,
      mode: parseInt(ascii.decode(header.subarray(100, 108)), 8) & 0o7777,
      uid: number("uid", 108, 8),
      gid: number("gid", 116, 8),
      ...timeIn(header, pax.get("mtime")),
      target: pax.get("linkpath") ?? textIn(header, 157, 100),
    },
  };
}

function pathIn(header: Uint8Array): Uint8Array {
  const prefix = textIn(header, 345, 155);
  const name = textIn(header, 0, 100);
  return prefix.length > 0 ? joinBytes([prefix, encoder.encode("/"), name]) : name;
}

function textIn(header: Uint8Array, at: number, length: number): Uint8Array {
  const field = header.slice(at, at + length);
  const end = field.indexOf(0);
  return end < 0 ? field : field.subarray(0, end);
}

function withoutSlash(path: Uint8Array): Uint8Array {
  let end = path.length;
  while (end > 0 && path[end - 1] === 0x2f) end--;
  return path.subarray(0, end);
}

function timeIn(header: Uint8Array, pax: Uint8Array | undefined) {
  if (!pax) return { seconds: parseInt(ascii.decode(header.subarray(136, 148)), 8), fraction: "" };
  const [whole = "", fraction = ""] = ascii.decode(pax).split(".");
  const seconds = Number(whole);
  return { seconds: Number.isSafeInteger(seconds) ? seconds : 0, fraction };
}

/** The records of a pax header. Throws an Error. */
export function readPax(bytes: Uint8Array): PaxRecords {
  const records = new Map<string, Uint8Array>();
  for (let at = 0; at < bytes.length;) {
    const space = bytes.indexOf(0x20, at);
    const length = Number(ascii.decode(bytes.subarray(at, Math.max(at, space))));
    const equals = bytes.indexOf(0x3d, space);
    const end = at + length;
    if (!(space > at && equals > space && equals < end && end <= bytes.length)) {
      throw new Error("the archive is damaged: an extended header cannot be read");
    }
    records.set(ascii.decode(bytes.subarray(space + 1, equals)), bytes.slice(equals + 1, end - 1));
    at = end;
  }
  return records;
}
