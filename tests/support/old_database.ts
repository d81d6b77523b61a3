// A database as an earlier server left it: only its migrations, and what a test puts in.
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { Kysely, sql, SqliteDialect } from "kysely";
import { Migrator } from "kysely/migration";
import { join } from "node:path";
import { MIGRATIONS } from "../../server/database/migrations/all.ts";
import { openDatabase } from "../../server/database/open.ts";

/** Runs the migrations up to this number on a fresh file, as a server of that time would have. */
export async function makeOldDatabase(
  dir: string,
  newest: number,
  fill: (sqlite: DatabaseSync) => void,
): Promise<void> {
  const { db, close } = await openDatabase(dir);
  const tables = await sql<{ name: string; type: string }>`select name, type from sqlite_master
    where name not like 'sqlite_%' and type in ('table', 'trigger')`.execute(db);
  await close();
  const sqlite = new DatabaseSync(join(dir, "restic-manager.db"));
  sqlite.exec("pragma foreign_keys = off");
  for (const { name, type } of tables.rows.toReversed()) {
    sqlite.exec(`drop ${type} if exists "${name}"`);
  }
  sqlite.close();
  const again = new DatabaseSync(join(dir, "restic-manager.db"));
  const kysely = new Kysely<unknown>({
    dialect: new SqliteDialect({
      database: {
        prepare: (text: string) => {
          const statement = again.prepare(text);
          return {
            reader: statement.columns().length > 0,
            all: (values: readonly unknown[]) => statement.all(...values as never[]),
            run: (values: readonly unknown[]) => statement.run(...values as never[]) as never,
            iterate: (values: readonly unknown[]) =>
              statement.iterate(...values as never[]) as never,
          };
        },
        close: () => {},
      },
    }),
  });
  const old = Object.fromEntries(
    Object.entries(MIGRATIONS).filter(([name]) => Number(name.slice(0, 4)) <= newest),
  );
  const { error } = await new Migrator({
    db: kysely,
    provider: { getMigrations: () => Promise.resolve(old) },
  }).migrateToLatest();
  assert.equal(error, undefined);
  fill(again);
  again.close();
}
