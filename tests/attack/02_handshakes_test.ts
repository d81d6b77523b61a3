import assert from "node:assert/strict";
import { attack } from "../support/trial.ts";
import { FakeAgent, joinHost } from "../support/fake_agent.ts";
import { startServer } from "../support/start_server.ts";

attack({
  id: "S52",
  promise:
    "a host, or a network of strangers, opens 30 connections a minute, and locks nobody else out",
  done: "one bearer connects 40 times in a row, then 60 unknown bearers come, then another host",
  expected: "from the 31st on 429 with Retry-After for each; the other host connects",
}, async (see) => {
  await using test = await startServer();
  const host = await joinHost(test, "alpha");
  const other = await joinHost(test, "beta");
  const knock = async (bearer: string) => {
    const answer = await fetch(`${test.url}/ws/agent`, {
      headers: { Authorization: `Bearer ${bearer}` },
    });
    await answer.body?.cancel();
    return answer;
  };
  for (let n = 0; n < 30; n++) await (await FakeAgent.dial(test.url, host.bearer)).close();
  const late = await knock(host.bearer);
  see(`the 31st of the host: ${late.status}, Retry-After ${late.headers.get("retry-after")} s`);
  assert.equal(late.status, 429);
  assert.ok(Number(late.headers.get("retry-after")) > 0);
  const strangers = [];
  for (let n = 0; n < 60; n++) strangers.push((await knock(`rma_stranger_${n}`)).status);
  see(
    `strangers: ${strangers.filter((status) => status === 401).length} × 401, then ${
      strangers.at(-1)
    }`,
  );
  assert.equal(strangers.filter((status) => status === 401).length, 30);
  assert.equal(strangers.at(-1), 429);
  const agent = await FakeAgent.connect(test.url, other.bearer);
  see("the other host connects");
  await agent.close();
  // A wall clock that jumps neither opens the door nor keeps it shut.
  test.clock.wall = 3_600_000;
  assert.equal((await knock(host.bearer)).status, 429);
  test.clock.passUntil(61_000);
  await (await FakeAgent.dial(test.url, host.bearer)).close();
});
