// The credential that may delete is sent to the hosts that an admin named, and to nobody else.
import assert from "node:assert/strict";
import { startDueMaintenance } from "../../server/maintenance/due.ts";
import { attack } from "../support/trial.ts";
import { eventually } from "../support/eventually.ts";
import { FakeAgent, joinHost } from "../support/fake_agent.ts";
import { startServer, type TestServer } from "../support/start_server.ts";

const SECRET = "admin-canary-7171";
const PROMISE = "the admin credential goes only where an admin said";

/** Two hosts on one repository with an admin credential; of the second the agent boasts. */
async function setUp(test: TestServer) {
  const alpha = await joinHost(test, "alpha", {
    url: "rest:https://nas.example.org/r/",
    username: "everyday",
    rest_password: "everyday-secret",
  });
  const beta = await joinHost(test, "beta", { id: alpha.repositoryId });
  const open = async (bearer: string, restic_version: string) => {
    const agent = await FakeAgent.connect(test.url, bearer, { restic_version });
    const { job_id } = await agent.next("command.run");
    agent.started(job_id);
    await agent.acknowledged(agent.finished(job_id, { created: true }));
    return agent;
  };
  const honest = await open(alpha.bearer, "0.16.0");
  const boaster = await open(beta.bearer, "99.0.0");
  const path = `/api/repositories/${alpha.repositoryId}`;
  await test.api("alice", "PUT", `${path}/admin-credential`, {
    username: "admin",
    rest_password: SECRET,
  });
  const name = async (host_ids: string[], person: "alice" | "olive" = "alice") =>
    (await test.api(person, "PUT", `${path}/maintenance`, { host_ids })).status;
  const start = async (kind: string, more = {}) =>
    await test.api("alice", "POST", `${path}/jobs`, { kind, ...more });
  return { alpha, beta, honest, boaster, path, name, start };
}

const holds = (agent: FakeAgent) => JSON.stringify(agent.received).includes(SECRET);

attack({
  id: "promise 1",
  promise: PROMISE,
  done:
    "nobody is named; the newest restic is claimed by a stranger's host; an operator names it; prune is ordered by hand and by the clock",
  expected: "no host gets it, one line says so; once alpha is named, alpha alone",
}, async (see) => {
  await using test = await startServer();
  const { alpha, beta, honest, boaster, path, name, start } = await setUp(test);
  const refused = await start("prune");
  see(`none named: ${refused.status} ${refused.body.error.message}`);
  assert.deepEqual([refused.status, refused.body.error.code], [409, "conflict"]);
  assert.equal((await start("prune", { host_id: beta.hostId })).status, 409);
  await test.server.db.updateTable("maintenance").set({ considered_at: 1, cron: "* * * * *" })
    .execute();
  await startDueMaintenance(test.server);
  const off = (await test.api("olive", "GET", `${path}/maintenance`)).body.tasks
    .map(({ kind, off_because }: { kind: string; off_because: string | null }) =>
      `${kind}: ${off_because ?? "on"}`
    );
  see(off.join("; "));
  assert.match(off.join(), /prune: No host may hold the admin credential/);
  const byOperator = await name([beta.hostId], "olive");
  see(`an operator names beta: ${byOperator}`);
  assert.equal(byOperator, 403);
  assert.deepEqual([holds(honest), holds(boaster)], [false, false]);
  assert.equal(await name([alpha.hostId]), 200);
  // dry_run is forget's alone: whatever else is asked with it deletes as ever.
  for (const dry_run of [undefined, true, false]) {
    const { status, body } = await test.api("olive", "POST", `${path}/jobs`, {
      kind: "prune",
      ...(dry_run === undefined ? {} : { dry_run }),
    });
    assert.deepEqual([status, body.error.field], [403, "kind"]);
  }
  const wrong = await start("prune", { host_id: beta.hostId });
  assert.deepEqual([wrong.status, wrong.body.error.field], [422, "host_id"]);
  // A check that the clock started may run on either; it reads with the repository credential.
  for (const agent of [honest, boaster]) {
    for (const each of agent.received) {
      if (each.type === "command.run" && each.kind === "check") {
        assert.equal(each.admin_access, undefined);
        await agent.acknowledged(agent.finished(each.job_id));
      }
    }
  }
  const { job_id } = (await start("prune")).body;
  const order = await honest.next("command.run", (each) => each.job_id === job_id);
  assert.equal(order.admin_access?.rest_password, SECRET);
  see(`alpha is named: alpha ${holds(honest)}, beta ${holds(boaster)}`);
  assert.equal(holds(boaster), false);
  await honest.close();
  await boaster.close();
});

