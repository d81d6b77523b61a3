import assert from "node:assert/strict";
import { endTooLongWaits } from "../../../server/jobs/wait.ts";
import { FakeAgent, joinHost } from "../../support/fake_agent.ts";
import { mint } from "../../support/quotas.ts";
import { startServer, type TestServer } from "../../support/start_server.ts";

const MINUTE = 60_000;

/** Two hosts of one repository whose first jobs are done. */
async function twoHosts(test: TestServer) {
  const url = "rest:http://127.0.0.1:9/repo/";
  const alpha = await joinHost(test, "alpha", { name: "shared", url });
  const beta = await joinHost(test, "beta", { id: alpha.repositoryId });
  const ready = async ({ bearer }: { bearer: string }) => {
    const agent = await FakeAgent.connect(test.url, bearer);
    const { job_id } = await agent.next("command.run");
    agent.started(job_id);
    await agent.acknowledged(agent.finished(job_id));
    return agent;
  };
  return {
    repositoryId: alpha.repositoryId,
    alpha: { ...alpha, jobId: "", agent: await ready(alpha) },
    beta: { ...beta, jobId: "", agent: await ready(beta) },
  };
}

/** As if the server had run for so long, a look every minute. */
async function pass(test: TestServer, minutes: number): Promise<void> {
  for (let n = 0; n < minutes; n += 10) {
    test.clock.pass(10 * MINUTE);
    await endTooLongWaits(test.server);
  }
}

const job = async (test: TestServer, id: string) =>
  (await test.api("alice", "GET", `/api/jobs/${id}`)).body;

async function startCheck(test: TestServer, repositoryId: string): Promise<string> {
  const { body, status } = await test.api(
    "alice",
    "POST",
    `/api/repositories/${repositoryId}/jobs`,
    {
      kind: "check",
    },
  );
  assert.equal(status, 202, JSON.stringify(body));
  return body.job_id;
}

Deno.test("a host whose backup never ends holds up a check for four hours; then it fails with the host's name, and backups go on all the while", async () => {
  await using test = await startServer({ still: true });
  const { alpha, beta, repositoryId } = await twoHosts(test);
  await endTooLongWaits(test.server);
  const lie = mint(beta);
  await beta.agent.acknowledged(lie.seq);
  const check = await startCheck(test, repositoryId);
  assert.equal((await job(test, check)).waiting, true);
  // That the check waits keeps no backup of the same host from being made.
  const backup = await test.api("olive", "POST", `/api/hosts/${alpha.hostId}/jobs`, {
    kind: "backup",
  });
  await alpha.agent.next("command.run", ({ job_id }) => job_id === backup.body.job_id);
  await alpha.agent.acknowledged(alpha.agent.finished(backup.body.job_id));
  // A jump of the wall clock ends nothing.
  test.clock.wall = 60_000_000;
  await endTooLongWaits(test.server);
  test.clock.wall = 0;
  await pass(test, 230);
  assert.equal((await job(test, check)).status, "queued");
  await pass(test, 20);
  const ended = await job(test, check);
  assert.equal(ended.status, "failed");
  assert.match(ended.reason, /^Waited 4 hours for beta: its backup is running/);
  assert.equal(ended.reason_code, "waited_too_long");
  // It is due again: the next one may be queued.
  await startCheck(test, repositoryId);
  const { body } = await test.api("alice", "GET", `/api/repositories/${repositoryId}/maintenance`);
  assert.match(JSON.stringify(body), /Waited 4 hours for beta/);
  await Promise.all([alpha.agent.close(), beta.agent.close()]);
});

Deno.test("maintenance that an agent never begins fails too, and the agent is told not to begin it any more", async () => {
  await using test = await startServer({ still: true });
  const { alpha, beta, repositoryId } = await twoHosts(test);
  await endTooLongWaits(test.server);
  const check = await startCheck(test, repositoryId);
  await alpha.agent.next("command.run", ({ job_id }) => job_id === check);
  await pass(test, 250);
  const waits = await test.api("olive", "POST", `/api/hosts/${beta.hostId}/jobs`, {
    kind: "backup",
  });
  assert.equal((await job(test, waits.body.job_id)).waiting, true);
  assert.match((await job(test, check)).reason, /Waited 4 hours for alpha, which was sent it/);
  await alpha.agent.next("command.cancel", ({ job_id }) => job_id === check);
  // The lie that it has begun comes too late.
  await alpha.agent.acknowledged(alpha.agent.started(check));
  assert.equal((await job(test, check)).status, "failed");
  await alpha.agent.close();
  const again = await FakeAgent.connect(test.url, alpha.bearer, { jobs: [check] });
  await again.next("command.cancel", ({ job_id }) => job_id === check);
  assert.equal((await job(test, waits.body.job_id)).waiting, true);
  await again.acknowledged(again.finished(check, { status: "cancelled" }));
  await beta.agent.next("command.run", ({ job_id }) => job_id === waits.body.job_id);
  await Promise.all([again.close(), beta.agent.close()]);
});

Deno.test("a second stats or unlock of a host is refused with 409 while one is open, on every way in", async () => {
  await using test = await startServer({ still: true });
  const { alpha, beta, repositoryId } = await twoHosts(test);
  for (const kind of ["stats", "unlock"]) {
    const first = await test.api("olive", "POST", `/api/hosts/${alpha.hostId}/jobs`, { kind });
    assert.equal(first.status, 202);
    const ways = [`/api/hosts/${alpha.hostId}/jobs`, `/api/repositories/${repositoryId}/jobs`];
    for (const path of ways) {
      const second = await test.api("alice", "POST", path, { kind });
      assert.equal(second.status, 409, path);
      assert.match(second.body.error.message, /of alpha is already queued or running/);
    }
    const other = await test.api("olive", "POST", `/api/hosts/${beta.hostId}/jobs`, { kind });
    assert.equal(other.status, 202);
    alpha.agent.started(first.body.job_id);
    await alpha.agent.acknowledged(alpha.agent.finished(first.body.job_id));
    const third = await test.api("olive", "POST", `/api/hosts/${alpha.hostId}/jobs`, { kind });
    assert.equal(third.status, 202);
  }
  await Promise.all([alpha.agent.close(), beta.agent.close()]);
});
