// A reinstalled machine takes its old host back: by a token that an admin made for that host, or accepted as that host.
import assert from "node:assert/strict";
import { CLOSE } from "../../../shared/protocol.ts";
import { eventually } from "../../support/eventually.ts";
import { FakeAgent, type JoinedHost, joinHost } from "../../support/fake_agent.ts";
import { FakeRepository, Machine } from "../../support/fake_repository.ts";
import { Announcer } from "../../support/fake_announcer.ts";
import { startServer, type TestServer } from "../../support/start_server.ts";

const NEW_MACHINE = { hostname: "fresh", os: "linux", arch: "aarch64", agent_version: "0.2.0" };
const KEY = "ab".repeat(32);
const DAY = 24 * 3_600_000;

async function rejoinToken(test: TestServer, hostId: string): Promise<string> {
  const { status, body } = await test.api("alice", "POST", `/api/hosts/${hostId}/rejoin-token`);
  assert.equal(status, 201, JSON.stringify(body));
  return body.token;
}

function enrol(test: TestServer, token: string, enrolment_key = KEY) {
  return test.api(null, "POST", "/api/agents/enroll", { token, ...NEW_MACHINE, enrolment_key });
}

/** "The agent of alpha is connected" lasts until its socket is gone. */
async function away(test: TestServer, agent: FakeAgent, { hostId }: JoinedHost): Promise<void> {
  await agent.close();
  await eventually("it is away", () => !test.server.agents.isOnline(hostId));
}

async function actions(test: TestServer): Promise<string[]> {
  const { body } = await test.api("alice", "GET", "/api/audit?limit=500");
  return body.items.map((each: { action: string }) => each.action);
}

Deno.test("by its token a machine takes its host back as it was, and the old bearer is dead at once", async () => {
  await using test = await startServer();
  const alpha = await joinHost(test, "alpha");
  await (await FakeAgent.connect(test.url, alpha.bearer)).close();
  const groups = async () =>
    (await test.api("olive", "GET", `/api/hosts/${alpha.hostId}/source-groups`)).body;
  const before = await groups();
  await eventually("it is away", () => !test.server.agents.isOnline(alpha.hostId));
  for (const person of ["olive", "victor"] as const) {
    const path = `/api/hosts/${alpha.hostId}/rejoin-token`;
    assert.equal((await test.api(person, "POST", path)).status, 403);
  }
  const made = await test.api("alice", "POST", `/api/hosts/${alpha.hostId}/rejoin-token`);
  assert.deepEqual(Object.keys(made.body).sort(), ["commands", "expires_at", "token"]);
  assert.ok(made.body.commands.linux.includes(`RM_TOKEN=${made.body.token} sh`));
  const { status, body } = await enrol(test, made.body.token);
  assert.deepEqual([status, body.host_id], [200, alpha.hostId]);
  await assert.rejects(FakeAgent.dial(test.url, alpha.bearer));
  const agent = await FakeAgent.connect(test.url, body.bearer);
  const host = (await test.api("victor", "GET", `/api/hosts/${alpha.hostId}`)).body;
  assert.deepEqual([host.name, host.repository_id], ["alpha", alpha.repositoryId]);
  assert.deepEqual(await groups(), before);
  assert.equal((await enrol(test, made.body.token)).status, 401);
  assert.equal((await test.api("victor", "GET", "/api/hosts")).body.items.length, 1);
  const done = await actions(test);
  assert.ok(done.includes("rejoin_token.created") && done.includes("host.rejoined"));
  // The new machine has to show that it opens the repository.
  assert.equal((await agent.next("command.run")).kind, "init");
  await agent.close();
});

Deno.test("while the old agent is connected the token is refused with a sentence, and stays good", async () => {
  await using test = await startServer();
  const alpha = await joinHost(test, "alpha");
  const token = await rejoinToken(test, alpha.hostId);
  const old = await FakeAgent.connect(test.url, alpha.bearer);
  const refused = await enrol(test, token);
  assert.deepEqual([refused.status, refused.body.error.code], [409, "conflict"]);
  assert.match(refused.body.error.message, /The agent of alpha is connected/);
  old.send({ type: "heartbeat" });
  await old.next("report.ack");
  await away(test, old, alpha);
  assert.equal((await enrol(test, token)).status, 200);
});

