import assert from "node:assert/strict";
import { newId } from "../../../shared/new_id.ts";
import { FakeAgent } from "../../support/fake_agent.ts";
import { busyHost, cutsOf, mint, rowsOf } from "../../support/quotas.ts";
import { startServer } from "../../support/start_server.ts";

const ids = (count: number, from = 0) =>
  Array.from({ length: count }, (_, n) => (from + n).toString(16).padStart(64, "0"));

Deno.test("a host's own clock starts so many jobs a day, and has so many open; ends of others get through", async () => {
  await using test = await startServer({ env: { RM_JOBS_PER_HOST_DAY: "150" } });
  const host = await busyHost(test, "alpha");
  // One is open: its init.
  for (let n = 0; n < 120; n++) mint(host);
  await host.agent.acknowledged(mint(host).seq);
  assert.equal(rowsOf(test, "jobs"), 100);
  for (let n = 0; n < 100; n++) mint(host, "job.finished");
  await host.agent.acknowledged(mint(host, "job.finished").seq);
  assert.equal(rowsOf(test, "jobs"), 151);
  assert.equal((await cutsOf(test)).length, 2);
  await host.agent.acknowledged(host.agent.finished(host.jobId));
  const { body } = await test.api("alice", "GET", `/api/jobs/${host.jobId}`);
  assert.equal(body.status, "succeeded");
  await host.agent.close();
});

Deno.test("of a list of snapshots the newest are kept, unfinished lists leave nothing, and the page says what was cut", async () => {
  await using test = await startServer({ env: { RM_SNAPSHOTS_PER_HOST: "700" } });
  const { agent, repositoryId, hostId } = await busyHost(test, "alpha");
  for (let n = 0; n < 5; n++) agent.snapshots(repositoryId, ids(500), 1, 1000);
  await agent.acknowledged(agent.snapshots(repositoryId, ids(500), 1, 1000));
  assert.equal(rowsOf(test, "snapshots"), 500);
  const list = newId();
  agent.snapshots(repositoryId, ids(500), 1, 2, list);
  await agent.acknowledged(agent.snapshots(repositoryId, ids(500, 500), 2, 2, list));
  assert.equal(rowsOf(test, "snapshots"), 700);
  const host = await test.api("alice", "GET", `/api/hosts/${hostId}`);
  assert.equal(host.body.snapshots_count, 700);
  assert.equal(host.body.snapshots_cut, 300);
  const page = await fetch(`${test.url}/hosts/${hostId}`, {
    headers: { Authorization: `Bearer ${test.tokens.alice}` },
  });
  assert.match(await page.text(), /lists 300 more snapshots/);
  assert.equal(rowsOf(test, "known_snapshots"), 700);
  // Ever new ids, list after list.
  for (let n = 2; n < 8; n++) agent.snapshots(repositoryId, ids(500, n * 1000));
  await agent.acknowledged(agent.snapshots(repositoryId, ids(10, 90_000)));
  assert.equal(rowsOf(test, "known_snapshots"), 700);
  assert.equal(rowsOf(test, "snapshots"), 10);
  await agent.close();
});

Deno.test("long lists of paths, tags and results cost no more than what is shown of them", async () => {
  await using test = await startServer();
  const host = await busyHost(test, "alpha");
  const { agent, repositoryId } = host;
  const long = "x".repeat(4000);
  const { jobId } = mint(host);
  agent.finished(jobId, {
    sources: new Array(200).fill({ path: `/${long}`, problem: "missing" }),
    forgotten: new Array(200).fill({
      tag: "t".repeat(200),
      host: "h".repeat(255),
      keep: 0,
      remove: 0,
      left: 0,
    }),
  });
  await agent.acknowledged(agent.report({
    type: "snapshots.report",
    repository_id: repositoryId,
    report_id: newId(),
    taken_at: Date.now(),
    part: 1,
    parts: 1,
    snapshots: [{
      id: ids(1)[0],
      time: 1,
      tags: new Array(100).fill("t".repeat(200)),
      paths: new Array(200).fill(`/${long}`),
      hostname: "machine",
      username: null,
      parent: null,
      files: null,
      bytes: null,
      bytes_added: null,
    }],
  }));
  const { sqlite } = test.server.database;
  const job = sqlite.prepare("select length(sources) as sources, result from jobs where id = ?")
    .get(jobId) as { sources: number; result: string | null };
  assert.ok(job.sources <= 32_768, `${job.sources} bytes`);
  assert.equal(job.result, null);
  const snapshot = sqlite.prepare("select length(tags) + length(paths) as bytes from snapshots")
    .get() as { bytes: number };
  assert.ok(snapshot.bytes <= 8192 + 4096 + 4, `${snapshot.bytes} bytes`);
  await agent.close();
});

Deno.test("what an agent causes in the audit and in the server's log is bounded, also over many connections", async () => {
  await using test = await startServer({
    env: { RM_AUDIT_ROWS_PER_HOST_DAY: "20", RM_HANDSHAKES_PER_MINUTE: "1000" },
  });
  const host = await busyHost(test, "alpha");
  await host.agent.close();
  const before = rowsOf(test, "audit");
  for (let n = 0; n < 60; n++) {
    const agent = await FakeAgent.connect(test.url, host.bearer, { jobs: [host.jobId] });
    agent.sendRaw("{nonsense");
    await agent.untilClosed();
  }
  const agent = await FakeAgent.connect(test.url, host.bearer, { jobs: [host.jobId] });
  for (let n = 0; n < 500; n++) {
    agent.send({ type: "error", message: "m".repeat(1000) });
    agent.sendRaw(JSON.stringify({ type: `t${n}` }));
    agent.lines(newId(), 1, ["of no job"]);
  }
  await agent.acknowledged(agent.lines(host.jobId, 1, ["a line"]));
  assert.equal(rowsOf(test, "audit") - before, 21);
  assert.equal((await cutsOf(test)).length, 1);
  const logged = test.logged.filter((line) => line.includes("alpha: "));
  assert.ok(logged.length <= 2 * 30 + 2, `${logged.length} lines`);
  await agent.close();
});

Deno.test("progress of jobs that an agent invents is held for a few of them", async () => {
  await using test = await startServer();
  const host = await busyHost(test, "alpha");
  const jobs = Array.from({ length: 60 }, () => mint(host).jobId);
  const progress = {
    percent: 1,
    files_done: 0,
    files_total: 0,
    bytes_done: 0,
    bytes_total: 0,
    bytes_per_second: 0,
    seconds_elapsed: 0,
    seconds_remaining: null,
    current_path: "/a",
  };
  for (const job_id of jobs) host.agent.send({ type: "job.progress", job_id, progress });
  await host.agent.acknowledged(host.agent.finished(host.jobId));
  assert.equal(jobs.filter((id) => test.server.progress.get(id)).length, 20);
  await host.agent.close();
});
