import assert from "node:assert/strict";
import { join } from "node:path";
import { eventually } from "../support/eventually.ts";
import { FakeAgent, joinHost } from "../support/fake_agent.ts";
import { FakeRestic, LISTED, SNAPSHOT_ID, SUMMARY } from "../support/fake_restic.ts";
import { fakeRepository, sevenOracles } from "../support/oracles.ts";
import { spawnAgent, testFolder } from "../support/start_agent.ts";
import { startServer } from "../support/start_server.ts";
import { fault } from "../support/trial.ts";

fault({
  id: "F06",
  promise: "a server that stood still loses no connection and no job because of that",
  done:
    "20 agents are connected, each with a backup at work; the server stands still for ten minutes, and again for 30 hours",
  expected: "all stay connected, all jobs run on and end as their agents say",
}, async (see) => {
  await using test = await startServer();
  const agents = await Promise.all(Array.from({ length: 20 }, async (_, n) => {
    const host = await joinHost(test, `host-${n}`);
    const agent = await FakeAgent.connect(test.url, host.bearer);
    const init = await agent.next("command.run");
    await agent.acknowledged(agent.finished(init.job_id, { created: true }));
    const path = `/api/hosts/${host.hostId}/jobs`;
    const { job_id } = (await test.api("alice", "POST", path, { kind: "backup" })).body;
    agent.started(job_id);
    return { agent, job_id };
  }));
  for (const minutes of [10, 1800]) {
    test.clock.sleep(minutes * 60_000);
    // Its tasks look at the clock by themselves, once a second.
    await eventually(
      "the clock was followed",
      () => test.server.now() - Date.now() >= (minutes - 1) * 60_000,
    );
  }
  for (const { agent, job_id } of agents) {
    assert.equal(agent.closed, undefined);
    agent.send({ type: "heartbeat" });
    await agent.acknowledged(agent.finished(job_id, { status: "failed", reason: "as it was" }));
    const { status, reason } = (await test.api("alice", "GET", `/api/jobs/${job_id}`)).body;
    assert.deepEqual([status, reason], ["failed", "as it was"]);
  }
  see(`${agents.length} stayed connected, all ends are theirs`);
  await sevenOracles({ dataDir: test.dataDir }, see);
  for (const { agent } of agents) await agent.close();
});

fault({
  id: "F14",
  promise:
    "a host that stands still is offline and its job is not called failed; its word counts when it is back",
  done:
    "SIGSTOP of the agent's process while a backup runs, eleven minutes for the server, SIGCONT",
  expected: "offline, the job still running; afterwards online, succeeded, restic was started once",
}, async (see) => {
  using folder = testFolder();
  await using test = await startServer();
  const go = join(folder.path, "go");
  const backup = `while [ ! -e '${go}' ]; do sleep 0.05; done; ${SUMMARY}`;
  const restic = new FakeRestic(folder.path, { verbs: { backup, snapshots: LISTED } });
  const url = "/srv/fault";
  const host = await joinHost(test, "alpha", { url, is_new: false }, ["/etc"]);
  Deno.mkdirSync(join(folder.path, "config"));
  const yaml = `server: ${test.url}\nhost_id: ${host.hostId}\nbearer: ${host.bearer}\n`;
  Deno.writeTextFileSync(join(folder.path, "config/agent.yaml"), yaml, { mode: 0o600 });
  await using agent = spawnAgent(folder.path, { RM_RESTIC: restic.path });
  const path = `/api/hosts/${host.hostId}`;
  const hostNow = async () => (await test.api("alice", "GET", path)).body;
  await eventually("ready", async () => (await hostNow()).repository_state === "ready");
  const { job_id } = (await test.api("alice", "POST", `${path}/jobs`, { kind: "backup" })).body;
  await eventually("restic runs", () => restic.begun.some(({ verb }) => verb === "backup"));
  agent.child.kill("SIGSTOP");
  test.clock.pass(11 * 60_000);
  await eventually("offline", async () => !(await hostNow()).online);
  const jobNow = async () => (await test.api("alice", "GET", `/api/jobs/${job_id}`)).body;
  assert.equal((await jobNow()).status, "running");
  see("offline after eleven minutes; its job is still running");
  await Deno.writeTextFile(go, "");
  agent.child.kill("SIGCONT");
  const job = await eventually("its end is told", async () => {
    const job = await jobNow();
    return job.finished_at !== null && job;
  });
  assert.equal(job.status, "succeeded", job.reason);
  see(`back: ${job.status}`);
  const repositories = [fakeRepository(url, [SNAPSHOT_ID])];
  await sevenOracles({ dataDir: test.dataDir, repositories, counters: [restic] }, see);
});
