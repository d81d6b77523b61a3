import { backup, DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import { DatabaseError } from "./database_error.ts";

/** Copies the database as it is at one moment, also while a server writes to it. Never overwrites a file. */
export async function backupDatabase(dataDir: string, file: string): Promise<void> {
  const source = join(dataDir, "restic-manager.db");
  try {
    await Deno.stat(source);
  } catch {
    throw new DatabaseError(`There is no database at ${source}.`);
  }
  try {
    (await Deno.open(file, { write: true, createNew: true, mode: 0o600 })).close();
  } catch (error) {
    throw new DatabaseError(`${file} cannot be written: ${(error as Error).message}`);
  }
  const sqlite = new DatabaseSync(source, { readOnly: true });
  try {
    await backup(sqlite, file);
  } finally {
    sqlite.close();
  }
  forgetClock(file);
}

/** Where the copy is used, the time that passed cannot be told by how long this machine has been up. */
function forgetClock(file: string): void {
  const copy = new DatabaseSync(file);
  try {
    const table = copy.prepare(
      "select 1 from sqlite_master where type = 'table' and name = 'clock'",
    );
    if (table.get()) copy.exec("update clock set wall = null, uptime = null");
  } finally {
    copy.close();
  }
}
