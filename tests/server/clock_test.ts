import assert from "node:assert/strict";
import { Clock } from "../../server/clock.ts";
import { join } from "node:path";
import { backupDatabase } from "../../server/database/backup.ts";
import { followClock, storeClock } from "../../server/follow_clock.ts";
import { FakeAgent, joinHost } from "../support/fake_agent.ts";
import { signIn } from "../support/browser_session.ts";
import { startServer } from "../support/start_server.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const YEAR = 365 * 24 * HOUR;

/** A machine's clocks, each set by itself. */
function machine() {
  const at = { wall: 1_800_000_000_000, elapsed: 5000, uptime: 90_000 };
  const source = { now: () => at.wall, elapsed: () => at.elapsed, uptime: () => at.uptime };
  const pass = (ms: number) => {
    at.wall += ms;
    at.elapsed += ms;
    at.uptime += ms;
  };
  return { at, source, pass };
}

Deno.test("a clock that is kept right by a second or two is followed at once; one that is set goes on as before until it is followed", () => {
  const { at, source, pass } = machine();
  const clock = new Clock(source);
  const begin = at.wall;
  for (let n = 0; n < 100; n++) {
    pass(1000);
    at.wall += 2000;
    assert.equal(clock.look().whole, 0);
    assert.equal(clock.now(), at.wall);
  }
  assert.equal(at.wall, begin + 300_000);
  for (const jump of [-YEAR, YEAR, HOUR, -6000]) {
    const before = clock.now();
    at.wall += jump;
    pass(250);
    assert.equal(clock.now(), before + 250);
    assert.deepEqual(clock.look(), { whole: jump, set: jump, since: undefined });
    clock.follow(jump);
    assert.equal(clock.now(), at.wall);
    assert.equal(clock.look().whole, 0);
  }
});

Deno.test("how long the server ran leaves out the time in which it was stopped or slept, and goes on with the next run", () => {
  const { at, source, pass } = machine();
  const clock = new Clock(source, { wall: at.wall, uptime: at.uptime, ran: 1000 });
  pass(4000);
  assert.equal(clock.ran(), 5000);
  pass(YEAR);
  assert.equal(clock.ran(), 10_000);
  // The wall clock moves nothing.
  at.wall += YEAR;
  assert.equal(clock.ran(), 10_000);
  const next = new Clock(source, clock.toStore());
  assert.equal(next.ran(), 10_000);
});

Deno.test("a clock that was set while the server was away is noticed by how long the machine has been up", () => {
  for (const jump of [-YEAR, HOUR]) {
    const { at, source, pass } = machine();
    const stored = new Clock(source).toStore();
    pass(10 * HOUR);
    at.wall += jump;
    at.elapsed = 0;
    const next = new Clock(source, stored);
    assert.equal(next.look().whole, jump);
    assert.equal(next.now(), at.wall - jump);
  }
});

Deno.test("what a machine slept is no clock that was set, as far as it knows of that", () => {
  const { at, source, pass } = machine();
  const clock = new Clock(source);
  pass(1000);
  at.wall += 9 * HOUR;
  at.uptime += 8 * HOUR;
  assert.deepEqual(clock.look(), { whole: 9 * HOUR, set: HOUR, since: undefined });
  clock.follow(9 * HOUR);
  assert.equal(clock.look().whole, 0);
  at.wall -= YEAR;
  assert.deepEqual(clock.look(), { whole: -YEAR, set: -YEAR, since: undefined });
});

Deno.test("a machine that was started anew has its wall clock alone, but time does not go back", () => {
  const { at, source } = machine();
  const stored = new Clock(source).toStore();
  at.elapsed = 0;
  at.uptime = 20_000;
  at.wall += 5 * HOUR;
  assert.equal(new Clock(source, stored).look().whole, 0);
  at.wall -= YEAR;
  const back = new Clock(source, stored);
  assert.equal(back.now(), stored.wall + 20_000);
  assert.equal(back.look().whole, at.wall - stored.wall - 20_000);
});

