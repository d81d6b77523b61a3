// The bare connection, for the hot paths and below Kysely.
import { DatabaseSync, type StatementSync } from "node:sqlite";

const STATEMENTS_KEPT = 300;

/** Deno has it, its types do not name it yet. */
type ArrayStatement = StatementSync & { setReturnArrays(on: boolean): void };

/**
 * Keeps the statements that were prepared. One made again for each batch of lines takes as long as storing the batch, and
 * what it holds outside of the heap stays until the garbage collector happens to come by.
 */
export class Connection extends DatabaseSync {
  readonly #kept = new Map<string, StatementSync>();
  readonly #keptForArrays = new Map<string, StatementSync>();

  override prepare(sql: string): StatementSync {
    return keep(this.#kept, sql, () => super.prepare(sql));
  }

  /** A statement that answers rows as arrays of values. */
  prepareForArrays(sql: string): StatementSync {
    return keep(this.#keptForArrays, sql, () => {
      const made = super.prepare(sql) as ArrayStatement;
      made.setReturnArrays(true);
      return made;
    });
  }
}

function keep<T>(kept: Map<string, T>, key: string, make: () => T): T {
  const found = kept.get(key);
  if (found) return found;
  if (kept.size >= STATEMENTS_KEPT) kept.delete(kept.keys().next().value!);
  const made = make();
  kept.set(key, made);
  return made;
}