Deno.test("an old agent that had dialled before, and says hello after, is turned away and changes nothing", async () => {
  await using test = await startServer();
  const alpha = await joinHost(test, "alpha");
  const token = await rejoinToken(test, alpha.hostId);
  const old = await FakeAgent.dial(test.url, alpha.bearer);
  const { bearer } = (await enrol(test, token)).body;
  old.hello({ hostname: "the old one" });
  assert.equal((await old.untilClosed()).code, CLOSE.unknownHost);
  // It has not counted as the new one's first contact: the answer that was lost is given again.
  assert.notEqual((await enrol(test, token)).body.bearer, bearer);
  const host = (await test.api("victor", "GET", `/api/hosts/${alpha.hostId}`)).body;
  assert.equal(host.hostname, "fresh");
});

Deno.test("an answer that was lost is given again to the same agent until it has connected, and to no other", async () => {
  await using test = await startServer();
  const alpha = await joinHost(test, "alpha");
  await (await FakeAgent.connect(test.url, alpha.bearer)).close();
  await eventually("it is away", () => !test.server.agents.isOnline(alpha.hostId));
  const token = await rejoinToken(test, alpha.hostId);
  const lost = (await enrol(test, token)).body;
  assert.equal((await enrol(test, token, "cd".repeat(32))).status, 401);
  const kept = await enrol(test, token);
  assert.equal(kept.status, 200);
  await assert.rejects(FakeAgent.dial(test.url, lost.bearer));
  await (await FakeAgent.connect(test.url, kept.body.bearer)).close();
  assert.equal((await enrol(test, token)).status, 401);
});

Deno.test("a second token for a host withdraws the first, and both die with the host", async () => {
  await using test = await startServer();
  const alpha = await joinHost(test, "alpha");
  const first = await rejoinToken(test, alpha.hostId);
  const second = await rejoinToken(test, alpha.hostId);
  assert.equal((await enrol(test, first)).status, 401);
  // It does not hold the host's name for anybody.
  const renamed = await test.api("olive", "PATCH", `/api/hosts/${alpha.hostId}`, { name: "beta" });
  assert.equal(renamed.status, 200);
  await test.api("alice", "DELETE", `/api/hosts/${alpha.hostId}`);
  assert.equal((await enrol(test, second)).status, 401);
  assert.equal(
    (await test.api("alice", "POST", `/api/hosts/${alpha.hostId}/rejoin-token`)).status,
    404,
  );
});

Deno.test("jobs of the old machine, running and queued, are interrupted, and none is sent to the new one", async () => {
  await using test = await startServer();
  const alpha = await joinHost(test, "alpha");
  const old = await FakeAgent.connect(test.url, alpha.bearer);
  const init = await old.next("command.run");
  old.started(init.job_id);
  await old.acknowledged(old.finished(init.job_id, { created: true }));
  const start = async () =>
    (await test.api("olive", "POST", `/api/hosts/${alpha.hostId}/jobs`, { kind: "backup" })).body
      .job_id;
  const running = await start();
  await old.next("command.run", ({ job_id }) => job_id === running);
  await old.acknowledged(old.started(running));
  const unheard = await test.api("olive", "POST", `/api/hosts/${alpha.hostId}/jobs`, {
    kind: "check",
  });
  await away(test, old, alpha);
  const { bearer } = (await enrol(test, await rejoinToken(test, alpha.hostId))).body;
  for (const id of [running, unheard.body.job_id]) {
    const job = (await test.api("victor", "GET", `/api/jobs/${id}`)).body;
    assert.equal(job.status, "interrupted");
    assert.match(job.reason, /machine joined again/);
  }
  const agent = await FakeAgent.connect(test.url, bearer);
  const open = await agent.next("command.run");
  assert.deepEqual([open.kind, open.may_create], ["init", false]);
  assert.deepEqual(agent.received.filter(({ type }) => type === "command.run"), [open]);
  await agent.close();
});

