import assert from "node:assert/strict";
import { attack } from "../support/trial.ts";
import { FakeAgent } from "../support/fake_agent.ts";
import { busyHost, cutsOf, mint, rowsOf } from "../support/quotas.ts";
import { startServer } from "../support/start_server.ts";

attack({
  id: "promise 2",
  promise: "one agent cannot fill the server with lines",
  done:
    "with the default quotas an agent sends 300,000 lines to one job, some of 60 KB, in batches large and small, over two connections; with a share of 20,000 lines a day it spreads them over 60 jobs that it invents",
  expected:
    "200,000 lines and 50 MB of the job, 20,000 of the day are stored; log, audit and API say what was cut, and the job's end is stored",
}, async (see) => {
  {
    await using test = await startServer();
    const host = await busyHost(test, "alpha");
    let { agent } = host;
    const texts = new Array<string>(500).fill("processed /home/alice/photographs/2024/summer.jpg");
    let last = 0;
    for (let n = 0; n < 600; n++) {
      last = agent.lines(host.jobId, n * 500 + 1, texts);
      if (n % 20 === 19) await agent.acknowledged(last);
      if (n !== 300) continue;
      await agent.acknowledged(last);
      await agent.close();
      agent = await FakeAgent.connect(test.url, host.bearer, { jobs: [host.jobId] });
    }
    for (let n = 0; n < 20; n++) {
      last = agent.lines(host.jobId, 900_000 + n, ["x".repeat(60_000)]);
    }
    await agent.acknowledged(agent.finished(host.jobId));
    const { body } = await test.api("alice", "GET", `/api/jobs/${host.jobId}`);
    const [cut] = await cutsOf(test);
    see(`${rowsOf(test, "job_lines")} lines stored, ${body.lines_cut} cut, ${body.status}; ${cut}`);
    assert.equal(rowsOf(test, "job_lines"), 200_001);
    assert.equal(body.lines_cut, 100_020);
    assert.equal(body.status, "succeeded");
    await agent.close();
  }
  await using test = await startServer({ env: { RM_LINES_PER_HOST_DAY: "20000" } });
  const host = await busyHost(test, "alpha");
  const texts = new Array<string>(500).fill("x");
  for (let n = 0; n < 60; n++) host.agent.lines(mint(host).jobId, 1, texts);
  await host.agent.acknowledged(host.agent.finished(host.jobId));
  const stored = rowsOf(test, "job_lines");
  see(`${stored} lines of 60 jobs; ${(await cutsOf(test))[0]}`);
  // One line in each of the twenty jobs says that its lines were cut.
  assert.equal(stored, 20_000 + 20);
  await host.agent.close();
});
