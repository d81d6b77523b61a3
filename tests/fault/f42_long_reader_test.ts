import assert from "node:assert/strict";
import { join } from "node:path";
import { sqliteShell } from "../support/sqlite_shell.ts";
import { startServer } from "../support/start_server.ts";
import { fault } from "../support/trial.ts";

const MIB = 1_048_576;

fault({
  id: "F42",
  promise: "a reader that does not end is told of before its journal fills the disk",
  done:
    "a shell of its own process reads in one transaction while 70 MiB are written; then it ends",
  expected:
    "pages have a banner with the size; changes go on; once it has ended the banner goes and the journal shrinks",
}, async (see) => {
  await using test = await startServer();
  const { database, storage } = test.server;
  const journal = () => Deno.statSync(join(test.dataDir, "restic-manager.db-wal")).size;
  const page = async () => (await test.api("alice", "GET", "/")).body as string;
  database.sqlite.exec("create table filler (x blob)");
  let notice: string | undefined;
  {
    await using _shell = await sqliteShell(
      test.dataDir,
      "begin; create temp table seen as select * from users;",
    );
    for (let n = 0; n < 70; n++) {
      await database.raw((sqlite) => sqlite.exec(`insert into filler values (zeroblob(${MIB}))`));
    }
    assert.ok(await storage.isWritable());
    notice = storage.notice;
    see(`journal ${Math.round(journal() / MIB)} MiB: ${notice}`);
    assert.match(notice!, /journal has grown to \d/);
    assert.ok((await page()).includes("its journal has grown"));
    assert.equal((await test.api("alice", "POST", "/api/tokens", { name: "x" })).status, 201);
  }
  assert.ok(await storage.isWritable());
  await test.api("alice", "POST", "/api/tokens", { name: "y" });
  see(`when it has ended: ${storage.notice ?? "no notice"}, ${Math.round(journal() / MIB)} MiB`);
  assert.equal(storage.notice, undefined);
  assert.ok(!(await page()).includes("its journal has grown"));
  assert.ok(journal() <= 17 * MIB);
});
