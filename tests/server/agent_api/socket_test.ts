import assert from "node:assert/strict";
import { CLOSE } from "../../../shared/protocol.ts";
import { newId } from "../../../shared/new_id.ts";
import { eventually } from "../../support/eventually.ts";
import { FakeAgent, joinHost } from "../../support/fake_agent.ts";
import { startServer } from "../../support/start_server.ts";

Deno.test("an agent is greeted with its config and its plan before anything else", async () => {
  await using test = await startServer();
  const host = await joinHost(test, "alpha");
  const agent = await FakeAgent.connect(test.url, host.bearer);
  assert.equal(agent.received[0]?.type, "config.update");
  assert.equal(agent.received[1]?.type, "plan.set");
  const config = await agent.next("config.update");
  assert.equal(config.repository?.password, "a repository password");
  assert.equal(config.snapshot_host, "alpha");
  assert.equal((await agent.next("command.run")).kind, "init");
  const shown = await test.api("victor", "GET", `/api/hosts/${host.hostId}`);
  assert.equal(shown.body.online, true);
  await agent.close();
});

Deno.test("a socket without a known bearer is refused before the upgrade", async () => {
  await using test = await startServer();
  for (const authorization of ["", "Bearer nonsense", `Bearer ${test.tokens.alice}`]) {
    const response = await fetch(`${test.url}/ws/agent`, {
      headers: { authorization, upgrade: "websocket", connection: "upgrade" },
    });
    assert.equal(response.status, 401);
    await response.body?.cancel();
  }
});

Deno.test("a bearer opens nothing but the agent's socket", async () => {
  await using test = await startServer();
  const host = await joinHost(test, "alpha");
  const response = await fetch(`${test.url}/api/hosts`, {
    headers: { authorization: `Bearer ${host.bearer}` },
  });
  assert.equal(response.status, 401);
  await response.body?.cancel();
});

Deno.test("the newest socket of a host replaces the one before", async () => {
  await using test = await startServer();
  const host = await joinHost(test, "alpha");
  const first = await FakeAgent.connect(test.url, host.bearer);
  const second = await FakeAgent.connect(test.url, host.bearer);
  assert.equal((await first.untilClosed()).code, CLOSE.replaced);
  assert.equal(test.server.agents.isOnline(host.hostId), true);
  await second.close();
  await eventually("the host is offline", () => !test.server.agents.isOnline(host.hostId));
});

Deno.test("an agent that speaks for another host's job is cut off, audited, and changes nothing", async () => {
  await using test = await startServer();
  const alpha = await joinHost(test, "alpha");
  const beta = await joinHost(test, "beta");
  const owner = await FakeAgent.connect(test.url, alpha.bearer);
  const job = await owner.next("command.run");
  const reports = [
    {
      type: "job.started",
      job_id: job.job_id,
      at: 1,
      restic_version: null,
      bandwidth_up_kib_per_s: null,
      bandwidth_down_kib_per_s: null,
    },
    {
      type: "log.stream",
      job_id: job.job_id,
      first_line: 1,
      lines: [{ at: 1, stream: "stdout", text: "lie" }],
    },
    {
      type: "job.progress",
      job_id: job.job_id,
      progress: {
        percent: 1,
        files_done: 1,
        files_total: 1,
        bytes_done: 1,
        bytes_total: 1,
        bytes_per_second: 1,
        seconds_elapsed: 1,
        seconds_remaining: 1,
        current_path: null,
      },
    },
    {
      type: "job.finished",
      job_id: job.job_id,
      at: 1,
      status: "succeeded",
      exit_code: 0,
      reason: null,
      reason_code: null,
      warnings: 0,
      summary: null,
    },
  ];
  for (const report of reports) {
    const liar = await FakeAgent.connect(test.url, beta.bearer);
    liar.report(report);
    assert.equal((await liar.untilClosed()).code, CLOSE.forbidden, report.type);
  }
  const shown = await test.api("victor", "GET", `/api/jobs/${job.job_id}`);
  assert.equal(shown.body.status, "queued");
  const log = await test.api("victor", "GET", `/api/jobs/${job.job_id}/log.txt`);
  assert.equal(log.body, "");
  const audit = await test.api("alice", "GET", "/api/audit?action=agent.forbidden");
  assert.equal(audit.body.items.length, reports.length);
  await owner.close();
});

Deno.test("a report of a job that nobody knows is dropped, said so and acknowledged, so that the journal goes on", async () => {
  await using test = await startServer();
  const host = await joinHost(test, "alpha");
  const agent = await FakeAgent.connect(test.url, host.bearer);
  const seq = agent.finished(newId());
  await agent.acknowledged(seq);
  assert.match((await agent.next("error")).message, /no job/);
  await agent.close();
});

Deno.test("removing a host closes its socket at once and its bearer opens nothing any more", async () => {
  await using test = await startServer();
  const host = await joinHost(test, "alpha");
  const agent = await FakeAgent.connect(test.url, host.bearer);
  assert.equal((await test.api("alice", "DELETE", `/api/hosts/${host.hostId}`)).status, 204);
  assert.equal((await agent.untilClosed()).code, CLOSE.unknownHost);
  await assert.rejects(FakeAgent.dial(test.url, host.bearer));
});

Deno.test("an agent that was silent for 90 s is offline and its socket is closed", async () => {
  await using test = await startServer();
  const { closeSilentAgents } = await import("../../../server/tasks.ts");
  const host = await joinHost(test, "alpha");
  const agent = await FakeAgent.connect(test.url, host.bearer);
  test.clock.passUntil(89_000);
  await closeSilentAgents(test.server);
  assert.equal(test.server.agents.isOnline(host.hostId), true);
  test.clock.passUntil(91_000);
  await closeSilentAgents(test.server);
  assert.equal(test.server.agents.isOnline(host.hostId), false);
  assert.equal((await agent.untilClosed()).code, CLOSE.silent);
});

Deno.test("stopping the server tells agents to come back and loses nothing that was acknowledged", async () => {
  const test = await startServer({ dataDir: await Deno.makeTempDir() });
  const host = await joinHost(test, "alpha");
  const agent = await FakeAgent.connect(test.url, host.bearer);
  const { job_id } = await agent.next("command.run");
  agent.started(job_id);
  await agent.acknowledged(agent.lines(job_id, 1, ["first", "second"]));
  await test.stop();
  assert.equal((await agent.untilClosed()).code, CLOSE.goingAway);
  await using again = await startServer({ dataDir: test.dataDir, people: false });
  Object.assign(again.tokens, test.tokens);
  const log = await again.api("victor", "GET", `/api/jobs/${job_id}/log.ndjson`);
  assert.deepEqual(log.body.trim().split("\n").map((text: string) => JSON.parse(text).n), [1, 2]);
});

Deno.test("what an agent said right before it closed its connection is stored", async () => {
  await using test = await startServer();
  const host = await joinHost(test, "alpha");
  const agent = await FakeAgent.connect(test.url, host.bearer);
  const { job_id } = await agent.next("command.run");
  agent.started(job_id);
  for (let n = 0; n < 300; n++) agent.lines(job_id, n + 1, [`line ${n}`]);
  agent.finished(job_id, { created: true });
  // As an agent that is stopped does: it waits for nobody.
  await agent.close();
  await eventually("it is told", async () => {
    return (await test.api("victor", "GET", `/api/jobs/${job_id}`)).body.status === "succeeded";
  });
  await eventually("it is offline", () => !test.server.agents.isOnline(host.hostId));
});
