import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import { readHead } from "../../server/audit/head_file.ts";
import { verifyAudit } from "../../server/audit/verify.ts";
import { AUDIT_KEY } from "../../server/audit/watch.ts";
import { deriveKey } from "../../server/secrets.ts";
import { attack } from "../support/trial.ts";
import { runOnce } from "../support/programs.ts";
import { startServer, type TestServer } from "../support/start_server.ts";

/** Writes the database as anyone who has the file, but not the key. */
function tamper(dataDir: string, ...statements: string[]): void {
  const sqlite = new DatabaseSync(join(dataDir, "restic-manager.db"));
  try {
    sqlite.exec("drop trigger if exists audit_is_never_changed");
    sqlite.exec("drop trigger if exists audit_is_never_removed");
    for (const statement of statements) sqlite.exec(statement);
  } finally {
    sqlite.close();
  }
}

const verify = (dataDir: string, ...args: string[]) =>
  runOnce("server", ["verify-audit", ...args], { RM_DATA_DIR: dataDir });

/** What the command looks at, in this process, for many looks. */
async function look(dataDir: string): Promise<string> {
  const key = deriveKey(await Deno.readFile(join(dataDir, "secret.key")), AUDIT_KEY);
  const head = await readHead(dataDir, key);
  const { wrong } = verifyAudit(join(dataDir, "restic-manager.db"), key, head);
  return wrong ? `Row ${wrong.id} ${wrong.what}` : "whole";
}

async function act(test: TestServer, times = 1): Promise<void> {
  for (let n = 0; n < times; n++) {
    const { status } = await test.api("alice", "POST", "/api/tokens", { name: `act ${n}` });
    assert.equal(status, 201);
  }
}

/** A data folder with some 20 rows of audit, of a server that has ended, or was killed (its files as they are). */
async function withAudit(work: (dataDir: string) => Promise<void>, isKilled = false) {
  const dataDir = await Deno.makeTempDir({ prefix: "rm-audit-" });
  const copy = await Deno.makeTempDir({ prefix: "rm-audit-" });
  try {
    const test = await startServer({ dataDir });
    await act(test, 12);
    const files = [...Deno.readDirSync(dataDir)].map(({ name }) => name);
    // As a kill leaves them, right after the last answer.
    for (const name of files) await Deno.copyFile(join(dataDir, name), join(copy, name));
    await test[Symbol.asyncDispose]();
    await work(isKilled ? copy : dataDir);
  } finally {
    await Deno.remove(dataDir, { recursive: true });
    await Deno.remove(copy, { recursive: true });
  }
}

const last = "(select max(id) from audit)";
const TAMPERED: [string, RegExp, string[]][] = [
  ["a detail changed", /Row 5 /, ['update audit set detail = \'{"role":"viewer"}\' where id = 5']],
  ["an actor changed", /Row 9 /, ["update audit set actor_name = 'olive' where id = 9"]],
  ["a time changed", /Row 9 /, ["update audit set at = at + 1 where id = 9"]],
  ["an address removed", /Row 9 /, ["update audit set address = null where id = 9"]],
  ["a row removed", /Row 7 is missing/, ["delete from audit where id = 7"]],
  ["the first rows removed", /Row 1 is missing/, ["delete from audit where id < 4"]],
  ["a row removed, those after it moved up", /Row 7 /, [
    "delete from audit where id = 7",
    "update audit set id = id - 1 where id > 7",
  ]],
  ["two rows in each other's place", /Row 6 /, [
    "update audit set id = -1 where id = 6",
    "update audit set id = 6 where id = 8",
    "update audit set id = 8 where id = -1",
  ]],
  ["a row replaced by a copy of another", /Row 8 /, [
    "create temp table t as select * from audit where id = 6",
    "update t set id = 8",
    "delete from audit where id = 8",
    "insert into audit select * from t",
  ]],
  ["a row of one's own at the end", /Row 2\d /, [
    `insert into audit select ${last} + 1, at, actor_kind, actor_id, actor_name, action, target_kind, target_id,
      target_name, address, detail, mac from audit where id = 3`,
  ]],
  ["a row without a hash at the end", /Row 2\d /, [
    "insert into audit (at, actor_kind, actor_name, action, detail) values (1, 'user', 'alice', 'x', '{}')",
  ]],
  ["all hashes removed", /Row 1 /, ["update audit set mac = null"]],
  ["all hashes removed, as if there had been no chain", /Row 1 /, [
    "update audit set mac = null",
    "delete from audit_chain",
  ]],
  ["the last row cut off", /cut off/, [`delete from audit where id = ${last}`]],
  ["the last five cut off", /cut off/, [`delete from audit where id > ${last} - 5`]],
  ["all rows removed", /Row 1 /, ["delete from audit"]],
];

