// The file into which SQLite writes each commit first (…-wal), and whether it is still the one that lies in the data folder.
import { StorageError, type StorageFault, systemFault } from "./storage_error.ts";

export interface Journal {
  /** Resolves when what was committed is on the disk. Throws StorageError. */
  flush(): Promise<void>;
  /**
   * Throws StorageError when the database or its journal was removed, renamed or replaced: SQLite would go on writing into files
   * that nobody finds again.
   */
  lookForFiles(): void;
  /**
   * SQLite says only "disk I/O error" where the file system has become read-only: what the system answers to another file beside
   * it says more.
   */
  refine(fault: StorageFault): StorageFault;
  bytes(): number;
  close(): void;
}

/**
 * `file` is the database, opened already: until it is closed SQLite keeps both files. `beside` is a file next to it that may be
 * opened and closed; with one of the database's own SQLite would lose its locks (POSIX, close(2)).
 */
export async function openJournal(file: string, beside: string): Promise<Journal> {
  const paths = [file, `${file}-wal`];
  const handle = await Deno.open(`${file}-wal`, {
    read: true,
    write: true,
    create: true,
    mode: 0o600,
  });
  const ours = paths.map(identity);
  const lookForFiles = () => {
    paths.forEach((path, n) => {
      if (identity(path) !== ours[n]) throw new StorageError("replaced");
    });
  };
  return {
    lookForFiles,
    async flush() {
      await handle.syncData().catch((error) => {
        throw new StorageError(systemFault(error), error);
      });
      lookForFiles();
    },
    refine: (fault) => fault === "io_error" ? whyNotWritten(beside) ?? fault : fault,
    bytes: () => handle.statSync().size,
    close: () => handle.close(),
  };
}

/** Throws StorageError. */
function identity(path: string): string {
  try {
    const { dev, ino } = Deno.statSync(path);
    return `${dev}:${ino}`;
  } catch (error) {
    throw new StorageError(systemFault(error), error);
  }
}

function whyNotWritten(path: string): StorageFault | undefined {
  try {
    Deno.openSync(path, { write: true }).close();
    return undefined;
  } catch (error) {
    return systemFault(error);
  }
}
