import assert from "node:assert/strict";
import { newId } from "../../../shared/new_id.ts";
import { eventually } from "../../support/eventually.ts";
import { FakeAgent, joinHost } from "../../support/fake_agent.ts";
import { startServer } from "../../support/start_server.ts";

async function setUp() {
  const test = await startServer();
  const host = await joinHost(test, "alpha");
  const path = `/api/hosts/${host.hostId}/schedules`;
  const groups =
    (await test.api("olive", "GET", `/api/hosts/${host.hostId}/source-groups`)).body.items;
  return { test, host, path, group: groups[0] as { id: string; name: string } };
}

Deno.test("a schedule is made, paused, changed and removed, and each change reaches the agent as a newer plan", async () => {
  const { test, host, path, group } = await setUp();
  await using _ = test;
  const agent = await FakeAgent.connect(test.url, host.bearer);
  const made = await test.api("olive", "POST", path, {
    cron: " 0  3 * * * ",
    source_group_ids: [group.id],
  });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  assert.equal(made.body.cron, "0 3 * * *");
  assert.ok(Date.parse(made.body.next_run_at) > Date.now());
  const plan = await agent.next("plan.set", (message) => message.schedules.length === 1);
  assert.deepEqual(plan.schedules[0]!.source_group_ids, [group.id]);
  assert.equal(plan.source_groups[0]!.name, "default");
  const shown = await test.api("victor", "GET", `/api/hosts/${host.hostId}`);
  assert.equal(shown.body.next_run_at, made.body.next_run_at);
  await test.api("olive", "PATCH", `/api/hosts/${host.hostId}`, { time_zone: "Asia/Tokyo" });
  await agent.next("plan.set", (message) => message.schedules[0]?.time_zone === "Asia/Tokyo");
  const paused = await test.api("olive", "PUT", `${path}/${made.body.id}`, {
    cron: "@daily",
    enabled: false,
    source_group_ids: [group.id],
  });
  assert.deepEqual([paused.body.enabled, paused.body.next_run_at], [false, null]);
  const busy = await test.api(
    "olive",
    "DELETE",
    `/api/hosts/${host.hostId}/source-groups/${group.id}`,
  );
  assert.deepEqual([busy.status, busy.body.error.code], [409, "conflict"]);
  assert.match(busy.body.error.message, /@daily/);
  assert.equal((await test.api("olive", "DELETE", `${path}/${made.body.id}`)).status, 204);
  assert.equal(
    (await test.api("olive", "DELETE", `/api/hosts/${host.hostId}/source-groups/${group.id}`))
      .status,
    204,
  );
  await agent.close();
});

Deno.test("a run that the agent's clock started is learnt by its report, once, with its schedule and its fire time", async () => {
  const { test, host, path, group } = await setUp();
  await using _ = test;
  const schedule =
    (await test.api("olive", "POST", path, { cron: "0 3 * * *", source_group_ids: [group.id] }))
      .body;
  const agent = await FakeAgent.connect(test.url, host.bearer);
  const job_id = newId();
  const scheduled_at = Date.UTC(2026, 10, 22, 3);
  const origin = {
    kind: "backup",
    repository_id: host.repositoryId,
    schedule_id: schedule.id,
    source_group_id: group.id,
    source_group_name: group.name,
    scheduled_at,
    catch_up: true,
    attempt: 2,
  };
  for (let n = 0; n < 2; n++) {
    agent.report({
      type: "job.started",
      job_id,
      origin,
      at: scheduled_at + 5000,
      restic_version: null,
      bandwidth_up_kib_per_s: null,
      bandwidth_down_kib_per_s: null,
    });
    agent.lines(job_id, 1, ["by itself"]);
    await agent.acknowledged(agent.finished(job_id, { origin, at: scheduled_at + 65_000 }));
  }
  const job = (await test.api("victor", "GET", `/api/jobs/${job_id}`)).body;
  assert.deepEqual([job.status, job.actor.kind, job.schedule_id, job.attempt, job.catch_up], [
    "succeeded",
    "schedule",
    schedule.id,
    2,
    true,
  ]);
  assert.equal(Date.parse(job.scheduled_at), scheduled_at);
  assert.equal(Date.parse(job.started_at), scheduled_at + 5000);
  const listed = (await test.api("olive", "GET", path)).body.items[0];
  assert.deepEqual([listed.last_run.job_id, listed.last_run.status], [job_id, "succeeded"]);
  const skipped = newId();
  await agent.acknowledged(
    agent.finished(skipped, { origin, status: "skipped", reason: "still going" }),
  );
  assert.equal((await test.api("victor", "GET", `/api/jobs/${skipped}`)).body.status, "skipped");
  assert.equal(
    (await test.api("victor", "GET", `/api/hosts/${host.hostId}`)).body.last_backup.job_id,
    job_id,
  );
  await agent.close();
});

