import assert from "node:assert/strict";
import { join } from "node:path";
import { readHead } from "../../../server/audit/head_file.ts";
import { verifyAudit } from "../../../server/audit/verify.ts";
import { AUDIT_KEY } from "../../../server/audit/watch.ts";
import { deriveKey } from "../../../server/secrets.ts";
import { makeOldDatabase } from "../../support/old_database.ts";
import { startServer } from "../../support/start_server.ts";

async function look(dataDir: string) {
  const key = deriveKey(await Deno.readFile(join(dataDir, "secret.key")), AUDIT_KEY);
  const head = await readHead(dataDir, key);
  return { head, ...verifyAudit(join(dataDir, "restic-manager.db"), key, head) };
}

Deno.test("rows of before the chain are given their place at the first start, whatever is in them", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "rm-old-" });
  try {
    await makeOldDatabase(dataDir, 12, (sqlite) => {
      const insert = sqlite.prepare(
        "insert into audit (id, at, actor_kind, actor_name, action, target_name, detail) values (?, ?, 'user', ?, 'x', ?, '{}')",
      );
      // A row that someone removed long ago is no fault of today.
      for (const id of [1, 2, 4, 5]) insert.run(id, id * 1000, "ålice 😀 \ud800", "a\0b");
      sqlite.exec(
        `insert into users (id, username, password_hash, role, created_at) values ('u1', 'alice', 'x', 'admin', 1);
        insert into sessions (token_hash, user_id, created_at, last_seen_at, expires_at) values (x'01', 'u1', 1, 1, 1), (x'02', 'u1', 1, 1, 1);
        insert into audit (at, actor_kind, actor_id, actor_name, address, action, detail)
          values (7, 'user', 'u1', 'alice', '2001:db8:1:2::3', 'login', '{}'), (8, 'user', 'gone', 'bob', '192.0.2.1', 'login', '{}');`,
      );
    });
    const test = await startServer({ dataDir, people: false });
    const ids = await test.server.db.selectFrom("sessions").select("id").execute();
    const networks = await test.server.db.selectFrom("known_networks").selectAll().execute();
    await test[Symbol.asyncDispose]();
    assert.match(ids[0]!.id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.notEqual(ids[0]!.id, ids[1]!.id);
    assert.deepEqual(networks.map((row) => [row.user_id, row.network]), [[
      "u1",
      "2001:db8:1:2::/64",
    ]]);
    const { wrong, rows, head } = await look(dataDir);
    assert.deepEqual([wrong, rows], [undefined, 7]);
    assert.equal(typeof head === "object" && head.rows, 7);
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
});

Deno.test("the first start may be killed before the chain is begun, and again", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "rm-old-" });
  try {
    const first = await startServer({ dataDir });
    await first[Symbol.asyncDispose]();
    // As after a kill between the head file of no rows and the transaction that chains the old ones.
    const { DatabaseSync } = await import("node:sqlite");
    const sqlite = new DatabaseSync(join(dataDir, "restic-manager.db"));
    const { sql } = sqlite.prepare(
      "select sql from sqlite_master where name = 'audit_is_never_changed'",
    ).get() as { sql: string };
    sqlite.exec("drop trigger audit_is_never_changed");
    sqlite.exec("update audit set mac = null; delete from audit_chain");
    sqlite.exec(sql);
    sqlite.close();
    const key = deriveKey(await Deno.readFile(join(dataDir, "secret.key")), AUDIT_KEY);
    const { NO_ROWS, writeHead } = await import("../../../server/audit/head_file.ts");
    await writeHead(dataDir, key, NO_ROWS);
    await (await startServer({ dataDir, people: false }))[Symbol.asyncDispose]();
    assert.equal((await look(dataDir)).wrong, undefined);
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
});

Deno.test("the database itself refuses to change or remove a row of the audit, and to add one outside the chain's program", async () => {
  await using test = await startServer();
  const { sqlite } = test.server.database;
  for (
    const statement of [
      "update audit set actor_name = 'x' where id = 1",
      "update audit set mac = null where id = 1",
      "update audit set mac = x'00' where id = 1",
      "delete from audit where id = 1",
      "delete from audit",
    ]
  ) assert.throws(() => sqlite.exec(statement), /append-only/, statement);
});

Deno.test("an act whose transaction fails leaves no row and no false alarm", async () => {
  await using test = await startServer();
  const { recordAudit } = await import("../../../server/audit/record.ts");
  const act = test.server.db.transaction().execute(async (tx) => {
    await recordAudit(tx, 1, test.actor("alice"), { action: "half.done" });
    throw new Error("no");
  });
  await assert.rejects(act, /no/);
  await test.server.audit.check();
  assert.equal(test.server.audit.fault, null);
  const { wrong, rows } = await look(test.dataDir);
  assert.equal(wrong, undefined);
  const { items } = (await test.api("alice", "GET", "/api/audit")).body;
  assert.equal(items[0].id, rows);
  assert.ok(!JSON.stringify(items).includes("half.done"));
});

Deno.test("texts with NUL, lone surrogates and no end are chained as they are stored", async () => {
  await using test = await startServer();
  const { recordAudit } = await import("../../../server/audit/record.ts");
  for (const name of ["a\0b", "\ud83d", "x".repeat(100_000), "", "'\"\\\n"]) {
    await recordAudit(test.server.db, 1, { ...test.actor("alice"), name }, {
      action: "x",
      target: { kind: name, id: null, name },
      detail: { name },
    });
  }
  await test.server.audit.check();
  assert.equal((await look(test.dataDir)).wrong, undefined);
});

Deno.test("an answer to a change waits until the row is counted outside of the database, whatever that takes", async () => {
  await using test = await startServer();
  const { flush } = test.server.database;
  test.server.database.flush = async () => {
    await new Promise((resolve) => setTimeout(resolve, 300));
    await flush();
  };
  assert.equal((await test.api("olive", "POST", "/api/tokens", { name: "x" })).status, 201);
  const { head } = await look(test.dataDir);
  const { items } = (await test.api("alice", "GET", "/api/audit")).body;
  assert.equal(typeof head === "object" && head.id, items[0].id);
});
