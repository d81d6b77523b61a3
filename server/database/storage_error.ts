// What kept the database from storing something, read from the errors of node:sqlite and of the file system.

export const STORAGE_FAULTS = [
  "locked",
  "full",
  "read_only",
  "io_error",
  "cannot_open",
  "damaged",
  "gone",
  "replaced",
] as const;
export type StorageFault = typeof STORAGE_FAULTS[number];

/** Thrown where the files themselves were looked at. */
export class StorageError extends Error {
  override name = "StorageError";

  constructor(readonly fault: StorageFault, cause?: unknown) {
    super(`the database cannot be written: ${fault}`, { cause });
  }
}

/** Primary result codes, https://www.sqlite.org/rescode.html; 22 and 23 and the rest are no faults of the storage. */
const BY_CODE: Record<number, StorageFault> = {
  3: "read_only",
  5: "locked",
  6: "locked",
  8: "read_only",
  10: "io_error",
  11: "damaged",
  13: "full",
  14: "cannot_open",
  15: "locked",
  26: "damaged",
};

/** sqlite3_errstr(), for what exec() throws: that comes without a code in Deno 2.7. */
const BY_TEXT: Record<string, StorageFault> = {
  "access permission denied": "read_only",
  "database is locked": "locked",
  "database table is locked": "locked",
  "attempt to write a readonly database": "read_only",
  "disk I/O error": "io_error",
  "database disk image is malformed": "damaged",
  "database or disk is full": "full",
  "locking protocol": "locked",
  "file is not a database": "damaged",
};

/** undefined when the error has another cause, such as a constraint or a mistake of ours. */
export function storageFaultOf(error: unknown): StorageFault | undefined {
  if (error instanceof StorageError) return error.fault;
  if (!(error instanceof Error)) return undefined;
  const { code, errcode } = error as { code?: unknown; errcode?: unknown };
  if (code !== "ERR_SQLITE_ERROR") return undefined;
  if (typeof errcode === "number") return BY_CODE[errcode & 0xff];
  if (error.message.startsWith("unable to open database file")) return "cannot_open";
  return BY_TEXT[error.message];
}

/** What a call to the operating system says about the storage. */
export function systemFault(error: unknown): StorageFault {
  if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
    return "gone";
  }
  const { code } = error as { code?: unknown };
  if (code === "ENOSPC" || code === "EDQUOT") return "full";
  if (code === "EROFS" || code === "EACCES" || code === "EPERM") return "read_only";
  return "io_error";
}

/**
 * For what is only noted in passing, such as when a session was used last: it is left out while the database cannot be
 * written, since reading must go on. Throws everything else.
 */
export async function unlessStorageFails(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (storageFaultOf(error) === undefined) throw error;
  }
}
