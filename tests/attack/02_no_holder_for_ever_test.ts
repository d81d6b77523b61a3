import assert from "node:assert/strict";
import { LONGEST_WAIT } from "../../server/jobs/kind.ts";
import { endTooLongWaits } from "../../server/jobs/wait.ts";
import { attack } from "../support/trial.ts";
import { FakeAgent, joinHost } from "../support/fake_agent.ts";
import { mint } from "../support/quotas.ts";
import { startServer } from "../support/start_server.ts";

attack({
  id: "promise 2",
  promise: "an agent that says that its backup runs and runs does not block maintenance for ever",
  done:
    "a stolen host says that backups run and never ends them; a check of the shared repository waits on another host, with a person's backup behind it; the wall clock jumps a day",
  expected:
    "the backup goes on at once; the jump ends nothing; after four hours the check has failed with the holder's name, and the next one may be started",
}, async (see) => {
  await using test = await startServer({ still: true });
  const url = "rest:http://127.0.0.1:9/repo/";
  const alpha = await joinHost(test, "alpha", { name: "shared", url });
  const stolen = await joinHost(test, "stolen", { id: alpha.repositoryId });
  const connect = async (bearer: string) => {
    const agent = await FakeAgent.connect(test.url, bearer);
    const { job_id } = await agent.next("command.run");
    agent.started(job_id);
    await agent.acknowledged(agent.finished(job_id));
    return agent;
  };
  const agent = await connect(alpha.bearer);
  const liar = await connect(stolen.bearer);
  await endTooLongWaits(test.server);
  for (let n = 0; n < 3; n++) {
    await liar.acknowledged(mint({ ...stolen, agent: liar, jobId: "" }).seq);
  }
  const check = () =>
    test.api("alice", "POST", `/api/repositories/${alpha.repositoryId}/jobs`, { kind: "check" });
  const { body: { job_id } } = await check();
  const { body: backup } = await test.api("olive", "POST", `/api/hosts/${alpha.hostId}/jobs`, {
    kind: "backup",
  });
  await agent.next("command.run", (order) => order.job_id === backup.job_id);
  see("a person's backup goes on beside the check that waits");
  const statusOf = async () => (await test.api("victor", "GET", `/api/jobs/${job_id}`)).body;
  test.clock.wall = 80_000_000;
  await endTooLongWaits(test.server);
  see(`after a jump of the wall clock: ${(await statusOf()).status}`);
  assert.equal((await statusOf()).status, "queued");
  for (let waited = 0; waited <= LONGEST_WAIT; waited += 600_000) {
    test.clock.pass(600_000);
    await endTooLongWaits(test.server);
  }
  const ended = await statusOf();
  see(`after four hours: ${ended.status}: ${ended.reason}`);
  assert.equal(ended.status, "failed");
  assert.match(ended.reason, /stolen/);
  see(`the next check: ${(await check()).status}`);
  await Promise.all([agent.close(), liar.close()]);
});
