import assert from "node:assert/strict";
import { Clock } from "../../server/clock.ts";
import { followClock } from "../../server/follow_clock.ts";
import { joinHost } from "../support/fake_agent.ts";
import { signIn } from "../support/browser_session.ts";
import { startServer } from "../support/start_server.ts";

const HOUR = 3_600_000;
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
    assert.deepEqual(clock.look(), { whole: jump, set: jump });
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
  assert.deepEqual(clock.look(), { whole: 9 * HOUR, set: HOUR });
  clock.follow(9 * HOUR);
  assert.equal(clock.look().whole, 0);
  at.wall -= YEAR;
  assert.deepEqual(clock.look(), { whole: -YEAR, set: -YEAR });
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

Deno.test("two that follow at once move what is due once; what cannot be moved leaves time as it was", async () => {
  await using test = await startServer();
  const host = await joinHost(test, "alpha");
  const created = async () =>
    (await test.server.db.selectFrom("hosts").select("created_at").where("id", "=", host.hostId)
      .executeTakeFirstOrThrow()).created_at;
  const before = await created();
  test.clock.wall = YEAR;
  test.server.database.sqlite.exec(
    "create trigger no before insert on audit begin select raise(abort, 'full'); end",
  );
  await assert.rejects(followClock(test.server), /full/);
  assert.ok(test.server.now() < Date.now() + HOUR);
  assert.equal(await created(), before);
  test.server.database.sqlite.exec("drop trigger no");
  await Promise.all([1, 2, 3].map(() => followClock(test.server)));
  assert.ok(Math.abs(await created() - before - YEAR) < 60_000);
  assert.ok(Math.abs(test.server.now() - Date.now() - YEAR) < 60_000);
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
