import { followClock } from "../../server/follow_clock.ts";
import assert from "node:assert/strict";
import { attack } from "../support/trial.ts";
import { BEHIND_PROXY, signIn } from "../support/browser_session.ts";
import { PASSWORD, startServer, type TestServer } from "../support/start_server.ts";

const HOME = "198.51.100.7";
const MINUTE = 60_000;

/** How many of these guesses were looked at, and how many refused unseen. */
async function guess(test: TestServer, username: string, addresses: string[]) {
  const statuses: number[] = [];
  for (const from of addresses) {
    statuses.push((await signIn(test, username, "wrong guess", from)).status);
  }
  const count = (status: number) => statuses.filter((each) => each === status).length;
  return { looked: count(401), refused: count(429) };
}

const anywhere = (n: number) => Array.from({ length: n }, (_, i) => `203.0.${i % 250}.9`);

attack({
  id: "promise 10",
  promise:
    "ten guesses an account and hour from networks not seen before, however many; its owner signs in meanwhile",
  done:
    "300 networks guess on alice, two hours long, the server restarted in between; she signs in from home each time",
  expected:
    "at most ten looked at in any hour; alice is let in every time; a name that nobody has is answered alike",
}, async (see) => {
  const dataDir = await Deno.makeTempDir({ prefix: "rm-guess-" });
  try {
    let test = await startServer({ dataDir, env: BEHIND_PROXY });
    assert.equal((await signIn(test, "alice", PASSWORD, HOME)).status, 200);
    const seen: number[] = [];
    for (const minutes of [0, 6, 30, 59]) {
      test.clock.passUntil(minutes * MINUTE);
      const real = await guess(test, "alice", anywhere(300));
      const nobody = await guess(test, "nobody", anywhere(300).map((a) => a.replace("203", "192")));
      seen.push(real.looked);
      assert.deepEqual(real, nobody);
      assert.equal((await signIn(test, "alice", PASSWORD, HOME)).status, 200);
    }
    await test[Symbol.asyncDispose]();
    test = await startServer({ dataDir, env: BEHIND_PROXY, people: false, clock: test.clock });
    const restarted = await guess(test, "alice", anywhere(50));
    const let_in = await signIn(test, "alice", PASSWORD, "198.51.100.200");
    test.clock.passUntil(67 * MINUTE);
    const later = await guess(test, "alice", anywhere(50));
    await test[Symbol.asyncDispose]();
    see(
      `looked at ${seen} in the first hour, ${restarted.looked} after a restart, ${later.looked} in the next; alice at home ${let_in.status}`,
    );
    assert.equal(seen.reduce((a, b) => a + b), 10);
    assert.equal(restarted.looked, 0);
    assert.equal(let_in.status, 200);
    assert.ok(later.looked > 0 && later.looked <= 10);
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
});

attack({
  id: "promise 10",
  promise: "a network is limited as one, however many addresses it has",
  done:
    "one /64, one /48 with a /64 for each guess, one /24 and mapped IPv4 try a name each time anew",
  expected:
    "30, 60, 30 and 30 looked at in ten minutes; a neighbour of theirs who signed in before is let in",
}, async (see) => {
  await using test = await startServer({ env: BEHIND_PROXY });
  const neighbours: [string, string][] = [
    ["alice", "2001:db8:1:1::7"],
    ["olive", "2001:db8:2:ffff::7"],
    ["victor", "198.51.100.7"],
  ];
  for (const [name, from] of neighbours) await signIn(test, name, PASSWORD, from);
  const from = async (address: (n: number) => string) => {
    const statuses = [];
    for (let n = 0; n < 100; n++) {
      statuses.push((await signIn(test, `name${n}`, "wrong guess", address(n))).status);
    }
    return statuses.filter((status) => status === 401).length;
  };
  const looked = {
    "/64": await from((n) => `2001:db8:1:1::${(n + 9).toString(16)}`),
    "/48": await from((n) => `2001:db8:2:${n.toString(16)}::1`),
    "/24": await from((n) => `198.51.100.${n + 20}`),
    mapped: await from((n) => `::ffff:192.0.2.${n + 20}`),
  };
  const let_in = [];
  for (const [name, address] of neighbours) {
    let_in.push((await signIn(test, name, PASSWORD, address)).status);
  }
  see(`looked at ${JSON.stringify(looked)}; neighbours ${let_in}`);
  assert.deepEqual(looked, { "/64": 30, "/48": 60, "/24": 30, mapped: 30 });
  assert.deepEqual(let_in, [200, 200, 200]);
});

attack({
  id: "promise 10",
  promise: "a clock that jumps locks nobody out and frees no guesser",
  done:
    "ten guesses; the clock goes back a day, on by a year and back again, with ten more each time; then an hour passes",
  expected:
    "none looked at after the jumps; after an hour of waiting the account is open again, not after a day",
}, async (see) => {
  await using test = await startServer({ env: BEHIND_PROXY });
  await guess(test, "alice", anywhere(8));
  test.clock.passUntil(6 * MINUTE);
  await guess(test, "alice", anywhere(8));
  let looked = 0;
  for (const days of [-1, 400, 0]) {
    test.clock.wall = days * 1440 * MINUTE;
    looked += (await guess(test, "alice", anywhere(10))).looked;
    await followClock(test.server);
    looked += (await guess(test, "alice", anywhere(10))).looked;
  }
  test.clock.wall = -1440 * MINUTE;
  test.clock.pass(61 * MINUTE);
  const let_in = await signIn(test, "alice", PASSWORD, "192.0.2.1");
  see(`${looked} looked at; an hour later her first sign-in is answered ${let_in.status}`);
  assert.equal(looked, 0);
  assert.equal(let_in.status, 200);
});

attack({
  id: "promise 10",
  promise: "guesses at the present password of someone who is signed in count too, from each form",
  done: "a stolen session posts the password form 20 times from a network that alice never used",
  expected: "at most ten looked at, and none of another kind from there afterwards",
}, async (see) => {
  await using test = await startServer({ env: BEHIND_PROXY });
  const alice = await signIn(test, "alice", PASSWORD, HOME);
  const statuses = [];
  for (let n = 0; n < 20; n++) {
    const response = await fetch(`${test.url}/account/password`, {
      method: "POST",
      headers: { cookie: alice.cookie, origin: test.url, "x-forwarded-for": "203.0.113.9" },
      body: new URLSearchParams({
        current_password: `wrong ${n}`,
        new_password: "another long passphrase",
        new_password_again: "another long passphrase",
      }),
    });
    statuses.push(/not your password/.test(await response.text()) ? "looked" : "refused");
  }
  const looked = statuses.filter((each) => each === "looked").length;
  const more = await guess(test, "alice", anywhere(20));
  see(`${looked} looked at in the form, ${more.looked} more at the login`);
  assert.ok(looked > 0 && looked + more.looked <= 10);
  assert.equal((await signIn(test, "alice", PASSWORD, HOME)).status, 200);
});
