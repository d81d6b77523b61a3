import assert from "node:assert/strict";
import { FakeAgent } from "../../support/fake_agent.ts";
import { busyHost, cutsOf, mint, storedLines } from "../../support/quotas.ts";
import { startServer } from "../../support/start_server.ts";

const texts = (count: number, text = "a line") => new Array<string>(count).fill(text);

Deno.test("of a job's lines as many are kept as the setting says; one line, the page and the audit tell of the rest", async () => {
  await using test = await startServer({ env: { RM_LINES_PER_JOB: "1000" } });
  const host = await busyHost(test, "alpha");
  const { agent, jobId } = host;
  for (let n = 0; n < 4; n++) agent.lines(jobId, n * 300 + 1, texts(300));
  await agent.acknowledged(agent.lines(jobId, 1201, texts(300)));
  const lines = storedLines(test, jobId);
  assert.equal(lines.length, 1001);
  assert.equal(lines.at(-1)!.line, 1001);
  assert.match(lines.at(-1)!.text, /at most 1,000 lines and .* of a job's log/);
  const { body } = await test.api("alice", "GET", `/api/jobs/${jobId}`);
  assert.equal(body.lines_cut, 500);
  const cuts = await cutsOf(test);
  assert.equal(cuts.length, 1);
  // The end gets through.
  await agent.acknowledged(agent.finished(jobId));
  const { body: ended } = await test.api("alice", "GET", `/api/jobs/${jobId}`);
  assert.equal(ended.status, "succeeded");
  const page = await fetch(`${test.url}/jobs/${jobId}`, {
    headers: { Authorization: `Bearer ${test.tokens.alice}` },
  });
  assert.match(await page.text(), /did not keep 500 lines/);
  await agent.close();
});

Deno.test("neither a reconnect, a restart of the server, nor repeated or jumping numbers give a job more lines", async () => {
  const dataDir = await Deno.makeTempDir();
  const env = { RM_LINES_PER_JOB: "1000" };
  let bearer: string;
  let jobId: string;
  {
    await using test = await startServer({ dataDir, env });
    const host = await busyHost(test, "alpha");
    ({ bearer, jobId } = host);
    await host.agent.acknowledged(host.agent.lines(jobId, 1, texts(400)));
    // What is repeated after a reconnect counts once.
    await host.agent.close();
    const again = await FakeAgent.connect(test.url, bearer, { jobs: [jobId] });
    again.lines(jobId, 201, texts(400));
    await again.acknowledged(again.lines(jobId, 900_000_000, texts(300)));
    assert.equal(storedLines(test, jobId).length, 900);
    await again.close();
  }
  {
    await using test = await startServer({ dataDir, env, people: false });
    const agent = await FakeAgent.connect(test.url, bearer, { jobs: [jobId] });
    // Numbers below the highest that was seen, of which some are stored.
    agent.lines(jobId, 501, texts(300));
    agent.lines(jobId, 10_001, texts(300));
    await agent.acknowledged(agent.lines(jobId, 950_000_000, texts(300)));
    const lines = storedLines(test, jobId);
    assert.equal(lines.filter(({ text }) => text === "a line").length, 1000);
    assert.ok(lines.length <= 1000 + 3, `${lines.length} lines`);
    await agent.close();
  }
  await Deno.remove(dataDir, { recursive: true });
});

Deno.test("bytes are counted as they are stored, and of a batch what fits stays", async () => {
  await using test = await startServer({ env: { RM_LINE_BYTES_PER_JOB: "100KB" } });
  const { agent, jobId } = await busyHost(test, "alpha");
  // Three bytes a letter in UTF-8.
  await agent.acknowledged(agent.lines(jobId, 1, texts(10, "€".repeat(10_000))));
  const lines = storedLines(test, jobId);
  assert.equal(lines.length, 4);
  assert.match(lines.at(-1)!.text, /^\[server\]/);
  await agent.close();
});

Deno.test("many jobs do not evade a host's share of the day; the next day, and another host, have theirs", async () => {
  await using test = await startServer({
    env: { RM_LINES_PER_HOST_DAY: "500", RM_LINES_PER_JOB: "200" },
  });
  const host = await busyHost(test, "alpha");
  const other = await busyHost(test, "beta");
  const jobs = Array.from({ length: 5 }, () => mint(host).jobId);
  for (const jobId of jobs) host.agent.lines(jobId, 1, texts(300));
  await host.agent.acknowledged(host.agent.finished(jobs[4]!));
  const stored = jobs.flatMap((jobId) => storedLines(test, jobId));
  assert.equal(stored.filter(({ text }) => text === "a line").length, 500);
  assert.equal((await cutsOf(test)).length, 2);
  await other.agent.acknowledged(other.agent.lines(other.jobId, 1, texts(100)));
  assert.equal(storedLines(test, other.jobId).length, 100);
  test.clock.passUntil(86_400_000);
  await host.agent.acknowledged(host.agent.lines(jobs[3]!, 1001, texts(100)));
  assert.equal(storedLines(test, jobs[3]!).filter(({ text }) => text === "a line").length, 100);
  await Promise.all([host.agent.close(), other.agent.close()]);
});
