import { followClock } from "../../../server/follow_clock.ts";
import assert from "node:assert/strict";
import { newId } from "../../../shared/new_id.ts";
import { cleanUpRemovedHosts } from "../../../server/hosts/clean_up.ts";
import { removeOldLines } from "../../../server/jobs/remove_old_lines.ts";
import { ROWS_PER_STEP } from "../../../server/quotas/stepwise.ts";
import { FakeAgent, joinHost } from "../../support/fake_agent.ts";
import { busyHost, rowsOf, storedLines } from "../../support/quotas.ts";
import { startServer, type TestServer } from "../../support/start_server.ts";

const DAY = 86_400_000;

/** Lines straight into the database. */
function fill({ server }: TestServer, jobId: string, lines: number): void {
  server.database.sqlite.prepare(
    `with recursive c(n) as (select 1 union all select n + 1 from c where n < ?)
     insert into job_lines (job_number, line, at, stream, text)
       select jobs.number, c.n, 0, 0, 'a line of some length' from c join jobs on jobs.id = ?`,
  ).run(lines, jobId);
}

/** A job that ended, of which the server has known for so long. */
async function oldJob(
  test: TestServer,
  host: { hostId: string; repositoryId: string },
  of: { days: number; status?: "succeeded" | "failed"; lines?: number },
): Promise<string> {
  const id = newId();
  const at = Date.now() - of.days * DAY;
  await test.server.db.insertInto("jobs").values({
    id,
    host_id: host.hostId,
    repository_id: host.repositoryId,
    kind: "backup",
    status: of.status ?? "succeeded",
    actor_kind: "system",
    actor_name: "test",
    created_at: at,
    received_at: at,
    // What the agent says of it.
    finished_at: 1,
    warnings: 0,
  }).execute();
  fill(test, id, of.lines ?? 10);
  return id;
}

/** How many rows each transaction of `work` changed. */
async function stepsOf(test: TestServer, work: () => Promise<void>): Promise<number[]> {
  const { database } = test.server;
  const changes = () =>
    (database.sqlite.prepare("select total_changes() as n").get() as { n: number }).n;
  const steps: number[] = [];
  const raw = database.raw;
  database.raw = (step) =>
    raw((sqlite) => {
      const before = changes();
      const result = step(sqlite);
      steps.push(changes() - before);
      return result;
    });
  try {
    await work();
  } finally {
    database.raw = raw;
  }
  return steps;
}

Deno.test("lines go after 90 days, those of failed jobs after 365, whatever the agent says of the time; the page says so", async () => {
  await using test = await startServer();
  const host = await joinHost(test, "alpha");
  const jobs = {
    old: await oldJob(test, host, { days: 91 }),
    young: await oldJob(test, host, { days: 89 }),
    failed: await oldJob(test, host, { days: 300, status: "failed" }),
    failedLongAgo: await oldJob(test, host, { days: 366, status: "failed" }),
  };
  await removeOldLines(test.server);
  const left = Object.entries(jobs).filter(([, id]) => storedLines(test, id).length > 0);
  assert.deepEqual(left.map(([name]) => name), ["young", "failed"]);
  const page = await fetch(`${test.url}/jobs/${jobs.old}`, {
    headers: { Authorization: `Bearer ${test.tokens.victor}` },
  });
  assert.match(await page.text(), /log of this job was removed because of its age/);
});

Deno.test("a clock that jumps by years costs no lines: they are as old as before", async () => {
  await using test = await startServer();
  const host = await joinHost(test, "alpha");
  await removeOldLines(test.server);
  const [eighty, tomorrow] = [
    await oldJob(test, host, { days: 80 }),
    await oldJob(test, host, { days: 89.5 }),
  ];
  test.clock.wall = 3 * 365 * DAY;
  await followClock(test.server);
  await removeOldLines(test.server);
  assert.equal(rowsOf(test, "job_lines"), 20);
  test.clock.pass(3_600_000);
  await removeOldLines(test.server);
  assert.equal(storedLines(test, tomorrow).length, 10);
  assert.equal(storedLines(test, eighty).length, 10);
});

