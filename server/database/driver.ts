// Kysely on node:sqlite: one connection, whose users take turns. node:sqlite is synchronous, so a lock that another program
// holds must not be waited for inside of SQLite: that would stop every page and socket. Here it is waited for with the turn
// given back, and only for as long as `patienceMs` says.
import type { SQLInputValue, StatementSync } from "node:sqlite";
import {
  CompiledQuery,
  type DatabaseConnection,
  type Driver,
  type QueryResult,
  SqliteAdapter,
  SqliteDialect,
} from "kysely";
import type { Connection } from "./connection.ts";
import { type StorageFault, storageFaultOf } from "./storage_error.ts";

const RETRY_MS = 30;

export class OneConnectionDriver implements Driver {
  readonly #readers = new WeakMap<StatementSync, boolean>();
  /** How long something waits that another program keeps from being written. */
  patienceMs = 0;
  /** Called for every fault of the storage, whoever catches its error afterwards. */
  onFault: (fault: StorageFault) => void = () => {};
  readonly #turns = new Mutex();
  readonly #connection: DatabaseConnection;
  /** While the connection is in a state that nobody else may see, waiting keeps the turn. */
  #keepsTurn = false;

  constructor(private readonly sqlite: Connection) {
    this.#connection = {
      executeQuery: async <R>(query: CompiledQuery) =>
        sqlite.isTransaction
          ? this.#noting(() => this.#run<R>(query))
          : await this.#patiently(() => this.#run<R>(query)),
      streamQuery: () => {
        throw new Error("Rows are read at once: nobody else has the connection meanwhile.");
      },
    };
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    await this.#turns.take();
    return this.#connection;
  }

  releaseConnection(): Promise<void> {
    this.#turns.give();
    return Promise.resolve();
  }

  /** With the right to write from the start: a commit of the command line in between would end it as "busy". */
  async beginTransaction(): Promise<void> {
    await this.#patiently(() => this.#run(CompiledQuery.raw("begin immediate")));
  }

  commitTransaction(): Promise<void> {
    return this.#now("commit");
  }

  /** SQLite has rolled back by itself after some faults, and an error about that would hide the first one. */
  async rollbackTransaction(): Promise<void> {
    if (this.sqlite.isTransaction) await this.#now("rollback");
  }

  destroy(): Promise<void> {
    this.sqlite.close();
    return Promise.resolve();
  }

  /** Runs `work` in one transaction on the bare connection; nobody else has it meanwhile. */
  async inTransaction<T>(work: (sqlite: Connection) => T): Promise<T> {
    await this.#turns.take();
    try {
      await this.beginTransaction();
      return this.#noting(() => this.#toCommit(work));
    } finally {
      this.#turns.give();
    }
  }

  /** Nobody else comes in between, however long a lock lasts. */
  async keepingTurn<T>(work: () => Promise<T>): Promise<T> {
    this.#keepsTurn = true;
    try {
      return await work();
    } finally {
      this.#keepsTurn = false;
    }
  }

  #toCommit<T>(work: (sqlite: Connection) => T): T {
    try {
      const result = work(this.sqlite);
      this.sqlite.prepare("commit").run();
      return result;
    } catch (error) {
      if (this.sqlite.isTransaction) this.sqlite.exec("rollback");
      throw error;
    }
  }

  #now(text: string): Promise<void> {
    this.#noting(() => this.#run(CompiledQuery.raw(text)));
    return Promise.resolve();
  }

  #noting<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      this.#note(error);
      throw error;
    }
  }

  #note(error: unknown): void {
    const fault = storageFaultOf(error);
    if (fault !== undefined) this.onFault(fault);
  }

  async #patiently<T>(work: () => T): Promise<T> {
    const began = performance.now();
    for (;;) {
      try {
        return work();
      } catch (error) {
        const mayWait = performance.now() - began < this.patienceMs;
        if (storageFaultOf(error) !== "locked" || !mayWait) {
          this.#note(error);
          throw error;
        }
      }
      await this.#pause();
    }
  }

  async #pause(): Promise<void> {
    const pause = new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    if (this.#keepsTurn) return void await pause;
    this.#turns.give();
    await pause;
    await this.#turns.take();
  }

  #answersRows(statement: StatementSync): boolean {
    const known = this.#readers.get(statement);
    if (known !== undefined) return known;
    const answers = statement.columns().length > 0;
    this.#readers.set(statement, answers);
    return answers;
  }

  #run<R>({ sql, parameters }: CompiledQuery): QueryResult<R> {
    const statement = this.sqlite.prepareForArrays(sql);
    const values = bindable(parameters);
    if (this.#answersRows(statement)) {
      const rows = statement.all(...values) as unknown as unknown[][];
      // Only now: a statement that was kept is made again when it runs on tables that were altered since.
      const names = statement.columns().map(({ name }) => name);
      return { rows: rowsOf(names, rows) as R[] };
    }
    const { changes, lastInsertRowid } = statement.run(...values);
    return { rows: [], insertId: BigInt(lastInsertRowid), numAffectedRows: BigInt(changes) };
  }
}

/** SQLite's dialect, except that a migration is one transaction and the driver hands out the turns. */
export class OneConnectionDialect extends SqliteDialect {
  constructor(private readonly driver: Driver) {
    super({ database: () => Promise.reject(new Error("the driver has the database")) });
  }

  override createDriver(): Driver {
    return this.driver;
  }

  override createAdapter(): SqliteAdapter {
    return new Adapter();
  }
}

class Adapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }

  /** There is one, but Kysely's own turns could not be given back while a lock is waited for. */
  override get supportsMultipleConnections(): boolean {
    return true;
  }
}

/** In the order of asking. */
class Mutex {
  #isTaken = false;
  readonly #waiting: (() => void)[] = [];

  take(): Promise<void> {
    if (!this.#isTaken) {
      this.#isTaken = true;
      return Promise.resolve();
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  give(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#isTaken = false;
  }
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
