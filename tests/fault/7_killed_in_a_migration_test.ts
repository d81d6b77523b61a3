import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { MIGRATIONS } from "../../server/database/migrations/all.ts";
import { makeOldDatabase } from "../support/old_database.ts";
import { fault } from "../support/trial.ts";

const MOMENTS = 20;
/** Migrations, and kills in each: a start of a process is most of the work. */
const AT_ONCE = Math.max(2, Math.ceil(navigator.hardwareConcurrency / 2));
const PROGRAM = fileURLToPath(new URL("../support/migrate_once.ts", import.meta.url));

async function migrateOnce(folder: string, newest: number, killAt?: number): Promise<Run> {
  const { code, signal, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", PROGRAM, folder, `${newest}`],
    env: killAt === undefined ? {} : { RM_TEST_KILL_AT: `${killAt}` },
    stdin: "null",
  }).output();
  return { code, isKilled: signal === "SIGKILL", calls: Number(new TextDecoder().decode(stdout)) };
}

interface Run {
  code: number;
  isKilled: boolean;
  calls: number;
}

/** All that a database is: its tables, and which migrations it had. Throws when a page is damaged. */
function lookAt(folder: string): { schema: string; done: number } {
  const sqlite = new DatabaseSync(join(folder, "restic-manager.db"));
  try {
    const check = sqlite.prepare("pragma integrity_check").get() as { integrity_check: string };
    assert.equal(check.integrity_check, "ok");
    assert.deepEqual(sqlite.prepare("pragma foreign_key_check").all(), []);
    const rows = sqlite.prepare("select name, sql from sqlite_master order by name").all();
    const names = sqlite.prepare("select name from kysely_migration order by name").all();
    return { schema: JSON.stringify(rows), done: names.length };
  } finally {
    sqlite.close();
  }
}

async function copyOf(folder: string): Promise<string> {
  const copy = await Deno.makeTempDir({ prefix: "rm-killed-" });
  await Deno.copyFile(join(folder, "restic-manager.db"), join(copy, "restic-manager.db"));
  return copy;
}

/** Returns how many were killed, and how many of those had migrated already. */
async function killInside(number: number): Promise<{ killed: number; isNew: number }> {
  const folder = await Deno.makeTempDir({ prefix: "rm-old-" });
  const made: string[] = [folder];
  try {
    await makeOldDatabase(folder, number - 1, () => {});
    const old = lookAt(folder);
    const whole = await copyOf(folder);
    made.push(whole);
    const { code, calls } = await migrateOnce(whole, number);
    assert.equal(code, 0);
    const fresh = lookAt(whole);
    assert.equal(fresh.done, old.done + 1);
    const moments = Array.from({ length: MOMENTS }, (_, n) => 1 + Math.floor(n * calls / MOMENTS));
    const found = { killed: 0, isNew: 0 };
    const next = moments.values();
    await Promise.all(Array.from({ length: AT_ONCE }, async () => {
      for (const moment of next) {
        const copy = await copyOf(folder);
        made.push(copy);
        const { isKilled } = await migrateOnce(copy, number, moment);
        assert.ok(isKilled, `${number} at ${moment} of ${calls}`);
        const after = lookAt(copy);
        assert.ok(
          [old, fresh].some((each) => each.schema === after.schema && each.done === after.done),
          `${number} is half done after a kill at call ${moment} of ${calls}`,
        );
        found.killed++;
        if (after.done === fresh.done) found.isNew++;
      }
    }));
    return found;
  } finally {
    for (const each of made) await Deno.remove(each, { recursive: true });
  }
}

fault({
  id: "item 7, F07",
  promise: "a kill inside a migration leaves the old database or the new one, never half of it",
  done: `a process of its own is killed with SIGKILL at ${MOMENTS} moments inside each migration`,
  expected:
    "the schema and the list of migrations are those of before or of after, whole; no page is damaged",
}, async (see) => {
  const sum = { killed: 0, isNew: 0 };
  const numbers = Object.keys(MIGRATIONS).map((name) => Number(name.slice(0, 4)))
    .filter((number) => number > 1);
  const next = numbers.values();
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    for (const number of next) {
      const { killed, isNew } = await killInside(number);
      sum.killed += killed;
      sum.isNew += isNew;
    }
  }));
  see(`${sum.killed} kills in ${numbers.length} migrations: ${sum.isNew} new, the others old`);
});
