// What an agent, an operator or a bad clock must not be able to do to others.
import assert from "node:assert/strict";
import { newId } from "../../shared/new_id.ts";
import { cancelJob } from "../../server/jobs/cancel.ts";
import { dispatchAll } from "../../server/jobs/dispatch.ts";
import { reconcileJobs } from "../../server/jobs/reconcile.ts";
import { startDueMaintenance } from "../../server/maintenance/due.ts";
import { eventually } from "../support/eventually.ts";
import { FakeAgent, type JoinedHost, joinHost } from "../support/fake_agent.ts";
import { startServer, type TestServer } from "../support/start_server.ts";

const REST = {
  url: "rest:https://nas.example.org/a/",
  username: "alpha",
  rest_password: "everyday secret",
};

async function ready(
  test: TestServer,
  name: string,
  repository: Record<string, unknown> = {},
): Promise<JoinedHost & { agent: FakeAgent }> {
  const host = await joinHost(test, name, repository);
  const agent = await FakeAgent.connect(test.url, host.bearer);
  const init = await agent.next("command.run");
  agent.started(init.job_id);
  await agent.acknowledged(agent.finished(init.job_id, { created: true }));
  return { ...host, agent };
}

Deno.test("whoever changes the address gives the secrets again, and the admin credential does not go along", async () => {
  await using test = await startServer();
  const host = await ready(test, "alpha", REST);
  const path = `/api/repositories/${host.repositoryId}`;
  await test.api("alice", "PUT", `${path}/admin-credential`, {
    username: "admin",
    rest_password: "admin secret",
  });
  const evil = { name: "alpha repository", url: "rest:http://127.0.0.1:9/evil/" };
  const refused = await test.api("olive", "PUT", path, evil);
  assert.deepEqual([refused.status, refused.body.error.field], [422, "rest_password"]);
  const given = { ...evil, rest_password: "a new one" };
  const notHers = await test.api("olive", "PUT", path, given);
  assert.deepEqual([notHers.status, notHers.body.error.field], [403, "url"]);
  const moved = await test.api("alice", "PUT", path, given);
  assert.equal(moved.status, 200);
  assert.equal(moved.body.admin_credential_set, false);
  const prune = await test.api("olive", "POST", `${path}/jobs`, { kind: "prune" });
  assert.equal(prune.status, 409);
  assert.ok(
    !JSON.stringify(
      host.agent.received.filter((message) => JSON.stringify(message).includes("evil")),
    ).includes("everyday secret"),
  );
  const init = await host.agent.next(
    "command.run",
    (message) =>
      message.kind === "init" && message.job_id !== undefined &&
      host.agent.received.indexOf(message) > 3,
  );
  assert.equal(init.repository_id, host.repositoryId);
  await host.agent.close();
});

Deno.test("a machine whose clock is a year ahead does not look backed up until then", async () => {
  await using test = await startServer();
  const { agent, hostId } = await ready(test, "alpha");
  const run = async () =>
    (await test.api("olive", "POST", `/api/hosts/${hostId}/jobs`, { kind: "backup" })).body.job_id;
  const first = await run();
  await agent.acknowledged(agent.finished(first, { at: Date.now() + 365 * 86_400_000 }));
  const second = await run();
  await agent.acknowledged(agent.finished(second, { status: "failed", reason: "broken" }));
  const host = (await test.api("victor", "GET", `/api/hosts/${hostId}`)).body;
  assert.deepEqual([host.last_backup.job_id, host.state], [second, "bad"]);
  test.clock.passUntil(30 * 86_400_000);
  assert.match(
    (await test.api("victor", "GET", `/api/hosts/${hostId}`)).body.problems.join(),
    /no backup for 30 days/,
  );
  await agent.close();
});

Deno.test("an agent cannot touch another host's repository through the origin of a job", async () => {
  await using test = await startServer();
  const alpha = await ready(test, "alpha");
  const beta = await ready(test, "beta");
  const origin = {
    kind: "backup",
    repository_id: beta.repositoryId,
    schedule_id: newId(),
    source_group_id: newId(),
    source_group_name: "x",
    scheduled_at: 1,
    catch_up: false,
    attempt: 1,
  };
  alpha.agent.report({
    type: "job.started",
    job_id: newId(),
    origin,
    at: 1,
    restic_version: null,
    bandwidth_up_kib_per_s: null,
    bandwidth_down_kib_per_s: null,
  });
  const check = (await test.api("olive", "POST", `/api/repositories/${beta.repositoryId}/jobs`, {
    kind: "check",
  })).body;
  await beta.agent.next("command.run", (message) => message.job_id === check.job_id);
  alpha.agent.report({
    type: "job.finished",
    job_id: newId(),
    origin: { ...origin, kind: "forget" },
    at: 1,
    status: "succeeded",
    exit_code: 0,
    reason: null,
    reason_code: null,
    warnings: 0,
    summary: null,
  });
  await alpha.agent.untilClosed();
  const forget = await test.server.db.selectFrom("maintenance").select("last_status").where(
    "repository_id",
    "=",
    beta.repositoryId,
  ).where("kind", "=", "forget").executeTakeFirstOrThrow();
  assert.equal(forget.last_status, null);
  await beta.agent.close();
});

