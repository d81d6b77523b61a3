import assert from "node:assert/strict";
import { join } from "node:path";
import { signIn } from "../support/browser_session.ts";
import { runOnce, start } from "../support/programs.ts";
import { joinHost } from "../support/fake_agent.ts";
import { startServer } from "../support/start_server.ts";
import { fault } from "../support/trial.ts";

fault({
  id: "F40",
  promise: "a database with damaged pages is neither written nor served as if it were whole",
  done:
    "pages of the database are overwritten with 0xAA: under a running server, and before the start of a server and of a command",
  expected:
    "running: 503 that says damaged and how to restore, also for changes, until it is started again; start and command: exit 1 with the file's name and how to restore, the file as it was",
}, async (see) => {
  const dataDir = await Deno.makeTempDir({ prefix: "rm-f40-" });
  const file = join(dataDir, "restic-manager.db");
  try {
    await damagedWhileItRuns(dataDir, file, see);
    const before = await Deno.readFile(file);
    const env = { RM_DATA_DIR: dataDir, RM_LISTEN: "127.0.0.1:0" };
    const server = start("server", ["serve"], env);
    const code = await server.ended;
    see(`start: ${code} ${server.printed().trim().slice(0, 200)}`);
    assert.equal(code, 1);
    const command = await runOnce("server", ["user", "list"], env);
    for (const text of [server.printed(), command.stderr]) {
      assert.match(text, /restic-manager\.db is damaged.*put back a copy/);
    }
    assert.equal(command.code, 1);
    assert.deepEqual(await Deno.readFile(file), before);
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
});

async function damagedWhileItRuns(
  dataDir: string,
  file: string,
  see: (text: string) => void,
): Promise<void> {
  await using test = await startServer({ dataDir });
  await joinHost(test, "alpha");
  const { cookie } = await signIn(test, "alice");
  const { sqlite } = test.server.database;
  const pages = sqlite.prepare("select rootpage from sqlite_master where name = 'hosts'")
    .all() as { rootpage: number }[];
  sqlite.prepare("pragma wal_checkpoint(truncate)").get();
  {
    using handle = await Deno.open(file, { read: true, write: true });
    for (const { rootpage } of pages) {
      await handle.seek((rootpage - 1) * 4096, Deno.SeekMode.Start);
      await handle.write(new Uint8Array(4096).fill(0xaa));
    }
  }
  // What SQLite still has in memory is not damaged.
  sqlite.exec("pragma shrink_memory");
  const read = await test.api("alice", "GET", "/api/hosts");
  const page = await fetch(test.url, { headers: { cookie, accept: "text/html" } });
  const text = await page.text();
  const change = await test.api("alice", "POST", "/api/tokens", { name: "x" });
  see(
    `read ${read.status}, page ${page.status}, change ${change.status} ${change.body.error.message}`,
  );
  for (const status of [read.status, page.status, change.status]) assert.equal(status, 503);
  for (const words of [read.body.error.message, text, change.body.error.message]) {
    assert.match(words, /the database is damaged: stop the server and put back a copy/);
  }
  await test.server.storage.isWritable();
  assert.equal(test.server.storage.problem?.fault, "damaged");
}
