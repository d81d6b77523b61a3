import assert from "node:assert/strict";
import { sweepPendingHosts } from "../../../server/pending_hosts/sweep.ts";
import { networkOf } from "../../../server/network.ts";
import { Announcer } from "../../support/fake_announcer.ts";
import { startServer, type TestServer } from "../../support/start_server.ts";

/** A server behind a proxy on this machine, so that a test may come from many addresses. */
const behindProxy = () => startServer({ env: { RM_TRUSTED_PROXY: "127.0.0.0/8" } });

// deno-lint-ignore no-explicit-any
async function pending(test: TestServer): Promise<any[]> {
  return (await test.api("olive", "GET", "/api/pending-hosts?limit=500")).body.items;
}

const HOUR = 3_600_000;

Deno.test("an announcement answers fingerprint and pending id, and stands in the list without a secret", async () => {
  await using test = await startServer();
  const anna = await Announcer.make();
  const { status, body } = await anna.announce(test);
  assert.equal(status, 200);
  assert.deepEqual(Object.keys(body).sort(), ["fingerprint", "hostname_collision", "pending_id"]);
  const digest = new Uint8Array(
    await crypto.subtle.digest("SHA-256", new Uint8Array(anna.publicKey)),
  );
  assert.equal(body.fingerprint, `SHA256:${digest.toHex()}`);
  assert.equal(body.hostname_collision, false);
  const [row, ...more] = await pending(test);
  assert.equal(more.length, 0);
  assert.equal(row.id, body.pending_id);
  assert.deepEqual(
    [row.hostname, row.os, row.arch, row.agent_version, row.restic_version, row.announced_from_ip],
    ["pc-anna", "linux", "x86_64", "0.1.0", "0.18.0", "127.0.0.1"],
  );
  assert.deepEqual([row.fingerprint, row.proven_at, row.connected], [
    anna.fingerprint,
    null,
    false,
  ]);
  assert.equal(Date.parse(row.expires_at) - Date.parse(row.last_seen_at), HOUR);
});

Deno.test("the same key refreshes its row instead of adding one", async () => {
  await using test = await startServer();
  const anna = await Announcer.announced(test);
  const [before] = await pending(test);
  test.clock.passUntil(HOUR / 2);
  const again = await anna.announce(test, { agent_version: "0.2.0" });
  assert.equal(again.body.pending_id, before.id);
  const [after, ...more] = await pending(test);
  assert.equal(more.length, 0);
  assert.equal(after.agent_version, "0.2.0");
  assert.equal(after.first_seen_at, before.first_seen_at);
  assert.ok(Date.parse(after.expires_at) >= Date.parse(before.expires_at) + HOUR / 2);
});

Deno.test("a row that is not seen for an hour is gone, and the sweep removes it", async () => {
  await using test = await startServer();
  const anna = await Announcer.announced(test);
  test.clock.passUntil(HOUR - 5000);
  await sweepPendingHosts(test.server);
  assert.equal((await pending(test)).length, 1);
  test.clock.passUntil(HOUR + 1);
  assert.equal((await pending(test)).length, 0, "before the sweep");
  await sweepPendingHosts(test.server);
  const left = await test.server.db.selectFrom("pending_hosts").select("id").execute();
  assert.equal(left.length, 0);
  const before = anna.pendingId;
  assert.equal((await anna.announce(test)).status, 200);
  assert.notEqual(anna.pendingId, before);
});

Deno.test("ten announcements a minute from one address, then 429 with Retry-After; another address is served", async () => {
  await using test = await behindProxy();
  const anna = await Announcer.make();
  for (let n = 0; n < 10; n++) {
    assert.equal((await anna.announce(test, {}, "203.0.113.7")).status, 200);
  }
  const refused = await anna.announce(test, {}, "203.0.113.7");
  assert.deepEqual([refused.status, refused.body.error.code], [429, "too_many"]);
  const wait = Number(refused.headers.get("retry-after"));
  assert.ok(wait > 50 && wait <= 60, `${wait}`);
  assert.equal((await anna.announce(test, {}, "203.0.113.8")).status, 200);
  test.clock.passUntil((wait + 1) * 1000);
  assert.equal((await anna.announce(test, {}, "203.0.113.7")).status, 200);
});

Deno.test("who is no proxy cannot choose the address that is counted", async () => {
  await using test = await startServer();
  const anna = await Announcer.make();
  for (let n = 0; n < 10; n++) await anna.announce(test, {}, `203.0.113.${n}`);
  assert.equal((await anna.announce(test, {}, "203.0.113.99")).status, 429);
});

