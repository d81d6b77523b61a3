import assert from "node:assert/strict";
import { attack } from "../support/trial.ts";
import { eventually } from "../support/eventually.ts";
import { FakeAgent } from "../support/fake_agent.ts";
import { busyHost, cutsOf, storedLines } from "../support/quotas.ts";
import { fill, smallDisk } from "../support/small_disk.ts";
import { PASSWORD, startServer } from "../support/start_server.ts";

attack({
  id: "F36",
  promise: "when the disk is full people sign in, ends of jobs are stored, and nothing new is",
  done:
    "the disk of the server is filled to its last byte by another program while an agent streams; then room is made again",
  expected:
    "/healthz is alive; login, the end of the job, logout and the removal of a host work; new hosts, jobs and repositories are refused with 503 and a sentence; the lines that are missing are told of; with room again all goes on without a restart",
}, async (see) => {
  await using disk = await smallDisk(24);
  if (!disk.isSmall) return await withoutSmallDisk(see);
  const dataDir = `${disk.folder}/data`;
  await using test = await startServer({ dataDir, env: { RM_DISK_RESERVE: "8MiB" } });
  const host = await busyHost(test, "alpha");
  const spare = await busyHost(test, "beta");
  await spare.agent.close();
  await test.server.disk.tend();
  await host.agent.acknowledged(host.agent.lines(host.jobId, 1, ["before"]));
  await fill(disk.folder);
  await test.server.disk.tend();
  await eventually("the server has noticed", () => test.server.disk.isShort);

  await host.agent.acknowledged(host.agent.lines(host.jobId, 2, ["lost", "lost"]));
  await host.agent.acknowledged(host.agent.finished(host.jobId));
  const job = await test.api("alice", "GET", `/api/jobs/${host.jobId}`);
  const lines = storedLines(test, host.jobId).map(({ text }) => text);
  see(`the job has ${job.body.status}; its log: ${JSON.stringify(lines)}`);
  assert.equal(job.body.status, "succeeded");
  assert.match(lines.at(-1)!, /nearly full/);
  const signedIn = await test.api(null, "POST", "/api/auth/login", {
    username: "alice",
    password: PASSWORD,
  });
  const health = await test.api(null, "GET", "/healthz");
  see(`login ${signedIn.status}, healthz ${health.status}`);
  assert.deepEqual([signedIn.status, health.status], [200, 200]);
  const refused = await Promise.all([
    test.api("alice", "POST", "/api/enrollment-tokens", { hostname: "gamma" }),
    test.api("olive", "POST", `/api/hosts/${host.hostId}/jobs`, { kind: "stats" }),
    test.api("alice", "POST", "/api/tokens", { name: "another" }),
    test.api(null, "POST", "/api/agents/announce", {}),
  ]);
  see(`new things: ${refused.map(({ status }) => status)}: ${refused[0]!.body.error.message}`);
  for (const { status, body } of refused) {
    assert.equal(status, 503);
    assert.match(body.error.message, /disk is nearly full/);
  }
  const page = await fetch(test.url, { headers: { Authorization: `Bearer ${test.tokens.alice}` } });
  assert.match(await page.text(), /disk is nearly full/);
  const removed = await test.api("alice", "DELETE", `/api/hosts/${spare.hostId}`);
  see(`a host is removed: ${removed.status}`);
  assert.ok(removed.status < 300);

  await Deno.remove(`${disk.folder}/filler`);
  await eventually("there is room again", () => !test.server.disk.isShort);
  const started = await test.api("olive", "POST", `/api/hosts/${host.hostId}/jobs`, {
    kind: "stats",
  });
  see(`with room again a job is started: ${started.status}; the audit: ${(await cutsOf(test))[0]}`);
  assert.equal(started.status, 202);
  await host.agent.close();
  const again = await FakeAgent.connect(test.url, host.bearer, { jobs: [started.body.job_id] });
  await again.acknowledged(again.started(started.body.job_id));
  await again.acknowledged(again.lines(started.body.job_id, 1, ["after"]));
  assert.equal(storedLines(test, started.body.job_id).length, 1);
  await again.close();
});

/** Where no disk can be mounted: a reserve that is larger than any disk. */
async function withoutSmallDisk(see: (text: string) => void): Promise<void> {
  const dataDir = await Deno.makeTempDir();
  let host: Awaited<ReturnType<typeof busyHost>>;
  {
    await using test = await startServer({ dataDir });
    host = await busyHost(test, "alpha");
  }
  await using test = await startServer({ dataDir, env: { RM_DISK_RESERVE: "900000GiB" } });
  const agent = await FakeAgent.connect(test.url, host.bearer, { jobs: [host.jobId] });
  await agent.acknowledged(agent.lines(host.jobId, 1, ["lost"]));
  await agent.acknowledged(agent.finished(host.jobId));
  const [line] = storedLines(test, host.jobId);
  const made = await test.api("alice", "POST", "/api/tokens", { name: "another" });
  const login = { username: "alice", password: PASSWORD };
  const signedIn = await test.api(null, "POST", "/api/auth/login", login);
  see(`no small disk here; log: ${line?.text}; token ${made.status}, login ${signedIn.status}`);
  assert.match(line!.text, /nearly full/);
  assert.deepEqual([made.status, signedIn.status], [503, 200]);
  await agent.close();
}
