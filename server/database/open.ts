// One SQLite file, opened by one server process. Kysely speaks to it through node:sqlite.
import type { SQLInputValue } from "node:sqlite";
import { Kysely, SqliteAdapter, SqliteDialect, type Transaction } from "kysely";
import { join } from "node:path";
import { Connection } from "./connection.ts";
import type { Tables } from "./tables.ts";
import { migrate } from "./migrations/all.ts";

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
  /** Resolves when all that was committed before the call is on the disk, not only in the system's memory. */
  flush(): Promise<void>;
  sqlite: Connection;
  close(): Promise<void>;
}

/** The database file is damaged, of a newer version, or used by another server. The message says which and what to do. */
export class DatabaseError extends Error {
  override name = "DatabaseError";
}

/** A lock that somebody else holds stalls the whole event loop for as long, so it is short. */
const BUSY_MILLISECONDS = 2000;
/** A task of the command line has nobody waiting for its loop, and a busy server is no reason to fail. */
const BUSY_MILLISECONDS_SHARED = 20_000;

/** `shared` is for short tasks of the command line, which may run beside a server. */
export async function openDatabase(dataDir: string, shared = false): Promise<Database> {
  await Deno.mkdir(dataDir, { recursive: true, mode: 0o700 });
  const unlock = shared ? () => {} : await lockDataDir(dataDir);
  const file = join(dataDir, "restic-manager.db");
  try {
    await createPrivately(file);
    const sqlite = openChecked(file, shared ? BUSY_MILLISECONDS_SHARED : BUSY_MILLISECONDS);
    const db = new Kysely<Tables>({ dialect: dialect(sqlite) });
    await migrate(db, file);
    const wal = await Deno.open(`${file}-wal`, {
      read: true,
      write: true,
      create: true,
      mode: 0o600,
    });
    return {
      db,
      sqlite,
      raw: (work) => db.connection().execute(() => Promise.resolve(inTransaction(sqlite, work))),
      withoutReferences: (work) =>
        db.connection().execute(async (connection) => {
          // Nobody else has the connection meanwhile. Inside a transaction the pragma would do nothing.
          sqlite.exec("pragma foreign_keys = off");
          try {
            return await connection.transaction().execute(work);
          } finally {
            sqlite.exec("pragma foreign_keys = on");
          }
        }),
      flush: coalesce(() => wal.syncData()),
      close: async () => {
        wal.close();
        await db.destroy();
        unlock();
      },
    };
  } catch (error) {
    unlock();
    throw error;
  }
}

/** Two servers on one file would each believe that they alone hand out the jobs. */
async function lockDataDir(dataDir: string): Promise<() => void> {
  const file = await Deno.open(join(dataDir, "server.lock"), {
    write: true,
    create: true,
    mode: 0o600,
  });
  const held = await file.tryLock(true).catch(() => false);
  if (!held) {
    file.close();
    throw new DatabaseError(`Another restic-manager-server is already using ${dataDir}.`);
  }
  return () => file.close();
}

/** One that was copied back by hand has the rights of the copy; what SQLite makes beside it takes over those of the file. */
async function createPrivately(file: string): Promise<void> {
  const handle = await Deno.open(file, { write: true, create: true, mode: 0o600 });
  handle.close();
  for (const path of [file, `${file}-wal`, `${file}-shm`]) {
    const mode = await Deno.stat(path).then((info) => info.mode, () => null);
    if (mode && (mode & 0o077) !== 0) await Deno.chmod(path, 0o600);
  }
}

function openChecked(file: string, busyMilliseconds: number): Connection {
  let sqlite: Connection | undefined;
  try {
    sqlite = new Connection(file, {
      timeout: busyMilliseconds,
      enableForeignKeyConstraints: true,
    });
    // One bad page answers most queries well; only quick_check sees it.
    const check = sqlite.prepare("pragma quick_check(1)").get() as { quick_check: string };
    if (check.quick_check !== "ok") throw new Error(check.quick_check);
    sqlite.exec(
      "pragma journal_mode = wal; pragma synchronous = normal; pragma cache_size = -16384;",
    );
    return sqlite;
  } catch (error) {
    sqlite?.close();
    throw new DatabaseError(
      `The database ${file} is damaged or not a database: ${(error as Error).message}. ` +
        "It was left as it is; put back a copy made by `restic-manager-server backup-database`.",
    );
  }
}

function inTransaction<T>(sqlite: Connection, work: (sqlite: Connection) => T): T {
  sqlite.exec("begin immediate");
  try {
    const result = work(sqlite);
    sqlite.exec("commit");
    return result;
  } catch (error) {
    sqlite.exec("rollback");
    throw error;
  }
}

/** Many callers at once share one run: whoever comes while it is going waits for the next. */
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
class TransactionalAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

class Dialect extends SqliteDialect {
  override createAdapter(): SqliteAdapter {
    return new TransactionalAdapter();
  }
}

function dialect(sqlite: Connection): SqliteDialect {
  return new Dialect({
    database: {
      prepare(sql: string) {
        // Kysely begins without the right to write: a commit of the command line in between would end it as "busy".
        const statement = sqlite.prepareForArrays(sql === "begin" ? "begin immediate" : sql);
        const names = statement.columns().map(({ name }) => name);
        return {
          reader: names.length > 0,
          all: (values: readonly unknown[]) =>
            rowsOf(names, statement.all(...bindable(values)) as unknown as unknown[][]),
          run: (values: readonly unknown[]) => statement.run(...bindable(values)),
          iterate: function* (values: readonly unknown[]) {
            for (const row of statement.iterate(...bindable(values))) {
              yield* rowsOf(names, [row as unknown as unknown[]]);
            }
          },
        };
      },
      close: () => sqlite.close(),
    },
  });
}

/**
 * Rows as plain objects of one shape. Those of node:sqlite are dictionaries without a prototype, which take twice as long
 * to make and ten times as long to read.
 */
function rowsOf(names: string[], rows: unknown[][]): Record<string, unknown>[] {
  // A copy of one object keeps its shape; adding the names one by one makes a dictionary again.
  const shape: Record<string, unknown> = Object.fromEntries(names.map((name) => [name, null]));
  return rows.map((values) => {
    const row = { ...shape };
    names.forEach((name, n) => row[name] = values[n]);
    return row;
  });
}

/** node:sqlite takes an object in first place for named parameters and shifts the rest: refuse what is not a value. */
function bindable(values: readonly unknown[]): SQLInputValue[] {
  return values.map((value) => {
    if (typeof value === "boolean") return value ? 1 : 0;
    const plain = value === null || typeof value === "string" || typeof value === "number" ||
      typeof value === "bigint" || value instanceof Uint8Array;
    if (!plain) throw new TypeError(`Cannot store a ${typeof value} in the database.`);
    return value as SQLInputValue;
  });
}