Deno.test("a lease whose job ended in the moment of taking it holds up nobody", async () => {
  await using test = await startServer();
  const alpha = await ready(test, "alpha");
  const beta = await joinHost(test, "beta", { id: alpha.repositoryId });
  const second = await FakeAgent.connect(test.url, beta.bearer);
  const init = await second.next("command.run");
  await second.acknowledged(second.finished(init.job_id));
  const path = `/api/repositories/${alpha.repositoryId}/jobs`;
  for (let n = 0; n < 10; n++) {
    const backup =
      (await test.api("olive", "POST", `/api/hosts/${beta.hostId}/jobs`, { kind: "backup" })).body
        .job_id;
    await second.acknowledged(second.started(backup));
    const check =
      (await test.api("alice", "POST", path, { kind: "check", host_id: alpha.hostId })).body.job_id;
    second.finished(backup);
    await Promise.all([
      cancelJob(test.server, test.actor("olive"), check).catch(() => {}),
      dispatchAll(test.server),
    ]);
    await eventually("the check is over or out", async () => {
      const { status, waiting } = (await test.api("victor", "GET", `/api/jobs/${check}`)).body;
      if (status === "queued" && !waiting) {
        await alpha.agent.acknowledged(
          alpha.agent.finished(check, { status: "cancelled", reason: "Cancelled." }),
        );
      }
      return status !== "queued";
    });
  }
  const last =
    (await test.api("alice", "POST", path, { kind: "check", host_id: alpha.hostId })).body.job_id;
  await alpha.agent.next("command.run", (message) => message.job_id === last);
  await alpha.agent.close();
  await second.close();
});

Deno.test("a job that waits for a lease survives its host's reconnect, however long it waits", async () => {
  await using test = await startServer();
  const alpha = await ready(test, "alpha", { url: "rest:https://nas.example.org/alpha/" });
  const beta = await joinHost(test, "beta", { id: alpha.repositoryId });
  const second = await FakeAgent.connect(test.url, beta.bearer);
  await second.acknowledged(second.finished((await second.next("command.run")).job_id));
  const backup =
    (await test.api("olive", "POST", `/api/hosts/${beta.hostId}/jobs`, { kind: "backup" })).body
      .job_id;
  await second.acknowledged(second.started(backup));
  const check = (await test.api("alice", "POST", `/api/repositories/${alpha.repositoryId}/jobs`, {
    kind: "check",
    host_id: alpha.hostId,
  })).body.job_id;
  test.clock.passUntil(3_600_000);
  await reconcileJobs(test.server, alpha.hostId, { ids: new Set(), run: undefined, ran: Infinity });
  assert.equal((await test.api("victor", "GET", `/api/jobs/${check}`)).body.status, "queued");
  await second.acknowledged(second.finished(backup));
  await alpha.agent.next("command.run", (message) => message.job_id === check);
  await alpha.agent.close();
  await second.close();
});

Deno.test("maintenance that was lost or could not be sent counts as failed; a clock that was ahead does not stop it", async () => {
  await using test = await startServer();
  const { agent, hostId, repositoryId } = await ready(test, "alpha");
  const check =
    (await test.api("olive", "POST", `/api/repositories/${repositoryId}/jobs`, { kind: "check" }))
      .body.job_id;
  await agent.acknowledged(agent.started(check));
  await reconcileJobs(test.server, hostId, { ids: new Set(), run: undefined, ran: Infinity });
  const row = () =>
    test.server.db.selectFrom("maintenance").selectAll().where("repository_id", "=", repositoryId)
      .where("kind", "=", "check").executeTakeFirstOrThrow();
  assert.deepEqual([(await row()).last_status, (await row()).failing_since !== null], [
    "interrupted",
    true,
  ]);
  await test.server.db.updateTable("maintenance").set({
    considered_at: test.server.now() + 400 * 86_400_000,
    cron: "* * * * *",
  }).where("kind", "=", "check").execute();
  await startDueMaintenance(test.server);
  const jobs = (await test.api("victor", "GET", "/api/jobs?kind=check")).body.items;
  assert.equal(jobs.length, 2);
  await agent.close();
});

Deno.test("what an agent could not take is refused when it is saved", async () => {
  await using test = await startServer();
  const host = await joinHost(test, "alpha");
  const maintenance = await test.api(
    "olive",
    "PUT",
    `/api/repositories/${host.repositoryId}/maintenance`,
    { check: { enabled: true, cron: "@daily", read_data_percent: 0.05 } },
  );
  assert.deepEqual([maintenance.status, maintenance.body.error.field], [
    422,
    "check.read_data_percent",
  ]);
  const path = `/api/hosts/${host.hostId}/source-groups`;
  const includes = Array.from({ length: 100 }, (_, n) => `/${n}/${"x".repeat(4000)}`);
  for (const name of ["one", "two"]) {
    assert.equal((await test.api("alice", "POST", path, { name, includes })).status, 201);
  }
  const third = await test.api("alice", "POST", path, { name: "three", includes });
  assert.deepEqual([third.status, third.body.error.field], [422, "includes"]);
  const agent = await FakeAgent.connect(test.url, host.bearer);
  await agent.close();
});
