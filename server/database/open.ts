// One SQLite file, opened by one server process. Kysely speaks to it through node:sqlite.
import { Kysely, type Transaction } from "kysely";
import { join } from "node:path";
import { Connection } from "./connection.ts";
import { DatabaseError } from "./database_error.ts";
import { OneConnectionDialect, OneConnectionDriver } from "./driver.ts";
import { type Lock, lockStart, START_LOCK, tryLockServer } from "./folder_locks.ts";
import { type StorageFault, storageFaultOf } from "./storage_error.ts";
import type { Tables } from "./tables.ts";
import { openJournal } from "./journal.ts";
import { migrate, schemaAge } from "./migrations/all.ts";

export type Db = Kysely<Tables>;

export interface Database {
  db: Db;
  /**
   * Runs `work` on the bare connection inside one transaction: for the hot paths where Kysely's cost shows.
   * Waits its turn among Kysely's own transactions, which share the connection.
   */
  raw<T>(work: (sqlite: Connection) => T): Promise<T>;
  /**
   * Runs `work` in a transaction in which the database keeps no order among tables: what refers to a row that is removed stays
   * behind. For what is too much to be removed at once.
   */
  withoutReferences<T>(work: (tx: Transaction<Tables>) => Promise<T>): Promise<T>;
  /**
   * Resolves when all that was committed before the call is on the disk, not only in the system's memory, and still under its
   * name there. Throws StorageError.
   */
  flush(): Promise<void>;
  /** Throws StorageError when the files that are written are not those of the data folder any more. */
  lookForFiles(): void;
  /** Bytes of the file that holds what is not yet in the database's own file. */
  journalBytes(): number;
  /** A more exact name of the fault, where the file system gives one. */
  refine(fault: StorageFault): StorageFault;
  /** Turns, the patience with locks of others, and who learns of faults. */
  driver: OneConnectionDriver;
  sqlite: Connection;
  close(): Promise<void>;
}

/** Waited for inside of SQLite while nothing else runs yet. */
const BUSY_WHILE_OPENING_MS = 2000;
/** Afterwards it would stop pages and sockets, so that longer waits are the driver's. */
const BUSY_MS = 5;
/** What another program may keep locked before a change is refused. */
export const PATIENCE_MS = 1000;
/** A task of the command line has nobody waiting for it, and a busy server is no reason to fail. */
const PATIENCE_SHARED_MS = 20_000;
/** After a reader that blocked it has gone the journal shrinks to this. */
const JOURNAL_KEPT = 16 * 1_048_576;

export interface OpenOptions {
  /** A short task of the command line, which may run beside a server. */
  shared?: boolean;
  /** Of a caller who has more to do before others may come. */
  starting?: Lock;
}

/** Throws DatabaseError. */
export async function openDatabase(dataDir: string, options: OpenOptions = {}): Promise<Database> {
  const starting = options.starting ?? await lockStart(dataDir);
  try {
    return await openLocked(dataDir, options.shared ?? false);
  } finally {
    if (!options.starting) starting.release();
  }
}

async function openLocked(dataDir: string, isShared: boolean): Promise<Database> {
  const running = isShared ? undefined : await tryLockServer(dataDir);
  if (!isShared && !running) {
    throw new DatabaseError(`Another restic-manager-server is already using ${dataDir}.`);
  }
  const file = join(dataDir, "restic-manager.db");
  let sqlite: Connection | undefined;
  try {
    await createPrivately(file);
    sqlite = openChecked(file);
    const driver = new OneConnectionDriver(sqlite);
    driver.patienceMs = PATIENCE_SHARED_MS;
    const db = new Kysely<Tables>({ dialect: new OneConnectionDialect(driver) });
    await bringUpToDate(db, { sqlite, file, dataDir, isShared });
    sqlite.exec(`pragma busy_timeout = ${BUSY_MS}`);
    if (!isShared) driver.patienceMs = PATIENCE_MS;
    const journal = await openJournal(file, join(dataDir, START_LOCK));
    return databaseOf(db, sqlite, { driver, journal, running });
  } catch (error) {
    sqlite?.close();
    running?.release();
    throw error;
  }
}