const BROKEN = [
  "sessions",
  "api_tokens",
  "login_tries",
  "hosts",
  "schedules",
  "jobs",
  "audit",
  "clock",
];

Deno.test("two that follow at once move what is due once; what cannot be moved leaves time as it was, whatever fails", async () => {
  await using test = await startServer({ still: true });
  const host = await joinHost(test, "alpha");
  const agent = await FakeAgent.connect(test.url, host.bearer);
  await agent.next("command.run");
  await signIn(test, "alice");
  const { sqlite } = test.server.database;
  sqlite.exec("insert into login_tries (key, at) values ('x', 1)");
  sqlite.exec(
    "insert into schedules (id, host_id, cron, enabled, created_at, updated_at) select 's', id, '0 3 * * *', 1, 1, 1 from hosts",
  );
  const created = () =>
    (sqlite.prepare("select created_at from hosts").get() as { created_at: number }).created_at;
  const before = created();
  test.clock.wall = YEAR;
  for (const table of BROKEN) {
    const on = table === "audit" ? "insert" : "update";
    sqlite.exec(
      `create trigger no before ${on} on ${table} begin select raise(abort, 'no ${table}'); end`,
    );
    for (let n = 0; n < 3; n++) {
      await assert.rejects(followClock(test.server), new RegExp(`no ${table}`));
    }
    sqlite.exec("drop trigger no");
    assert.ok(Math.abs(test.server.now() - Date.now()) < 60_000, table);
    assert.equal(created(), before, table);
  }
  await Promise.all([1, 2, 3].map(() => followClock(test.server)));
  assert.ok(Math.abs(created() - before - YEAR) < 60_000);
  assert.ok(Math.abs(test.server.now() - Date.now() - YEAR) < 60_000);
  await agent.close();
});

Deno.test("a machine that comes up with its clock a year ahead, which is then set right: what was there before is as it was, what came since moves back", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "rm-clock-" });
  try {
    const first = await startServer({ dataDir });
    const host = await joinHost(first, "alpha");
    const expires_at = new Date(first.server.now() + 90 * DAY).toISOString();
    const { token } =
      (await first.api("alice", "POST", "/api/tokens", { name: "t", expires_at })).body;
    await first.server.db.updateTable("hosts").set({ last_success_at: first.server.now() })
      .execute();
    await first[Symbol.asyncDispose]();
    first.clock.wall = YEAR;
    first.clock.reboot();
    await using second = await startServer({
      dataDir,
      people: false,
      clock: first.clock,
      still: true,
    });
    const use = async (secret: string) => {
      const response = await fetch(`${second.url}/api/hosts`, {
        headers: { authorization: `Bearer ${secret}` },
      });
      await response.body?.cancel();
      return response.status;
    };
    second.tokens.alice = first.tokens.alice;
    const later = new Date(second.server.now() + 90 * DAY).toISOString();
    const fresh =
      (await second.api("alice", "POST", "/api/tokens", { name: "u", expires_at: later })).body
        .token;
    second.clock.wall = 0;
    await followClock(second.server);
    assert.deepEqual([await use(token), await use(fresh)], [200, 200]);
    const { last_success_at } = await second.server.db.selectFrom("hosts").select("last_success_at")
      .where("id", "=", host.hostId).executeTakeFirstOrThrow();
    assert.ok(Math.abs(last_success_at! - Date.now()) < 60_000);
    second.clock.pass(91 * DAY);
    assert.deepEqual([await use(token), await use(fresh)], [401, 401]);
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
});

