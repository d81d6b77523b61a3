import assert from "node:assert/strict";
import { newId } from "../../../shared/new_id.ts";
import { eventually } from "../../support/eventually.ts";
import { FakeAgent, type JoinedHost, joinHost } from "../../support/fake_agent.ts";
import { startServer, type TestServer } from "../../support/start_server.ts";

/** A host whose repository is ready. */
async function readyHost(
  test: TestServer,
  name = "alpha",
  repository: Record<string, unknown> = {},
): Promise<JoinedHost & { agent: FakeAgent }> {
  const host = await joinHost(test, name, repository);
  const agent = await FakeAgent.connect(test.url, host.bearer);
  const init = await agent.next("command.run");
  agent.started(init.job_id);
  await agent.acknowledged(agent.finished(init.job_id, { created: true }));
  return { ...host, agent };
}

async function job(test: TestServer, id: string) {
  return (await test.api("victor", "GET", `/api/jobs/${id}`)).body;
}

async function runBackup(test: TestServer, hostId: string): Promise<string> {
  const started = await test.api("olive", "POST", `/api/hosts/${hostId}/jobs`, { kind: "backup" });
  assert.equal(started.status, 202, JSON.stringify(started.body));
  return started.body.job_id;
}

Deno.test("a backup goes from order to summary, and the host's columns tell of it", async () => {
  await using test = await startServer();
  const { agent, hostId, repositoryId } = await readyHost(test);
  const id = await runBackup(test, hostId);
  const order = await agent.next("command.run", (message) => message.kind === "backup");
  assert.deepEqual(order.source_group?.includes, ["/home"]);
  assert.equal((await job(test, id)).status, "queued");
  agent.started(id);
  agent.lines(id, 1, ["one", "two"]);
  agent.snapshots(repositoryId, ["a".repeat(64), "b".repeat(64)]);
  const summary = {
    snapshot_id: "a".repeat(64),
    files_new: 1,
    files_changed: 2,
    files_unmodified: 3,
    bytes_added: 4,
    bytes_processed: 5,
    seconds: 6,
  };
  await agent.acknowledged(
    agent.finished(id, { summary, warnings: 2, reason: "2 files could not be read." }),
  );
  const ended = await job(test, id);
  assert.equal(ended.status, "succeeded");
  assert.deepEqual(ended.summary, summary);
  assert.equal(ended.actor.name, "olive");
  const host = (await test.api("victor", "GET", `/api/hosts/${hostId}`)).body;
  assert.deepEqual([host.last_backup.job_id, host.last_backup.status, host.last_backup.warnings], [
    id,
    "succeeded",
    2,
  ]);
  assert.equal(host.state, "warn");
  assert.equal(host.snapshots_count, 2);
  const snapshots = await test.api("victor", "GET", `/api/hosts/${hostId}/snapshots`);
  assert.equal(snapshots.body.items.length, 2);
  assert.ok(snapshots.body.refreshed_at);
  await agent.close();
});

Deno.test("repeated reports change nothing: each line is there once and the first end counts", async () => {
  await using test = await startServer();
  const { agent, hostId } = await readyHost(test);
  const id = await runBackup(test, hostId);
  for (let round = 0; round < 3; round++) {
    agent.started(id);
    agent.lines(id, 1, ["one", "two"]);
    agent.lines(id, 2, ["two", "three"]);
    await agent.acknowledged(
      agent.finished(id, { status: round === 0 ? "failed" : "succeeded", reason: "r" }),
    );
  }
  const log = await test.api("victor", "GET", `/api/jobs/${id}/log.ndjson`);
  const lines = log.body.trim().split("\n").map((text: string) => JSON.parse(text));
  assert.deepEqual(lines.map((line: { n: number; text: string }) => [line.n, line.text]), [
    [1, "one"],
    [2, "two"],
    [3, "three"],
  ]);
  assert.equal((await job(test, id)).status, "failed");
  const days = await test.server.db.selectFrom("backup_days").selectAll().execute();
  assert.deepEqual(days.map(({ succeeded, failed }) => [succeeded, failed]), [[0, 1]]);
  await agent.close();
});

