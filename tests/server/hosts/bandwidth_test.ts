import assert from "node:assert/strict";
import { FakeAgent, joinHost } from "../../support/fake_agent.ts";
import { startServer } from "../../support/start_server.ts";

Deno.test("limits are stored, audited and pushed at once to the connected agent", async () => {
  await using test = await startServer();
  const host = await joinHost(test, "alpha");
  const agent = await FakeAgent.connect(test.url, host.bearer);
  const path = `/api/hosts/${host.hostId}/bandwidth`;
  const set = await test.api("olive", "PUT", path, {
    bandwidth_up_kbps: 1024,
    bandwidth_down_kbps: null,
  });
  assert.deepEqual([set.body.bandwidth_up_kbps, set.body.bandwidth_down_kbps], [1024, null]);
  const config = await agent.next(
    "config.update",
    (message) => message.bandwidth_up_kib_per_s === 1024,
  );
  assert.equal(config.bandwidth_down_kib_per_s, null);
  const audit = await test.api("alice", "GET", "/api/audit?action=host.bandwidth_changed");
  assert.deepEqual(audit.body.items[0].detail, {
    bandwidth_up_kbps: 1024,
    bandwidth_down_kbps: null,
  });
  for (
    const body of [{}, { bandwidth_up_kbps: -1, bandwidth_down_kbps: null }, {
      bandwidth_up_kbps: "x",
      bandwidth_down_kbps: null,
    }]
  ) {
    const answer = await test.api("olive", "PUT", path, body);
    assert.deepEqual([answer.status, answer.body.error.field], [422, "bandwidth_up_kbps"]);
  }
  await agent.close();
});

Deno.test("windows by the hour are kept when only the limits change, replaced whole, and refused by name", async () => {
  await using test = await startServer();
  const host = await joinHost(test, "alpha");
  const agent = await FakeAgent.connect(test.url, host.bearer);
  const path = `/api/hosts/${host.hostId}/bandwidth`;
  const limits = { bandwidth_up_kbps: 1024, bandwidth_down_kbps: null };
  const windows = [{
    days: ["mon", "fri"],
    from: "08:00",
    to: "18:00",
    bandwidth_up_kbps: 100,
    bandwidth_down_kbps: null,
  }];
  const set = await test.api("olive", "PUT", path, { ...limits, windows });
  assert.deepEqual(set.body.bandwidth_windows, windows);
  await test.api("olive", "PATCH", `/api/hosts/${host.hostId}`, { time_zone: "Europe/Berlin" });
  const config = await agent.next("config.update", (told) => told.time_zone === "Europe/Berlin");
  assert.deepEqual(config.bandwidth_windows, [{
    days: ["mon", "fri"],
    from: "08:00",
    to: "18:00",
    bandwidth_up_kib_per_s: 100,
    bandwidth_down_kib_per_s: null,
  }]);
  const kept = await test.api("olive", "PUT", path, { ...limits, bandwidth_up_kbps: 1 });
  assert.deepEqual(kept.body.bandwidth_windows, windows);
  for (
    const [field, wrong] of [
      ["windows.0.days", { days: ["someday"] }],
      ["windows.0.from", { from: "8" }],
      ["windows.0.to", { to: "08:00" }],
      ["windows.0.bandwidth_up_kbps", { bandwidth_up_kbps: -1 }],
    ] as const
  ) {
    const body = { ...limits, windows: [{ ...windows[0], ...wrong }] };
    const refused = await test.api("olive", "PUT", path, body);
    assert.equal(refused.status, 422);
    assert.ok(refused.body.error.field.startsWith(field), refused.body.error.field);
  }
  const none = await test.api("olive", "PUT", path, { ...limits, windows: [] });
  assert.deepEqual(none.body.bandwidth_windows, []);
  await agent.close();
});
