import assert from "node:assert/strict";
import { eventually } from "../../support/eventually.ts";
import { FakeAgent, joinHost } from "../../support/fake_agent.ts";
import { startServer, type TestServer } from "../../support/start_server.ts";

const MINUTE = 60_000;
const DAY = 1440 * MINUTE;

async function ready(test: TestServer, behind: number) {
  const host = await joinHost(test, "alpha");
  const clock = () => Date.now() - behind;
  const agent = await FakeAgent.connect(test.url, host.bearer, { clock: clock() });
  await agent.acknowledged(agent.finished((await agent.next("command.run")).job_id));
  const look = async () => (await test.api("victor", "GET", `/api/hosts/${host.hostId}`)).body;
  const run = async (status: string) => {
    const path = `/api/hosts/${host.hostId}/jobs`;
    const { job_id } = (await test.api("olive", "POST", path, { kind: "backup" })).body;
    await agent.acknowledged(agent.started(job_id, clock()));
    await agent.acknowledged(
      agent.finished(job_id, { at: clock(), duration_ms: 61_000, status, reason: "why" }),
    );
    return (await test.api("victor", "GET", `/api/jobs/${job_id}`)).body;
  };
  return { host, agent, look, run };
}

for (const behind of [DAY, -DAY, 400 * DAY, -400 * DAY, 119_000, 0]) {
  Deno.test(`a host whose clock is ${behind / MINUTE} min behind: the last backup is the last that was reported, at the server's time`, async () => {
    await using test = await startServer();
    const { agent, look, run } = await ready(test, behind);
    const good = await run("succeeded");
    const bad = await run("failed");
    const host = await look();
    assert.deepEqual([host.last_backup.job_id, host.last_backup.status, host.state], [
      bad.id,
      "failed",
      "bad",
    ]);
    for (const job of [good, bad]) {
      // By the server's clock, to within what clocks may differ by.
      assert.ok(Math.abs(Date.parse(job.finished_at) - Date.now()) < 125_000, job.finished_at);
      assert.ok(Math.abs(Date.parse(job.host_finished_at) - (Date.now() - behind)) < 20_000);
      assert.ok(Math.abs(Date.parse(job.finished_received_at) - Date.now()) < 20_000);
      assert.equal(job.duration_seconds, 61);
    }
    assert.ok(Math.abs(Date.parse(host.last_success_at) - Date.now()) < 125_000);
    const third = await run("succeeded");
    assert.equal((await look()).last_backup.job_id, third.id);
    await agent.close();
  });
}

Deno.test("from two minutes on a wrong clock is amber, said on both sides once, and gone when it is right again", async () => {
  await using test = await startServer();
  const { agent, look, run } = await ready(test, 0);
  await run("succeeded");
  assert.deepEqual((await look()).problems, []);
  const tell = (ahead: number) => agent.send({ type: "heartbeat", clock: Date.now() + ahead });
  tell(125_000);
  const { message } = await agent.next("error");
  assert.equal(message, "This machine's clock is 2 min ahead of the server's.");
  const host = await eventually("shown", async () => {
    const host = await look();
    return host.problems.length > 0 && host;
  });
  assert.deepEqual([host.state, host.problems, host.clock_skew_seconds], [
    "warn",
    ["its clock is 2 min ahead of the server's"],
    125,
  ]);
  tell(-3 * 60 * MINUTE);
  await eventually("hours", async () => /3 h behind/.test((await look()).problems.join()));
  tell(0);
  await eventually("right", async () => (await look()).problems.length === 0);
  assert.equal(agent.received.filter(({ type }) => type === "error").length, 1);
  assert.equal(test.logged.filter((line) => /alpha: its clock is/.test(line)).length, 2);
  await agent.close();
});