Deno.test("a line with NUL, escape codes and half a surrogate is kept whole, and shown with marks", async () => {
  await using test = await startServer();
  const { agent, hostId } = await readyHost(test);
  const id = await runBackup(test, hostId);
  agent.started(id);
  agent.lines(id, 1, ["a\0b\u001b[31mc\ud800d", "<script>"]);
  await agent.acknowledged(agent.finished(id));
  const text = (await test.api("victor", "GET", `/api/jobs/${id}/log.txt`)).body;
  assert.match(text, /a␀b␛\[31mc\ufffd+d/);
  const [line] = (await test.api("victor", "GET", `/api/jobs/${id}/log.ndjson`)).body.split("\n");
  assert.ok(JSON.parse(line).text.startsWith("a␀b\u001b[31mc"));
  await agent.close();
});

Deno.test("fractional and huge numbers and NULs in what an agent says are stored as whole, and block nothing", async () => {
  await using test = await startServer();
  const { agent, hostId, repositoryId } = await readyHost(test);
  const id = await runBackup(test, hostId);
  agent.started(id);
  agent.report({
    type: "repo.stats",
    job_id: id,
    repository_id: repositoryId,
    stats: { total_size: 1e300, total_file_count: 1.5, snapshots_count: 2.5, restore_size: 0.4 },
  });
  agent.report({
    type: "snapshots.report",
    repository_id: repositoryId,
    report_id: newId(),
    taken_at: Date.now(),
    part: 1,
    parts: 1,
    snapshots: [{
      id: "a".repeat(64),
      time: 5,
      tags: ["a\0b"],
      paths: ["/x\0y"],
      hostname: "h\0",
      username: null,
      parent: null,
      files: 1.5,
      bytes: 1e300,
      bytes_added: 0.1,
    }],
  });
  await agent.acknowledged(agent.finished(id, { status: "failed", reason: "a\0 reason" }));
  assert.equal((await job(test, id)).reason, "a␀ reason");
  const [snapshot] = (await test.api("victor", "GET", `/api/hosts/${hostId}/snapshots`)).body.items;
  assert.deepEqual([snapshot.files, snapshot.bytes, snapshot.paths], [2, Number.MAX_SAFE_INTEGER, [
    "/x␀y",
  ]]);
  await agent.close();
});

Deno.test("a run for an offline host is refused at once and nothing is queued", async () => {
  await using test = await startServer();
  const { agent, hostId } = await readyHost(test);
  await agent.close();
  await eventually("the host is offline", () => !test.server.agents.isOnline(hostId));
  const answer = await test.api("olive", "POST", `/api/hosts/${hostId}/jobs`, { kind: "backup" });
  assert.deepEqual([answer.status, answer.body.error.code], [503, "agent_offline"]);
  const jobs = await test.api("victor", "GET", "/api/jobs?kind=backup");
  assert.equal(jobs.body.items.length, 0);
});

Deno.test("the same group does not run twice at once; all groups of a host run by one call", async () => {
  await using test = await startServer();
  const { agent, hostId } = await readyHost(test);
  const added = await test.api("alice", "POST", `/api/hosts/${hostId}/source-groups`, {
    name: "etc",
    includes: ["/etc"],
  });
  assert.equal(added.status, 201);
  const all = await test.api("olive", "POST", `/api/hosts/${hostId}/jobs`, { kind: "backup" });
  assert.equal(all.body.jobs.length, 2);
  const again = await test.api("olive", "POST", `/api/hosts/${hostId}/jobs`, {
    kind: "backup",
    source_group_id: added.body.id,
  });
  assert.deepEqual([again.status, again.body.error.code], [409, "conflict"]);
  await agent.close();
});

Deno.test("another host's source group is refused by the field's name", async () => {
  await using test = await startServer();
  const alpha = await readyHost(test);
  const beta = await readyHost(test, "beta");
  const groups = await test.api("olive", "GET", `/api/hosts/${beta.hostId}/source-groups`);
  const answer = await test.api("olive", "POST", `/api/hosts/${alpha.hostId}/jobs`, {
    kind: "backup",
    source_group_id: groups.body.items[0].id,
  });
  assert.deepEqual([answer.status, answer.body.error.field], [422, "source_group_id"]);
  await alpha.agent.close();
  await beta.agent.close();
});

Deno.test("an order that was lost on its way is sent again; a job that the agent lost is interrupted, until the agent says otherwise", async () => {
  await using test = await startServer();
  const { agent, hostId, bearer } = await readyHost(test);
  const lost = await runBackup(test, hostId);
  await agent.next("command.run", (message) => message.job_id === lost);
  await agent.close();
  const second = await FakeAgent.connect(test.url, bearer);
  await second.next("command.run", (message) => message.job_id === lost);
  await second.acknowledged(second.started(lost));
  await second.close();
  const third = await FakeAgent.connect(test.url, bearer, { jobs: [] });
  await eventually("interrupted", async () => (await job(test, lost)).status === "interrupted");
  assert.match((await job(test, lost)).reason, /does not know/);
  await third.acknowledged(third.finished(lost));
  assert.equal((await job(test, lost)).status, "succeeded");
  await third.close();
});

Deno.test("a job that the agent still knows after a reconnect goes on", async () => {
  await using test = await startServer();
  const { agent, hostId, bearer } = await readyHost(test);
  const id = await runBackup(test, hostId);
  await agent.acknowledged(agent.started(id));
  const again = await FakeAgent.connect(test.url, bearer, { jobs: [id] });
  again.lines(id, 1, ["still here"]);
  await again.acknowledged(again.finished(id));
  assert.equal((await job(test, id)).status, "succeeded");
  await again.close();
});

Deno.test("two hosts of one new repository: one at a time is told to make it, the second only to open it", async () => {
  await using test = await startServer();
  const alpha = await joinHost(test, "alpha");
  const beta = await joinHost(test, "beta", { id: alpha.repositoryId });
  const [first, second] = await Promise.all([
    FakeAgent.connect(test.url, alpha.bearer),
    FakeAgent.connect(test.url, beta.bearer),
  ]);
  const waiting = async () =>
    (await test.api("victor", "GET", "/api/jobs?kind=init")).body.items
      .filter((each: { waiting: boolean }) => each.waiting).length;
  await eventually("one waits", async () => await waiting() === 1);
  const orders = () =>
    [...first.received, ...second.received].filter((message) => message.type === "command.run");
  await eventually("one order", () => orders().length === 1);
  assert.equal(orders()[0]!.may_create, true);
  const holder = first.received.some((message) => message.type === "command.run") ? first : second;
  const other = holder === first ? second : first;
  const { job_id } = await holder.next("command.run");
  holder.started(job_id);
  holder.finished(job_id, { created: true });
  const then = await other.next("command.run");
  assert.equal(then.may_create, false);
  await first.close();
  await second.close();
});

Deno.test("cancel reaches the agent, also after a reconnect, and is refused once the job has ended", async () => {
  await using test = await startServer();
  const { agent, hostId, bearer } = await readyHost(test);
  const id = await runBackup(test, hostId);
  await agent.acknowledged(agent.started(id));
  assert.equal((await test.api("victor", "POST", `/api/jobs/${id}/cancel`, {})).status, 403);
  assert.equal((await test.api("olive", "POST", `/api/jobs/${id}/cancel`, {})).status, 202);
  assert.equal((await agent.next("command.cancel")).job_id, id);
  const again = await FakeAgent.connect(test.url, bearer, { jobs: [id] });
  assert.equal((await again.next("command.cancel")).job_id, id);
  await again.acknowledged(again.finished(id, { status: "cancelled", reason: "Cancelled." }));
  assert.equal((await test.api("olive", "POST", `/api/jobs/${id}/cancel`, {})).status, 409);
  await again.close();
});

Deno.test("the stream gives stored lines, then what comes, without a gap or a repeat, resumes and ends", async () => {
  await using test = await startServer();
  const { agent, hostId } = await readyHost(test);
  const id = await runBackup(test, hostId);
  agent.started(id);
  await agent.acknowledged(
    agent.lines(id, 1, Array.from({ length: 500 }, (_, n) => `line ${n + 1}`)),
  );
  const read = async (after: string) => {
    const response = await fetch(`${test.url}/api/jobs/${id}/stream`, {
      headers: {
        authorization: `Bearer ${test.tokens.victor}`,
        ...(after ? { "last-event-id": after } : {}),
      },
    });
    return (await response.text()).split("\n\n").flatMap((event) =>
      /^id: (\d+)/.exec(event)?.[1] ?? []
    ).map(Number);
  };
  const whole = read("");
  const rest = read("400");
  for (let n = 501; n <= 2500; n += 100) {
    agent.lines(id, n, Array.from({ length: 100 }, (_, k) => `line ${n + k}`));
  }
  agent.finished(id);
  assert.deepEqual(await whole, Array.from({ length: 2500 }, (_, n) => n + 1));
  assert.deepEqual(await rest, Array.from({ length: 2100 }, (_, n) => n + 401));
  assert.deepEqual(await read("2499"), [2500]);
  await agent.close();
});

Deno.test("a reader that does not read delays nobody and gets every line when it reads again", async () => {
  await using test = await startServer();
  const { agent, hostId } = await readyHost(test);
  const id = await runBackup(test, hostId);
  agent.started(id);
  const response = await fetch(`${test.url}/api/jobs/${id}/stream`, {
    headers: { authorization: `Bearer ${test.tokens.victor}` },
  });
  const wide = "x".repeat(1000);
  let last = 0;
  for (let n = 1; n <= 40_000; n += 500) {
    last = agent.lines(id, n, new Array(500).fill(wide));
    if (n % 5000 === 1) await agent.acknowledged(last);
  }
  await agent.acknowledged(agent.finished(id));
  const ids = (await response.text()).split("\n\n").flatMap((event) =>
    /^id: (\d+)/.exec(event)?.[1] ?? []
  );
  assert.equal(ids.length, 40_000);
  assert.equal(new Set(ids).size, 40_000);
  await agent.close();
});

Deno.test("progress is shown while the job runs and belongs to its own host's job only", async () => {
  await using test = await startServer();
  const { agent, hostId } = await readyHost(test);
  const id = await runBackup(test, hostId);
  agent.started(id);
  agent.send({
    type: "job.progress",
    job_id: id,
    progress: {
      percent: 62,
      files_done: 1,
      files_total: 2,
      bytes_done: 3,
      bytes_total: 4,
      bytes_per_second: 5,
      seconds_elapsed: 6,
      seconds_remaining: 7,
      current_path: "/<script>",
    },
  });
  await eventually("progress", async () => (await job(test, id)).progress?.percent === 62);
  const host = (await test.api("victor", "GET", `/api/hosts/${hostId}`)).body;
  assert.deepEqual([host.state, host.running[0].percent], ["run", 62]);
  await agent.acknowledged(agent.finished(id));
  assert.equal((await job(test, id)).progress, null);
  await agent.close();
});

Deno.test("bad job requests are refused by the field's name", async () => {
  await using test = await startServer();
  const { agent, hostId } = await readyHost(test);
  const cases: [unknown, string][] = [
    [{}, "kind"],
    [{ kind: "explode" }, "kind"],
    [{ kind: "backup", bandwidth_up_kbps: "fast" }, "bandwidth_up_kbps"],
    [{ kind: "backup", bandwidth_up_kbps: -1 }, "bandwidth_up_kbps"],
    [{ kind: "backup", source_group_id: "x" }, "source_group_id"],
    [{ kind: "backup", schedule_id: newId() }, "schedule_id"],
    [{ kind: "backup", schedule_id: newId(), source_group_id: newId() }, "schedule_id"],
    [{ kind: "backup", x: 1 }, "x"],
  ];
  for (const [body, field] of cases) {
    const answer = await test.api("olive", "POST", `/api/hosts/${hostId}/jobs`, body);
    assert.deepEqual([answer.status, answer.body.error.field], [422, field]);
  }
  const nowhere = await test.api("olive", "POST", `/api/hosts/${newId()}/jobs`, { kind: "backup" });
  assert.equal(nowhere.status, 404);
  await agent.close();
});

Deno.test("a schedule is run now with the groups that it names, and every kind of run takes limits of its own", async () => {
  await using test = await startServer();
  const { agent, hostId } = await readyHost(test);
  const groups = `/api/hosts/${hostId}/source-groups`;
  const home =
    (await test.api("alice", "POST", groups, { name: "home", includes: ["/home"] })).body;
  const mail = (await test.api("alice", "POST", groups, {
    name: "mail",
    includes: ["/var/mail"],
    retention: { keep_last: 1 },
  })).body;
  const schedule = (await test.api("olive", "POST", `/api/hosts/${hostId}/schedules`, {
    cron: "0 3 * * *",
    enabled: false,
    source_group_ids: [home.id, mail.id],
  })).body;
  const limits = { bandwidth_up_kbps: 7, bandwidth_down_kbps: 0 };
  const jobs = `/api/hosts/${hostId}/jobs`;
  const run = await test.api("olive", "POST", jobs, {
    kind: "backup",
    schedule_id: schedule.id,
    ...limits,
  });
  assert.equal(run.body.jobs.length, 2, JSON.stringify(run.body));
  for (const name of ["home", "mail"]) {
    const order = await agent.next("command.run", (told) => told.source_group?.name === name);
    assert.deepEqual([order.bandwidth_up_kib_per_s, order.bandwidth_down_kib_per_s], [7, 0]);
    await agent.acknowledged(agent.finished(order.job_id));
  }
  const [{ last_run }] = (await test.api("olive", "GET", `/api/hosts/${hostId}/schedules`)).body
    .items;
  assert.deepEqual([last_run.job_id, last_run.status], [run.body.jobs[1].job_id, "succeeded"]);
  const { repository_id } = (await test.api("olive", "GET", `/api/hosts/${hostId}`)).body;
  for (const path of [`/api/repositories/${repository_id}/jobs`, jobs]) {
    const begun = await test.api("alice", "POST", path, { kind: "forget", ...limits });
    assert.equal(begun.status, 202, JSON.stringify(begun.body));
    const order = await agent.next("command.run", (told) => told.job_id === begun.body.job_id);
    assert.deepEqual([order.kind, order.bandwidth_up_kib_per_s, order.bandwidth_down_kib_per_s], [
      "forget",
      7,
      0,
    ]);
    await agent.acknowledged(agent.finished(order.job_id));
  }
  await agent.close();
});