function databaseOf(
  db: Db,
  sqlite: Connection,
  { driver, journal, running }: {
    driver: OneConnectionDriver;
    journal: Awaited<ReturnType<typeof openJournal>>;
    running: Lock | undefined;
  },
): Database {
  return {
    db,
    sqlite,
    driver,
    raw: (work) => driver.inTransaction(work),
    withoutReferences: (work) =>
      db.connection().execute((connection) =>
        // Inside a transaction the pragma would do nothing.
        driver.keepingTurn(async () => {
          sqlite.exec("pragma foreign_keys = off");
          try {
            return await connection.transaction().execute(work);
          } finally {
            sqlite.exec("pragma foreign_keys = on");
          }
        })
      ),
    flush: coalesce(() => journal.flush()),
    lookForFiles: () => journal.lookForFiles(),
    refine: (fault) => journal.refine(fault),
    journalBytes: () => journal.bytes(),
    close: async () => {
      journal.close();
      await db.destroy();
      running?.release();
    },
  };
}

interface Opened {
  sqlite: Connection;
  file: string;
  dataDir: string;
  isShared: boolean;
}

/**
 * Migrates only where no server runs, and keeps one from starting meanwhile: one of an older version would go on with a database
 * that it does not know. Throws DatabaseError.
 */
async function bringUpToDate(db: Db, { sqlite, file, dataDir, isShared }: Opened): Promise<void> {
  const age = schemaAge(sqlite);
  if (age === "current") return;
  if (!isShared || age === "newer") return await migrate(db, file);
  const alone = await tryLockServer(dataDir);
  if (!alone) {
    throw new DatabaseError(
      `The server that runs on ${dataDir} is of an older version than this program, and its database is not changed while it runs. ` +
        "Stop the server first, or use the program of the server's version.",
    );
  }
  try {
    await migrate(db, file);
  } finally {
    alone.release();
  }
}

/** One that was copied back by hand has the rights of the copy; what SQLite makes beside it takes over those of the file. */
async function createPrivately(file: string): Promise<void> {
  try {
    const handle = await Deno.open(file, { write: true, create: true, mode: 0o600 });
    handle.close();
    for (const path of [file, `${file}-wal`, `${file}-shm`]) {
      const mode = await Deno.stat(path).then((info) => info.mode, () => null);
      if (mode && (mode & 0o077) !== 0) await Deno.chmod(path, 0o600);
    }
  } catch (error) {
    throw new DatabaseError(`The database ${file} cannot be written: ${(error as Error).message}.`);
  }
}

function openChecked(file: string): Connection {
  let sqlite: Connection | undefined;
  try {
    sqlite = new Connection(file, {
      timeout: BUSY_WHILE_OPENING_MS,
      enableForeignKeyConstraints: true,
    });
    // One bad page answers most queries well; only quick_check sees it.
    const check = sqlite.prepare("pragma quick_check(1)").get() as { quick_check: string };
    if (check.quick_check !== "ok") throw new Error(check.quick_check);
    sqlite.prepare("pragma journal_mode = wal").get();
    sqlite.exec(
      `pragma synchronous = normal; pragma cache_size = -16384; pragma journal_size_limit = ${JOURNAL_KEPT};`,
    );
    return sqlite;
  } catch (error) {
    sqlite?.close();
    throw new DatabaseError(
      `The database ${file} ${whyNotOpened(storageFaultOf(error), error as Error)}`,
    );
  }
}

function whyNotOpened(fault: StorageFault | undefined, { message }: Error): string {
  if (fault === undefined || fault === "damaged") {
    return `is damaged or not a database: ${message.replaceAll(/\s+/g, " ")}. ` +
      "It was left as it is; put back a copy made by `restic-manager-server backup-database`.";
  }
  if (fault === "locked") {
    return "is locked by another program, such as a sqlite3 shell. End that program, then start again.";
  }
  return `cannot be opened: ${message}. It was left as it is.`;
}

/** Many callers at once share one run: anyone who comes while it is going waits for the next. */
function coalesce(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  const start = (): Promise<void> => {
    next = undefined;
    running = work().finally(() => running = undefined);
    return running;
  };
  return () => running ? next ??= running.then(start, start) : start();
}

/** SQLite can roll back a CREATE TABLE, which Kysely does not assume: without this a failed migration stays half done. */
