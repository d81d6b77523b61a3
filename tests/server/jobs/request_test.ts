import assert from "node:assert/strict";
import { newId } from "../../../shared/new_id.ts";
import { eventually } from "../../support/eventually.ts";
import { readyHost } from "../../support/ready_host.ts";
import { startServer } from "../../support/start_server.ts";

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
