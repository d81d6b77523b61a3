// What an archive says of one of its members. A name is bytes, as in the snapshot, and relative.
import { joinBytes } from "./bytes.ts";

export type EntryType = "file" | "folder" | "link";

export interface ArchiveEntry {
  type: EntryType;
  /** Names with `/` between them, none at the end. */
  path: Uint8Array;
  /** Bytes of a file; 0 of anything else. */
  size: number;
  /** Permissions with set-user-id, set-group-id and sticky. */
  mode: number;
  uid: number;
  gid: number;
  /** Seconds since 1970, with the digits after the point as they were written ("" for none). */
  seconds: number;
  fraction: string;
  /** Where a link leads. */
  target: Uint8Array;
}

/** Parts of an archive in their order: of each member its entry, then what it holds. */
export type ArchivePart = { entry: ArchiveEntry } | { bytes: Uint8Array };

const SLASH = new Uint8Array([0x2f]);

/** The names of a path in a snapshot as the path of a member. */
export function memberPath(names: readonly Uint8Array[]): Uint8Array {
  return joinBytes(names.flatMap((name, n) => n === 0 ? [name] : [SLASH, name]));
}

/** A time as restic writes it (RFC 3339); 1970 for what is none. */
export function timeOf(text: string): { seconds: number; fraction: string } {
  const [, head = "", fraction = "", zone = ""] = /^([^.]*?)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/
    .exec(text) ?? [];
  const at = Date.parse(head + zone);
  return Number.isNaN(at)
    ? { seconds: 0, fraction: "" }
    : { seconds: at / 1000, fraction: fraction.replace(/0+$/, "") };
}
