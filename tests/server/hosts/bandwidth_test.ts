import assert from "node:assert/strict";
import { FakeAgent, joinHost } from "../../support/fake_agent.ts";
import { startServer } from "../../support/start_server.ts";

Deno.test("caps are stored, audited and pushed at once to the connected agent", async () => {
  await using test = await startServer();
  const host = await joinHost(test, "alpha");
  const agent = await FakeAgent.connect(test.url, host.bearer);
  const path = `/api/hosts/${host.hostId}/bandwidth`;
  const set = await test.api("olive", "PUT", path, {
    bandwidth_up_kbps: 1024,
    bandwidth_down_kbps: null,
  });
  assert.deepEqual([set.body.bandwidth_up_kbps, set.body.bandwidth_down_kbps], [1024, null]);
  const config = await agent.next("config.update", (message) => message.bandwidth_up_kbps === 1024);
  assert.equal(config.bandwidth_down_kbps, null);
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