Deno.test("a host that joined again runs no schedule until a person says restored, go on; paused ones stay paused", async () => {
  await using test = await startServer();
  const repository = new FakeRepository();
  const alpha = await Machine.join(test, repository, "alpha");
  const { hostId } = alpha.host;
  await alpha.schedule("0 3 * * *");
  const paused = await alpha.schedule("0 5 * * *");
  await test.api("olive", "PUT", `/api/hosts/${hostId}/schedules/${paused}`, {
    cron: "0 5 * * *",
    enabled: false,
    source_group_ids: [alpha.groupId],
  });
  assert.equal((await test.api("olive", "POST", `/api/hosts/${hostId}/resume`)).status, 409);
  await alpha.away();
  alpha.host.bearer = (await enrol(test, await rejoinToken(test, hostId))).body.bearer;
  await alpha.connect();
  const plan = await alpha.agent.next("plan.set");
  assert.deepEqual(plan.schedules, []);
  assert.equal(plan.source_groups.length, 1);
  const host = async () => (await test.api("victor", "GET", `/api/hosts/${hostId}`)).body;
  assert.ok(Date.parse((await host()).on_hold_since) > 0);
  assert.equal((await host()).next_run_at, null);
  assert.ok((await host()).problems.some((each: string) => each.startsWith("joined again: sched")));
  // A change of a schedule does not end the hold.
  await alpha.schedule("0 6 * * *");
  // Someone who knows what is on the machine may back it up.
  const init = await alpha.agent.next("command.run");
  alpha.agent.started(init.job_id);
  await alpha.agent.acknowledged(alpha.agent.finished(init.job_id, { created: false }));
  await alpha.backup();
  assert.equal((await test.api("victor", "POST", `/api/hosts/${hostId}/resume`)).status, 403);
  const resumed = await test.api("olive", "POST", `/api/hosts/${hostId}/resume`);
  assert.deepEqual([resumed.status, resumed.body.on_hold_since], [200, null]);
  const next = await alpha.agent.next("plan.set", ({ schedules }) => schedules.length > 0);
  assert.deepEqual(next.schedules.map(({ cron }) => cron), ["0 3 * * *", "0 6 * * *"]);
  const earlier = alpha.agent.received.filter((message) => message.type === "plan.set")
    .slice(0, -1);
  assert.ok(earlier.every((message) => message.schedules.length === 0));
  assert.ok((await actions(test)).includes("host.resumed"));
  await alpha.agent.close();
});

Deno.test("on hold, retention leaves its snapshots alone, whoever runs it, and takes them up again afterwards", async () => {
  await using test = await startServer();
  test.clock.pass(1.5 * DAY - Date.now() % DAY);
  const repository = new FakeRepository();
  const alpha = await Machine.join(test, repository, "alpha");
  const beta = await Machine.join(test, repository, "beta", alpha.host.repositoryId);
  for (let n = 0; n < 3; n++) {
    test.clock.pass(DAY);
    await alpha.backup();
    await beta.backup();
  }
  await alpha.keep({ keep_last: 2 });
  await beta.keep({ keep_last: 2 });
  await alpha.away();
  const { hostId } = alpha.host;
  alpha.host.bearer = (await enrol(test, await rejoinToken(test, hostId))).body.bearer;
  await alpha.connect();
  const held = await beta.forget();
  assert.deepEqual(held.orders.map(({ host }) => host), ["beta"]);
  assert.deepEqual(held.removed.length, 1);
  await test.api("olive", "POST", `/api/hosts/${hostId}/resume`);
  // What it had before it joined again is its own as before.
  const after = await beta.forget();
  assert.deepEqual(after.orders.map(({ host }) => host).sort(), ["alpha", "beta"]);
  assert.equal(after.removed.length, 1);
  await alpha.agent.close();
  await beta.agent.close();
});