attack({
  id: "promise 1",
  promise: PROMISE,
  done:
    "the named host joins again, an operator says go on; it is bound elsewhere and back; it is taken off the list while its prune waits",
  expected: "each time it gets nothing until an admin names it again",
}, async (see) => {
  await using test = await startServer();
  const { alpha, honest, boaster, name, start } = await setUp(test);
  await name([alpha.hostId]);
  await honest.close();
  await eventually("it is offline", () => !test.server.agents.isOnline(alpha.hostId));
  const token = await test.api("alice", "POST", `/api/hosts/${alpha.hostId}/rejoin-token`);
  const enrolled = await test.api(null, "POST", "/api/agents/enroll", {
    token: token.body.token,
    hostname: "alpha",
    os: "linux",
    arch: "x86_64",
    agent_version: "0.1.0",
  });
  let agent = await FakeAgent.connect(test.url, enrolled.body.bearer);
  const init = await agent.next("command.run");
  await agent.acknowledged(agent.finished(init.job_id));
  const host = `/api/hosts/${alpha.hostId}`;
  assert.equal((await test.api("olive", "POST", `${host}/resume`)).status, 200);
  const waits = await start("prune");
  see(`joined again and resumed: ${waits.status} ${waits.body.error.message}`);
  assert.equal(waits.status, 409);
  assert.match(waits.body.error.message, /alpha joined again/);

  assert.equal(await name([alpha.hostId]), 200);
  const other = (await test.api("alice", "POST", "/api/repositories", {
    name: "other",
    url: "/srv/other",
    is_new: true,
  })).body.id;
  for (const repository_id of [other, alpha.repositoryId]) {
    const before = agent.received.length;
    assert.equal((await test.api("alice", "PATCH", host, { repository_id })).status, 200);
    const opening = await agent.next(
      "command.run",
      (each) => agent.received.indexOf(each) >= before,
    );
    await agent.acknowledged(agent.finished(opening.job_id));
  }
  const back = await start("prune");
  see(`bound elsewhere and back: ${back.status}`);
  assert.equal(back.status, 409);

  assert.equal(await name([alpha.hostId]), 200);
  // The prune waits, since beta is at a backup.
  const backup = (await test.api("alice", "GET", "/api/hosts")).body.items
    .find(({ name }: { name: string }) => name === "beta").id;
  const running = (await test.api("alice", "POST", `/api/hosts/${backup}/jobs`, {
    kind: "backup",
  })).body.job_id;
  await boaster.acknowledged(boaster.started(running));
  const prune = (await start("prune")).body.job_id;
  assert.equal((await test.api("alice", "GET", `/api/jobs/${prune}`)).body.status, "queued");
  assert.equal(await name([]), 200);
  await boaster.acknowledged(boaster.finished(running));
  const ended = await eventually("the prune is over", async () => {
    const job = (await test.api("alice", "GET", `/api/jobs/${prune}`)).body;
    return job.finished_at !== null && job;
  });
  see(`taken off the list while its prune waited: ${ended.status}, ${ended.reason}`);
  assert.equal(ended.status, "failed");
  assert.equal(holds(agent), false);

  assert.equal(await name([alpha.hostId]), 200);
  await agent.close();
  await eventually("it is offline", () => !test.server.agents.isOnline(alpha.hostId));
  assert.equal((await start("prune")).status, 503, "beta, which is connected, is not asked");
  agent = await FakeAgent.connect(test.url, enrolled.body.bearer);
  const { job_id } = (await start("prune")).body;
  await agent.next("command.run", (each) => each.job_id === job_id);
  see(`named again: ${holds(agent)}; beta ${holds(boaster)}`);
  assert.deepEqual([holds(agent), holds(boaster)], [true, false]);
  await agent.close();
  await boaster.close();
});