Deno.test("millions of lines go in small steps: no transaction removes more than a few hundred rows", async () => {
  await using test = await startServer();
  const host = await joinHost(test, "alpha");
  await oldJob(test, host, { days: 91, lines: 6000 });
  for (let n = 0; n < 100; n++) await oldJob(test, host, { days: 92, lines: 3 });
  const steps = await stepsOf(test, () => removeOldLines(test.server));
  assert.equal(rowsOf(test, "job_lines"), 0);
  assert.ok(Math.max(...steps) <= ROWS_PER_STEP + 50, `${Math.max(...steps)} rows in a step`);
  assert.ok(steps.length >= 12, `${steps.length} steps`);
});

Deno.test("a removed host is gone at once for everybody; its jobs and lines follow in steps, also after a restart", async () => {
  const dataDir = await Deno.makeTempDir();
  let jobId: string;
  let bearer: string;
  {
    await using test = await startServer({ dataDir });
    const host = await busyHost(test, "alpha");
    ({ jobId, bearer } = host);
    fill(test, jobId, 30_000);
    await host.agent.acknowledged(host.agent.snapshots(host.repositoryId, ["a".repeat(64)]));
    const steps = await stepsOf(test, async () => {
      const removed = await test.api("alice", "DELETE", `/api/hosts/${host.hostId}`);
      assert.ok(removed.status < 300);
    });
    assert.equal(rowsOf(test, "job_lines"), 30_000);
    assert.deepEqual(steps, []);
    assert.equal((await host.agent.untilClosed()).code, 4001);
    for (
      const path of [
        `/api/hosts/${host.hostId}`,
        `/api/jobs/${jobId}`,
        `/api/jobs/${jobId}/log.txt`,
        `/jobs/${jobId}`,
      ]
    ) assert.equal((await test.api("alice", "GET", path)).status, 404, path);
    const { body } = await test.api("alice", "GET", "/api/jobs");
    assert.deepEqual(body.items, []);
    // Its lease, its schedules and all else that is small went with it.
    const orphans = test.server.database.sqlite.prepare("pragma foreign_key_check").all();
    const tables = new Set((orphans as { table: string }[]).map(({ table }) => table));
    assert.deepEqual([...tables].sort(), ["jobs", "snapshots"]);
  }
  await using test = await startServer({ dataDir, people: false });
  await assert.rejects(FakeAgent.dial(test.url, bearer));
  const clean = cleanUpRemovedHosts(test.server);
  // A new job must not inherit lines, whatever number it gets, and the name is free.
  await clean;
  for (const table of ["job_lines", "jobs", "snapshots", "removed_hosts"]) {
    assert.equal(rowsOf(test, table), 0, table);
  }
  const orphans = test.server.database.sqlite.prepare("pragma foreign_key_check").all();
  assert.deepEqual(orphans, []);
  const on = test.server.database.sqlite.prepare("pragma foreign_keys").get();
  assert.deepEqual(Object.values(on!), [1]);
  await Deno.remove(dataDir, { recursive: true });
});

Deno.test("the name of a removed host is free at once, and the new host sees nothing of the old one", async () => {
  await using test = await startServer();
  const old = await busyHost(test, "alpha");
  fill(test, old.jobId, 2000);
  await test.api("alice", "DELETE", `/api/hosts/${old.hostId}`);
  const host = await joinHost(test, "alpha", { name: "another", url: "/srv/restic/other" });
  assert.notEqual(host.hostId, old.hostId);
  const agent = await FakeAgent.connect(test.url, host.bearer);
  const { job_id } = await agent.next("command.run");
  await agent.acknowledged(agent.started(job_id));
  // The old agent's journal refers to a job that is gone: dropped, no reason to close.
  await agent.acknowledged(agent.lines(old.jobId, 3000, ["late"]));
  assert.equal(agent.closed, undefined);
  await cleanUpRemovedHosts(test.server);
  await agent.acknowledged(agent.lines(job_id, 1, ["mine"]));
  assert.deepEqual(storedLines(test, job_id).map(({ text }) => text), ["mine"]);
  assert.equal(rowsOf(test, "job_lines"), 1);
  await agent.close();
});