attack({
  id: "promise 11",
  promise:
    "verify-audit finds a row changed, removed, moved, replaced or added, and a tail cut off, and names the first",
  done: `as whoever can write the database: ${TAMPERED.map(([what]) => what).join("; ")}`,
  expected:
    "0 before, 1 with the row afterwards, each time; the same when the server was started and used in between",
}, async (see) => {
  let found = 0;
  for (const [what, says, statements] of TAMPERED) {
    await withAudit(async (dataDir) => {
      assert.equal(await look(dataDir), "whole");
      tamper(dataDir, ...statements);
      const after = await look(dataDir);
      assert.match(after, says, what);
      const again = await startServer({ dataDir, people: false });
      await again[Symbol.asyncDispose]();
      const later = await look(dataDir);
      assert.equal(/Row (\d+)/.exec(later)?.[1], /Row (\d+)/.exec(after)?.[1], what);
      found++;
    });
  }
  see(`${found} of ${TAMPERED.length} found, also after a start`);
  assert.equal(found, TAMPERED.length);
});

attack({
  id: "promise 11",
  promise:
    "what was answered before a kill -9 cannot be cut off unseen, and the kill itself is no false alarm",
  done:
    "the files as they are right after an answer; the same with the last row cut off; the head of before the last acts",
  expected: "0; 1; 0, since rows that fit may be newer than their head",
}, async (see) => {
  const codes: number[] = [];
  await withAudit(async (dataDir) => {
    codes.push((await verify(dataDir)).code);
    tamper(dataDir, `delete from audit where id = ${last}`);
    codes.push((await verify(dataDir)).code);
  }, true);
  await withAudit(async (dataDir) => {
    const head = await Deno.readFile(join(dataDir, "audit-head.json"));
    const test = await startServer({ dataDir, people: false });
    await test[Symbol.asyncDispose]();
    await Deno.writeFile(join(dataDir, "audit-head.json"), head);
    codes.push((await verify(dataDir)).code);
  });
  see(codes.join(", "));
  assert.deepEqual(codes, [0, 1, 0]);
});

attack({
  id: "promise 11",
  promise: "the head file cannot be removed, written or made anew unseen",
  done:
    "it is removed; it is changed; it and all rows are removed; then the server is started and used",
  expected:
    "1 each time, also afterwards; an admin's word at the command line ends it, and is in the audit",
}, async (see) => {
  const HEAD = "audit-head.json";
  const ways: [string, (dataDir: string) => Promise<void>][] = [
    ["removed", (dataDir) => Deno.remove(join(dataDir, HEAD))],
    ["changed", async (dataDir) => {
      const text = await Deno.readTextFile(join(dataDir, HEAD));
      await Deno.writeTextFile(join(dataDir, HEAD), text.replace(/"rows":\d+/, '"rows":1'));
    }],
    ["removed with all rows", async (dataDir) => {
      tamper(dataDir, "delete from audit");
      await Deno.remove(join(dataDir, HEAD));
    }],
  ];
  const seen: string[] = [];
  for (const [what, change] of ways) {
    await withAudit(async (dataDir) => {
      await change(dataDir);
      const first = await verify(dataDir);
      const test = await startServer({ dataDir, people: false });
      assert.ok(test.logged.some((line) => line.includes("verify-audit")), "the log says so");
      await test[Symbol.asyncDispose]();
      const second = await verify(dataDir);
      const word = await verify(dataDir, "--restored");
      const third = await verify(dataDir);
      seen.push(`${what}: ${[first, second, word, third].map(({ code }) => code)}`);
      assert.deepEqual([first, second, word, third].map(({ code }) => code), [1, 1, 0, 0], what);
    });
  }
  see(seen.join("; "));
});

