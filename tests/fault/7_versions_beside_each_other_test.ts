import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import { MIGRATIONS } from "../../server/database/migrations/all.ts";
import { makeOldDatabase } from "../support/old_database.ts";
import { runOnce } from "../support/programs.ts";
import { startServer } from "../support/start_server.ts";
import { fault } from "../support/trial.ts";

const COUNT = Object.keys(MIGRATIONS).length;
/** Numbers may have gaps. */
const NEWEST = Number(Object.keys(MIGRATIONS).sort().at(-1)!.slice(0, 4));
const COMMANDS = [
  ["user", "list"],
  ["user", "add", "bob", "--role", "viewer"],
  ["token", "create", "--user", "bob"],
  ["setup-link"],
];

function migrationsIn(dataDir: string): number {
  const sqlite = new DatabaseSync(join(dataDir, "restic-manager.db"), { timeout: 5000 });
  const { n } = sqlite.prepare("select count(*) as n from kysely_migration").get() as { n: number };
  sqlite.close();
  return n;
}

fault({
  id: "item 7, versions",
  promise: "the command line of another version never changes the database under a running server",
  done:
    "a server of an older version runs (it holds its lock on a database that lacks the newest migration) and each command of this version is called; then it is killed; then a database of a newer version is given to the commands",
  expected:
    "beside the older server: exit 1, what to do, no migration; the lock of a server that was killed says nothing, and the command migrates; a newer database is refused by name",
}, async (see) => {
  const dataDir = await Deno.makeTempDir({ prefix: "rm-versions-" });
  const env = { RM_DATA_DIR: dataDir };
  try {
    await makeOldDatabase(dataDir, NEWEST - 1, () => {});
    const older = await olderServer(dataDir);
    for (const command of COMMANDS) {
      const { code, stderr } = await runOnce("server", command, env);
      assert.equal(code, 1, command.join(" "));
      assert.match(
        stderr,
        /older version.*Stop the server first, or use the program of the server/,
      );
    }
    const copy = await runOnce("server", ["backup-database", join(dataDir, "copy.db")], env);
    assert.equal(copy.code, 0, copy.stderr);
    assert.equal(migrationsIn(dataDir), COUNT - 1);
    older.kill("SIGKILL");
    await older.status;
    const alone = await runOnce("server", ["user", "list"], env);
    assert.equal(alone.code, 0, alone.stderr);
    assert.equal(migrationsIn(dataDir), COUNT);
    const sqlite = new DatabaseSync(join(dataDir, "restic-manager.db"));
    sqlite.exec("insert into kysely_migration (name, timestamp) values ('9999_later', '2030')");
    sqlite.close();
    const newer = await runOnce("server", ["user", "list"], env);
    see(`${COMMANDS.length} commands refused; alone migrated; newer: ${newer.stderr.trim()}`);
    assert.equal(newer.code, 1);
    assert.match(
      newer.stderr,
      /written by a newer restic-manager-server; use that version or newer/,
    );
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
});

/** What every version of the server holds while it runs, in a process of its own. */
async function olderServer(dataDir: string): Promise<Deno.ChildProcess> {
  const code = `
    const file = await Deno.open(${
    JSON.stringify(join(dataDir, "server.lock"))
  }, { write: true, create: true });
    await file.lock(true);
    console.log("running");
    setInterval(() => file.statSync(), 1000);`;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-config", code],
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  await reader.read();
  await reader.cancel();
  return child;
}

fault({
  id: "item 7",
  promise: "what a command of root's makes in the server's folder belongs to the server's user",
  done:
    "root runs `user list` on the data folder of another user in which there is no lock file yet",
  expected: "every file there belongs to that user",
}, async (see) => {
  if (Deno.uid() !== 0) return see("not root: nothing to be shown");
  const folder = await Deno.makeTempDir({ prefix: "rm-owner-" });
  try {
    await (await startServer({ dataDir: folder }))[Symbol.asyncDispose]();
    for (const name of [...Deno.readDirSync(folder)].map(({ name }) => name)) {
      if (/lock|head/.test(name)) await Deno.remove(join(folder, name));
      else await Deno.chown(join(folder, name), 65_534, 65_534);
    }
    await Deno.chown(folder, 65_534, 65_534);
    const { code } = await runOnce("server", ["user", "list"], { RM_DATA_DIR: folder });
    const owners = [...Deno.readDirSync(folder)].map(({ name }) =>
      `${name} ${Deno.statSync(join(folder, name)).uid}`
    );
    see(`exit ${code}; ${owners.join(", ")}`);
    assert.deepEqual(owners.filter((each) => !each.endsWith(" 65534")), []);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