Deno.test("accepted as a host that is here, a machine takes it back; by its name alone it never does", async () => {
  await using test = await startServer();
  const alpha = await joinHost(test, "alpha");
  const old = await FakeAgent.connect(test.url, alpha.bearer);
  const anna = await Announcer.announced(test, "alpha");
  const socket = await anna.wait(test.url);
  const accept = (more: Record<string, unknown>, person: "alice" | "olive" = "alice") =>
    test.api(person, "POST", `/api/pending-hosts/${anna.pendingId}/accept`, {
      fingerprint: anna.fingerprint,
      ...more,
    });
  const byName = await accept({ name: "alpha", repository_id: alpha.repositoryId });
  assert.deepEqual([byName.status, byName.body.error.field], [409, "name"]);
  const connected = await accept({ host_id: alpha.hostId });
  assert.deepEqual([connected.status, connected.body.error.field], [409, "host_id"]);
  await away(test, old, alpha);
  for (
    const [more, field] of [
      [{ name: "alpha" }, "name"],
      [{ tags: ["web"] }, "tags"],
      [{ repository_id: alpha.repositoryId }, "repository_id"],
      [{ initial_paths: ["/home"] }, "initial_paths"],
    ] as const
  ) {
    const { status, body } = await accept({ host_id: alpha.hostId, ...more });
    assert.deepEqual([status, body.error.field], [422, field]);
  }
  assert.equal((await accept({ host_id: alpha.hostId }, "olive")).status, 403);
  const wrong = await accept({ host_id: alpha.hostId, fingerprint: `SHA256:${"0".repeat(64)}` });
  assert.deepEqual([wrong.status, wrong.body.error.field], [409, "fingerprint"]);
  assert.equal((await accept({ host_id: crypto.randomUUID() })).status, 404);
  // None of these cost it its place.
  await (await FakeAgent.connect(test.url, alpha.bearer)).close();
  await eventually("it is away", () => !test.server.agents.isOnline(alpha.hostId));
  const { status, body } = await accept({ host_id: alpha.hostId });
  assert.equal(status, 200, JSON.stringify(body));
  assert.deepEqual([body.host_id, body.name], [alpha.hostId, "alpha"]);
  const { host_id, bearer } = await socket.next("enrolled");
  assert.equal(host_id, alpha.hostId);
  await assert.rejects(FakeAgent.dial(test.url, alpha.bearer));
  await (await FakeAgent.connect(test.url, bearer)).close();
  const host = (await test.api("victor", "GET", `/api/hosts/${alpha.hostId}`)).body;
  assert.ok(host.on_hold_since);
});

Deno.test("a key by which the old machine was accepted, and an old token, open nothing once another one took the host", async () => {
  await using test = await startServer();
  const anna = await Announcer.announced(test);
  const made = await test.api("alice", "POST", `/api/pending-hosts/${anna.pendingId}/accept`, {
    fingerprint: anna.fingerprint,
    repository: { name: "one", url: "/srv/one", is_new: true },
  });
  const token = await rejoinToken(test, made.body.host_id);
  const { bearer } = (await enrol(test, token)).body;
  // Both are waited for now; only the newer may come.
  const socket = await anna.dial(test.url);
  assert.equal((await socket.untilClosed()).code, 4010);
  await anna.announce(test);
  assert.equal((await test.api("olive", "GET", "/api/pending-hosts")).body.items.length, 1);
  // And the other way: accepted as that host, the token of before is spent.
  const accepted = await test.api("alice", "POST", `/api/pending-hosts/${anna.pendingId}/accept`, {
    fingerprint: anna.fingerprint,
    host_id: made.body.host_id,
  });
  assert.equal(accepted.status, 200, JSON.stringify(accepted.body));
  assert.equal((await enrol(test, token)).status, 401);
  await assert.rejects(FakeAgent.dial(test.url, bearer));
});
