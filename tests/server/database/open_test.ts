import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { sql } from "kysely";
import { backupDatabase } from "../../../server/database/backup.ts";
import { migrate, MIGRATIONS } from "../../../server/database/migrations/all.ts";
import { openDatabase } from "../../../server/database/open.ts";
import { FakeAgent, joinHost } from "../../support/fake_agent.ts";
import { startServer } from "../../support/start_server.ts";

async function withFolder(work: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "rm-db-" });
  try {
    await work(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("a file that is not a database, or a damaged one, is refused by name and left as it is", async () => {
  await withFolder(async (dir) => {
    const file = join(dir, "restic-manager.db");
    await Deno.writeTextFile(file, "this is not a database, it is someone's letter".repeat(200));
    const before = await Deno.readFile(file);
    await assert.rejects(openDatabase(dir), new RegExp(file));
    assert.deepEqual(await Deno.readFile(file), before);
  });
  await withFolder(async (dir) => {
    const { db, close } = await openDatabase(dir);
    for (let n = 0; n < 200; n++) {
      await db.insertInto("users").values({
        id: `${n}`,
        username: `user${n}`,
        password_hash: "x".repeat(400),
        role: "viewer",
        created_at: 1,
      }).execute();
    }
    await close();
    const file = join(dir, "restic-manager.db");
    const bytes = await Deno.readFile(file);
    bytes.fill(0xaa, bytes.length - 3 * 4096, bytes.length - 4096);
    await Deno.writeFile(file, bytes);
    await assert.rejects(openDatabase(dir), /damaged/);
    assert.deepEqual(await Deno.readFile(file), bytes);
  });
});

Deno.test("a second server on the same data folder is refused", async () => {
  await withFolder(async (dir) => {
    const first = await openDatabase(dir);
    await assert.rejects(openDatabase(dir), /already using/);
    await first.close();
    await (await openDatabase(dir)).close();
  });
});

Deno.test("a migration that fails leaves the database as it was, and a newer schema is refused", async () => {
  await withFolder(async (dir) => {
    const { db, close } = await openDatabase(dir);
    const file = join(dir, "restic-manager.db");
    const failing = {
      ...MIGRATIONS,
      "9999_fails": {
        async up(tx: Parameters<typeof sql.raw>[0] extends string ? typeof db : never) {
          await sql`create table half_done (id integer)`.execute(tx);
          throw new Error("no");
        },
      },
    } as unknown as typeof MIGRATIONS;
    await assert.rejects(migrate(db, file, failing), /left as it was/);
    const tables = await sql<
      { name: string }
    >`select name from sqlite_master where name = 'half_done'`.execute(db);
    assert.equal(tables.rows.length, 0);
    await assert.rejects(migrate(db, file, {}), /newer/);
    await close();
  });
});

Deno.test("Kysely's transactions and the bare connection's do not mix", async () => {
  await withFolder(async (dir) => {
    const { db, raw, close } = await openDatabase(dir);
    const insert =
      "insert into users (id, username, password_hash, role, created_at) values (?, ?, '', 'viewer', 1)";
    const slow = db.transaction().execute(async (tx) => {
      await sql`insert into users (id, username, password_hash, role, created_at) values ('a', 'a', '', 'viewer', 1)`
        .execute(tx);
      await new Promise((resolve) => setTimeout(resolve, 20));
      throw new Error("rolled back");
    });
    const bare = raw((sqlite) => sqlite.prepare(insert).run("b", "b"));
    await assert.rejects(slow, /rolled back/);
    await bare;
    const names = await db.selectFrom("users").select("id").execute();
    assert.deepEqual(names.map((row) => row.id), ["b"]);
    await close();
  });
});

Deno.test("the audit can be neither changed nor removed, and an act without its record does not happen", async () => {
  await using test = await startServer();
  await assert.rejects(
    sql`update audit set actor_name = 'x'`.execute(test.server.db),
    /append-only/,
  );
  await assert.rejects(sql`delete from audit`.execute(test.server.db), /append-only/);
  await sql`create trigger full before insert on audit begin select raise(abort, 'disk full'); end`
    .execute(test.server.db);
  const answer = await test.api("olive", "POST", "/api/repositories", {
    name: "x",
    url: "/srv/x",
    is_new: true,
  });
  assert.equal(answer.status, 500);
  await sql`drop trigger full`.execute(test.server.db);
  assert.deepEqual((await test.api("olive", "GET", "/api/repositories")).body.items, []);
});

Deno.test("a copy of the database, made while agents report, starts with the same key and knows its hosts", async () => {
  await withFolder(async (dir) => {
    await using test = await startServer();
    const host = await joinHost(test, "alpha");
    const agent = await FakeAgent.connect(test.url, host.bearer);
    const { job_id } = await agent.next("command.run");
    agent.started(job_id);
    await agent.acknowledged(agent.lines(job_id, 1, ["before the copy"]));
    const copy = join(dir, "restic-manager.db");
    await backupDatabase(test.dataDir, copy);
    await assert.rejects(backupDatabase(test.dataDir, copy), /cannot be written/);
    await Deno.copyFile(join(test.dataDir, "secret.key"), join(dir, "secret.key"));
    await agent.close();
    const check = new DatabaseSync(copy, { readOnly: true });
    assert.deepEqual({ ...check.prepare("pragma integrity_check").get() }, {
      integrity_check: "ok",
    });
    check.close();
    await using restored = await startServer({ dataDir: dir, people: false });
    const again = await FakeAgent.connect(restored.url, host.bearer, { jobs: [job_id] });
    assert.equal((await again.next("config.update")).repository?.password, "a repository password");
    await again.acknowledged(again.finished(job_id));
    await again.close();
  });
});

Deno.test("another program that writes in between does not end a transaction as busy", async () => {
  const dir = await Deno.makeTempDir();
  const { db, close } = await openDatabase(dir);
  const other = new DatabaseSync(join(dir, "restic-manager.db"), { timeout: 0 });
  try {
    const chain = { begun_at: 1 };
    await db.transaction().execute(async (tx) => {
      await tx.selectFrom("audit_chain").selectAll().execute();
      assert.throws(() => other.exec("insert into audit_chain (begun_at) values (2)"), /locked/);
      await tx.insertInto("audit_chain").values(chain).execute();
    });
    other.exec("insert into audit_chain (begun_at) values (2)");
  } finally {
    other.close();
    await close();
    await Deno.remove(dir, { recursive: true });
  }
});