attack({
  id: "S54",
  promise:
    "rows that are cut off while the server runs are found, although its next acts take their numbers",
  done:
    "another program deletes the last five rows under a running server, which then acts six times",
  expected:
    "the log says so within the next act; verify-audit says 1 and the first row that is gone",
}, async (see) => {
  await using test = await startServer();
  await act(test, 6);
  const { max } = (await test.api("alice", "GET", "/api/audit?limit=1")).body.items
    .map(({ id }: { id: number }) => ({ max: id }))[0];
  tamper(test.dataDir, `delete from audit where id > ${max - 5}`);
  await act(test, 6);
  const { code, stderr } = await verify(test.dataDir);
  const logged = test.logged.find((line) => line.includes("of the audit"));
  see(`${code}: ${stderr.split("\n")[0]} The log: ${logged?.slice(25, 80)}…`);
  assert.equal(code, 1);
  assert.match(stderr, new RegExp(`Row ${max - 4} `));
  assert.ok(logged);
  const page = await fetch(`${test.url}/audit`, {
    headers: { authorization: `Bearer ${test.tokens.alice}` },
  });
  assert.match(await page.text(), /The audit is not whole/);
});

attack({
  id: "S54",
  promise: "putting back an older copy is seen, can be said, and hides nothing else",
  done:
    "backup-database, ten acts, the copy put back, the server started; the same with a row of the copy changed",
  expected:
    "1 until an admin says --restored, then 0 and a row says so; a changed row is not accepted as restored",
}, async (see) => {
  const codes: Record<string, number> = {};
  const data = async (change?: string) => {
    const test = await startServer();
    const copy = `${test.dataDir}.copy`;
    await runOnce("server", ["backup-database", copy], { RM_DATA_DIR: test.dataDir });
    codes.copy = (await verify(test.dataDir, copy)).code;
    await act(test, 10);
    const { dataDir } = test;
    await test.stop();
    for (const end of ["", "-wal", "-shm"]) {
      await Deno.remove(join(dataDir, `restic-manager.db${end}`)).catch(() => {});
    }
    await Deno.rename(copy, join(dataDir, "restic-manager.db"));
    if (change) tamper(dataDir, change);
    codes.before = (await verify(dataDir)).code;
    const again = await startServer({ dataDir, people: false });
    await again.stop();
    codes.started = (await verify(dataDir)).code;
    codes.word = (await verify(dataDir, "--restored")).code;
    codes.after = (await verify(dataDir)).code;
    const more = await startServer({ dataDir, people: false });
    const said = await more.server.db.selectFrom("audit").select("id")
      .where("action", "=", "audit.restored").execute();
    await more.stop();
    codes.said = said.length;
    codes.later = (await verify(dataDir)).code;
    await Deno.remove(dataDir, { recursive: true });
    return { ...codes };
  };
  const restored = await data();
  const changed = await data("update audit set actor_name = 'olive' where id = 4");
  see(`restored ${JSON.stringify(restored)}; changed ${JSON.stringify(changed)}`);
  assert.deepEqual(restored, {
    copy: 0,
    before: 1,
    started: 1,
    word: 0,
    after: 0,
    said: 1,
    later: 0,
  });
  assert.deepEqual(changed, {
    copy: 0,
    before: 1,
    started: 1,
    word: 1,
    after: 1,
    said: 0,
    later: 1,
  });
});

attack({
  id: "S54",
  promise: "two programs that write the audit at once make one chain",
  done: "eight commands make users beside a running server that acts 60 times",
  expected: "each act is done, none is refused as busy, the chain is whole with all rows",
}, async (see) => {
  await using test = await startServer();
  const commands = Array.from(
    { length: 8 },
    (_, n) =>
      runOnce("server", ["user", "add", `u${n}`, "--role", "viewer"], {
        RM_DATA_DIR: test.dataDir,
      }),
  );
  let acts = 0;
  const ended = Promise.all(commands);
  let running = true;
  ended.finally(() => running = false);
  while (running || acts < 45) {
    const { status, body } = await test.api("alice", "PUT", "/api/tokens", {});
    assert.equal(status, 404, JSON.stringify(body));
    const made = await test.api("olive", "POST", "/api/tokens", { name: `t${acts}` });
    assert.ok([201, 409].includes(made.status), JSON.stringify(made.body));
    acts++;
  }
  const codes = (await ended).map(({ code }) => code);
  const refused = (await ended).filter(({ code }) => code !== 0).map(({ stderr }) => stderr.trim());
  const { code, stdout, stderr } = await verify(test.dataDir);
  const { n } = await test.server.db.selectFrom("audit")
    .select(({ fn }) => fn.countAll<number>().as("n")).executeTakeFirstOrThrow();
  see(`commands ${codes}; ${acts} acts meanwhile; ${code}: ${stdout.trim()}${stderr}`);
  assert.deepEqual(refused, []);
  assert.equal(code, 0);
  assert.match(stdout, new RegExp(`: ${n} rows`));
});
