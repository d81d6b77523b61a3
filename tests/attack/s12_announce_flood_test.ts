import assert from "node:assert/strict";
import { attack } from "../support/trial.ts";
import { BEHIND_PROXY } from "../support/browser_session.ts";
import { Announcer } from "../support/fake_announcer.ts";
import { startServer } from "../support/start_server.ts";

attack({
  id: "S12",
  promise: "a flood of announcements fills no table and shuts nobody else out",
  done:
    "one network announces 300 machines from a new IPv6 address each, another one 60 over several minutes; forged X-Forwarded-For chains; then 30 networks fill what is left; an honest machine that proved its key waits meanwhile",
  expected:
    "20 rows a network and 100 in all; the honest one stays, is first on the dashboard, and another machine can join by token; the page stays small",
}, async (see) => {
  await using test = await startServer({ env: BEHIND_PROXY });
  const honest = await Announcer.announced(test, "honest", "192.0.2.10");
  const waiting = await honest.wait(test.url);
  const rows = async () =>
    (await test.api("olive", "GET", "/api/pending-hosts?limit=500")).body.items as {
      hostname: string;
      announced_from_ip: string;
      revision: number;
    }[];
  const flood = async (count: number, from: (n: number) => string) => {
    const statuses = new Map<number, number>();
    for (let n = 0; n < count; n++) {
      const stranger = await Announcer.make(`flood-${n}`);
      const { status } = await stranger.announce(test, {}, from(n));
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
    return [...statuses].map(([status, times]) => `${times} × ${status}`).join(", ");
  };
  const one = await flood(300, (n) => `2001:db8:1:1::${(n + 1).toString(16)}`);
  const ofOne = (await rows()).length - 1;
  // With time to get by the limit of a minute, and with addresses that nobody has before the true one.
  let slow = "";
  for (let minute = 0; minute < 6; minute++) {
    test.clock.pass(61_000);
    slow = await flood(10, (n) => `10.9.8.${n}, 172.16.0.${n}, 198.51.100.7`);
  }
  const ofTwo = (await rows()).filter(({ announced_from_ip }) =>
    announced_from_ip === "198.51.100.7"
  ).length;
  const many = await flood(120, (n) => `203.0.113.${n % 30}`);
  const all = await rows();
  const dashboard = await fetch(`${test.url}/`, {
    headers: { authorization: `Bearer ${test.tokens.alice}`, accept: "text/html" },
  });
  const page = await dashboard.text();
  const byToken = await test.api("alice", "POST", "/api/enrollment-tokens", {
    hostname: "by-token",
    repository: { name: "r", url: "/srv/r", is_new: true },
  });
  see(
    `one network: ${one}, ${ofOne} rows; another, slowly: the last ten ${slow}, ${ofTwo} rows; 30 networks: ${many}; in all ${all.length} rows; dashboard ${page.length} bytes`,
  );
  assert.ok(ofOne <= 20 && ofTwo <= 20, `${ofOne} ${ofTwo}`);
  assert.equal(all.length, 100);
  assert.ok(all.some(({ hostname }) => hostname === "honest"));
  assert.match(page, /honest/, "whoever proved a key stands before all others");
  assert.ok(page.indexOf("honest") < page.indexOf("flood-"));
  assert.ok(page.length < 60_000);
  assert.equal(byToken.status, 201);
  const seen = all.find(({ hostname }) => hostname === "honest")!;
  const after = await test.api("alice", "POST", `/api/pending-hosts/${honest.pendingId}/accept`, {
    fingerprint: honest.fingerprint,
    revision: seen.revision,
    repository: { name: "honest", url: "/srv/honest", is_new: true },
  });
  assert.equal(after.status, 200, JSON.stringify(after.body));
  await waiting.next("enrolled");
  await waiting.close().catch(() => {});
});