Deno.test("an agent that names another host's schedule gets a job without one", async () => {
  const { test, path, group } = await setUp();
  await using _ = test;
  const schedule =
    (await test.api("olive", "POST", path, { cron: "0 3 * * *", source_group_ids: [group.id] }))
      .body;
  const beta = await joinHost(test, "beta");
  const liar = await FakeAgent.connect(test.url, beta.bearer);
  const job_id = newId();
  await liar.acknowledged(liar.finished(job_id, {
    status: "failed",
    reason: "x",
    origin: {
      kind: "backup",
      repository_id: beta.repositoryId,
      schedule_id: schedule.id,
      source_group_id: group.id,
      source_group_name: "default",
      scheduled_at: 1,
      catch_up: false,
      attempt: 1,
    },
  }));
  const job = (await test.api("victor", "GET", `/api/jobs/${job_id}`)).body;
  assert.deepEqual([job.host_id, job.schedule_id, job.source_group_id], [beta.hostId, null, null]);
  const listed = (await test.api("olive", "GET", path)).body.items[0];
  assert.equal(listed.last_run, null);
  await liar.close();
});

Deno.test("bad schedules are refused in plain words by the field's name; what is typed is told in words", async () => {
  const { test, host, path, group } = await setUp();
  await using _ = test;
  const other = await joinHost(test, "beta");
  const foreign =
    (await test.api("olive", "GET", `/api/hosts/${other.hostId}/source-groups`)).body.items[0];
  const cases: [Record<string, unknown>, string][] = [
    [{ cron: "61 * * * *", source_group_ids: [group.id] }, "cron"],
    [{ cron: "* * * * * *", source_group_ids: [group.id] }, "cron"],
    [{ cron: "0 0 31 2 *", source_group_ids: [group.id] }, "cron"],
    [{ cron: "@reboot", source_group_ids: [group.id] }, "cron"],
    [{ cron: "0 3 * * *", source_group_ids: [] }, "source_group_ids"],
    [{ cron: "0 3 * * *", source_group_ids: [foreign.id] }, "source_group_ids"],
    [{ cron: "0 3 * * *", source_group_ids: [group.id], enabled: "yes" }, "enabled"],
    [{ cron: "0 3 * * *", source_group_ids: [group.id], every: 5 }, "every"],
  ];
  for (const [body, field] of cases) {
    const answer = await test.api("olive", "POST", path, body);
    assert.deepEqual(
      [answer.status, answer.body.error.field],
      [422, field],
      JSON.stringify(answer.body),
    );
  }
  const preview = await test.api(
    "victor",
    "GET",
    `/api/cron-preview?cron=${encodeURIComponent("0 3 * * *")}&time_zone=Europe/Berlin`,
  );
  assert.equal(preview.body.words, "At 03:00");
  assert.equal(preview.body.next.length, 5);
  assert.equal(
    (await test.api("victor", "GET", "/api/cron-preview?cron=0+3+*+*+*&time_zone=Mars")).body.error
      .field,
    "time_zone",
  );
  assert.equal(
    (await test.api("olive", "PATCH", `/api/hosts/${host.hostId}`, { time_zone: "Mars/Base" })).body
      .error.field,
    "time_zone",
  );
});

Deno.test("the last run of each schedule comes from one query for the host, and pausing shows no next run", async () => {
  const { test, host, path, group } = await setUp();
  await using _ = test;
  for (const cron of ["0 1 * * *", "0 2 * * *", "0 3 * * *"]) {
    await test.api("olive", "POST", path, { cron, source_group_ids: [group.id] });
  }
  const items = (await test.api("olive", "GET", path)).body.items;
  assert.deepEqual(items.map((item: { last_run: unknown }) => item.last_run), [null, null, null]);
  await eventually(
    "several schedules: no single one to show",
    async () =>
      (await test.api("victor", "GET", `/api/hosts/${host.hostId}`)).body.schedule === null,
  );
});