Deno.test("an IPv6 customer is one source by the /64, and IPv4 in IPv6 clothes is IPv4", async () => {
  assert.equal(networkOf("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
  assert.equal(networkOf("2001:db8:1:2::1"), "2001:db8:1:2::/64");
  assert.equal(networkOf("fe80::1%eth0"), "fe80:0:0:0::/64");
  assert.equal(networkOf("::ffff:203.0.113.7"), "203.0.113.7");
  assert.equal(networkOf("203.0.113.7"), "203.0.113.7");
  await using test = await behindProxy();
  const anna = await Announcer.make();
  for (let n = 0; n < 10; n++) await anna.announce(test, {}, `2001:db8:1:2::${n + 1}`);
  assert.equal((await anna.announce(test, {}, "2001:db8:1:2:ffff::1")).status, 429);
  assert.equal((await anna.announce(test, {}, "2001:db8:1:3::1")).status, 200);
});

Deno.test("100 rows at most, 20 of one source; known keys are still served, and a row that goes makes room", async () => {
  await using test = await behindProxy();
  const crowd: Announcer[] = [];
  for (let n = 0; n < 20; n++) {
    crowd.push(await Announcer.announced(test, `one-${n}`, "203.0.113.1"));
    test.clock.pass(10_000);
  }
  const one = await (await Announcer.make()).announce(test, {}, "203.0.113.1");
  assert.equal(one.status, 503);
  assert.match(
    one.body.error.message,
    /20 machines of this address wait .* join this machine by a token\./,
  );
  // Another source is not locked out by it.
  for (let n = 0; n < 80; n++) {
    crowd.push(await Announcer.announced(test, `more-${n}`, `198.51.100.${n % 40}`));
  }
  const more = await (await Announcer.make()).announce(test, {}, "192.0.2.1");
  assert.equal(more.status, 503);
  assert.match(more.body.error.message, /^100 machines wait for approval already/);
  assert.ok(Number(more.headers.get("retry-after")) > 0);
  assert.equal((await pending(test)).length, 100);
  assert.equal((await crowd[99]!.announce(test, {}, "192.0.2.1")).status, 200);
  await test.api("alice", "POST", `/api/pending-hosts/${crowd[50]!.pendingId}/reject`);
  assert.equal((await (await Announcer.make()).announce(test, {}, "192.0.2.2")).status, 200);
  // What has expired does not count, swept or not.
  test.clock.pass(HOUR + 1000);
  assert.equal((await (await Announcer.make()).announce(test, {}, "192.0.2.3")).status, 200);
  assert.equal((await pending(test)).length, 1);
});

Deno.test("fields are held to their length and characters, by name", async (t) => {
  await using test = await behindProxy();
  const anna = await Announcer.make();
  const cases: [string, Record<string, unknown>, string][] = [
    ["a name of 10 kB", { hostname: "x".repeat(10_000) }, "hostname"],
    ["a name with markup", { hostname: "<img src=x>" }, "hostname"],
    ["a name with ESC", { hostname: "pc\u001b[31m" }, "hostname"],
    ["a name that turns the text around", { hostname: "pc\u202eanna" }, "hostname"],
    ["a name with a zero-width space", { hostname: "pc\u200banna" }, "hostname"],
    ["a name that is an option", { hostname: "-oProxyCommand=x" }, "hostname"],
    ["no name", { hostname: "" }, "hostname"],
    ["an unknown system", { os: "plan9" }, "os"],
    ["a long architecture", { arch: "x".repeat(33) }, "arch"],
    ["a version with a line break", { agent_version: "1\n2" }, "agent_version"],
    ["a version of restic that is a number", { restic_version: 18 }, "restic_version"],
    ["a key that is too short", { public_key: "AAAA" }, "public_key"],
    ["a key that is too long", { public_key: `${"A".repeat(47)}=` }, "public_key"],
    ["a key that is no base64", { public_key: `${"*".repeat(43)}=` }, "public_key"],
    ["a key that is not text", { public_key: [1, 2, 3] }, "public_key"],
    ["an unknown field", { password: "x" }, "password"],
  ];
  for (const [what, more, field] of cases) {
    await t.step(what, async () => {
      const { status, body } = await anna.announce(test, more);
      assert.equal(status, 422, JSON.stringify(body));
      assert.equal(body.error.field, field);
      assert.ok(body.error.message.startsWith(field), body.error.message);
    });
  }
  assert.equal((await pending(test)).length, 0);
  const without = await anna.announce(test, { restic_version: null });
  assert.equal(without.status, 200, "restic may be missing");
});

Deno.test("an agent whose protocol is too old is told so, with a code that it understands", async () => {
  await using test = await startServer();
  const anna = await Announcer.make();
  const { status, body } = await anna.announce(test, { protocol: 0 });
  assert.deepEqual([status, body.error.code], [422, "agent_too_old"]);
  assert.match(body.error.message, /^Update the agent: it speaks protocol 0/);
  assert.equal((await pending(test)).length, 0);
});