Deno.test("a copy of the database that is put back knows how long the server ran, and not what time it is", async () => {
  const folder = await Deno.makeTempDir({ prefix: "rm-clock-" });
  const [dataDir, copied] = [join(folder, "a"), join(folder, "b")];
  try {
    const first = await startServer({ dataDir });
    first.clock.pass(60 * DAY);
    const ran = first.server.clock.ran();
    await storeClock(first.server);
    await Deno.mkdir(copied);
    await backupDatabase(dataDir, join(copied, "restic-manager.db"));
    await first[Symbol.asyncDispose]();
    for (const name of ["secret.key", "audit.head"]) {
      await Deno.copyFile(join(dataDir, name), join(copied, name)).catch(() => {});
    }
    first.clock.wall = 400 * DAY;
    await using second = await startServer({
      dataDir: copied,
      people: false,
      clock: first.clock,
      still: true,
    });
    assert.ok(second.server.clock.ran() >= ran - 1000);
    assert.equal(await followClock(second.server), 0);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("small steps of the clock add up: what grows old moves when a day has come together", async () => {
  await using test = await startServer({ still: true });
  await joinHost(test, "alpha");
  await test.server.db.updateTable("hosts").set({ last_success_at: test.server.now() }).execute();
  const age = async () => {
    await followClock(test.server);
    const { last_success_at } = await test.server.db.selectFrom("hosts").select("last_success_at")
      .executeTakeFirstOrThrow();
    return Math.round((test.server.now() - last_success_at!) / HOUR);
  };
  test.clock.wall = 30 * HOUR;
  assert.equal(await age(), 0);
  test.clock.wall = 15 * HOUR;
  assert.equal(await age(), -15);
  test.clock.wall = 0;
  assert.equal(await age(), 0);
});

Deno.test("how old the last success is: after a sleep as old as it is, after a clock that was wrong by a day or more as old as before", async () => {
  await using test = await startServer({ still: true });
  const host = await joinHost(test, "alpha");
  await test.server.db.updateTable("hosts").set({ last_success_at: test.server.now() - HOUR })
    .execute();
  const age = async () => {
    await followClock(test.server);
    const { last_success_at } = await test.server.db.selectFrom("hosts").select("last_success_at")
      .where("id", "=", host.hostId).executeTakeFirstOrThrow();
    return Math.round((test.server.now() - last_success_at!) / HOUR);
  };
  test.clock.suspend(30 * HOUR);
  assert.equal(await age(), 31);
  for (const wall of [YEAR, -YEAR, -30 * HOUR, 0]) {
    test.clock.wall = wall;
    assert.equal(await age(), 31, `${wall}`);
  }
  test.clock.wall = 2 * HOUR;
  assert.equal(await age(), 33);
});

Deno.test("a session has as much left as before, however the clock is set, also over a restart; what expired stays so", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "rm-clock-" });
  try {
    const first = await startServer({ dataDir });
    const alice = await signIn(first, "alice");
    const olive = await signIn(first, "olive");
    // The same cookies at the next run of the server.
    const status = async (who: typeof alice) => (await who.api("GET", "/api/sessions")).status;
    first.clock.pass(11 * HOUR);
    assert.equal(await status(olive), 200);
    for (const wall of [YEAR, -YEAR, 13 * HOUR]) {
      first.clock.wall = wall;
      assert.equal(await status(olive), 200, `${wall}, not yet followed`);
      await followClock(first.server);
      assert.equal(await status(olive), 200, `${wall}`);
    }
    // Alice was idle for twelve hours.
    first.clock.pass(1.5 * HOUR);
    assert.equal(await status(alice), 401);
    first.clock.wall = -YEAR;
    await followClock(first.server);
    assert.equal(await status(alice), 401);
    const rows = await first.server.db.selectFrom("sessions").selectAll().execute();
    await first[Symbol.asyncDispose]();
    first.clock.wall = 3 * YEAR;
    await using second = await startServer({ dataDir, people: false, clock: first.clock });
    const kept = await second.server.db.selectFrom("sessions").selectAll().execute();
    assert.equal(kept.length, rows.length);
    rows.forEach((row, n) =>
      assert.ok(Math.abs(kept[n]!.expires_at - row.expires_at - 4 * YEAR) < 60_000)
    );
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
});
