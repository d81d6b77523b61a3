// A lease ends when its holder's work has, and by nothing else.
import assert from "node:assert/strict";
import { dispatchAll } from "../../../server/jobs/dispatch.ts";
import { endLeasesOfGone, endLostJobs } from "../../../server/jobs/reconcile.ts";
import { endTooLongWaits } from "../../../server/jobs/wait.ts";
import { eventually } from "../../support/eventually.ts";
import { FakeAgent, type JoinedHost, joinHost } from "../../support/fake_agent.ts";
import { startServer, type TestServer } from "../../support/start_server.ts";

const NAS = "rest:http://nas.example:8000/fleet/";
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const RUNS = ["a1", "b2", "c3"].map((digits) => digits.repeat(16));

interface Host extends JoinedHost {
  agent: FakeAgent;
}

async function ready(test: TestServer, host: JoinedHost, run = 0): Promise<Host> {
  const agent = await FakeAgent.connect(test.url, host.bearer, {
    instance: RUNS[run],
    boot_id: "boot 1",
  });
  const { job_id } = await agent.next("command.run");
  await agent.acknowledged(agent.started(job_id));
  await agent.acknowledged(agent.finished(job_id));
  return { ...host, agent };
}

/** Two hosts of one repository; the first is at a check. */
async function twoHosts(test: TestServer) {
  const alpha = await ready(test, await joinHost(test, "alpha", { url: NAS }));
  const beta = await ready(test, await joinHost(test, "beta", { id: alpha.repositoryId }));
  const check = await start(test, alpha.repositoryId, { kind: "check", host_id: alpha.hostId });
  await alpha.agent.next("command.run", ({ job_id }) => job_id === check);
  await alpha.agent.acknowledged(alpha.agent.started(check));
  return { alpha, beta, check };
}

async function start(test: TestServer, repositoryId: string, input: unknown): Promise<string> {
  const { body } = await test.api("alice", "POST", `/api/repositories/${repositoryId}/jobs`, input);
  assert.ok(body.job_id, JSON.stringify(body));
  return body.job_id;
}

async function backup(test: TestServer, { hostId }: JoinedHost): Promise<string> {
  const { body } = await test.api("olive", "POST", `/api/hosts/${hostId}/jobs`, { kind: "backup" });
  assert.ok(body.job_id, JSON.stringify(body));
  return body.job_id;
}

const job = async (test: TestServer, id: string) =>
  (await test.api("alice", "GET", `/api/jobs/${id}`)).body;
const leases = async (test: TestServer, { repositoryId }: JoinedHost) =>
  (await test.api("alice", "GET", `/api/repositories/${repositoryId}/maintenance`)).body.leases;
const ordered = ({ agent }: Host, id: string) =>
  agent.received.some((each) => each.type === "command.run" && each.job_id === id);

async function goneFor(test: TestServer, { agent, hostId }: Host, ms: number): Promise<void> {
  await agent.close();
  await eventually("offline", () => !test.server.agents.isOnline(hostId));
  test.clock.pass(ms);
  await endLostJobs(test.server);
}

/** Time passes with a look every ten minutes. */
async function pass(test: TestServer, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 10 * MINUTE) {
    test.clock.pass(Math.min(left, 10 * MINUTE));
    await endTooLongWaits(test.server);
  }
}

Deno.test("by time alone no lease passes on: a day and a half after its holder went away, what waited has failed and named it", async () => {
  await using test = await startServer({ still: true });
  const { alpha, beta, check } = await twoHosts(test);
  await goneFor(test, alpha, 11 * MINUTE);
  assert.equal((await job(test, check)).status, "running");
  const waiting = await backup(test, beta);
  await endTooLongWaits(test.server);
  await pass(test, 29 * MINUTE);
  assert.equal((await job(test, waiting)).status, "queued");
  await pass(test, 2 * MINUTE);
  const ended = await job(test, waiting);
  assert.equal(ended.status, "failed");
  assert.match(
    ended.reason,
    /^Waited 30 minutes for alpha: its check is running .*, and alpha is offline\.$/,
  );
  await pass(test, 35 * HOUR);
  await endLostJobs(test.server);
  assert.equal((await job(test, check)).status, "interrupted");
  const second = await start(test, alpha.repositoryId, { kind: "check" });
  await pass(test, 5 * HOUR);
  assert.match(
    (await job(test, second)).reason,
    /^Waited 4 hours for alpha: its check may still run /,
  );
  assert.ok(!ordered(beta, second) && !ordered(beta, waiting));
  const [held] = await leases(test, alpha);
  assert.deepEqual([held.job_id, held.host_name, held.online], [check, "alpha", false]);
  // Both hosts say so.
  const { body } = await test.api("victor", "GET", `/api/hosts/${beta.hostId}`);
  assert.match(body.problems.join(), /waits for alpha, which has not said that its check is over/);
  await beta.agent.close();
});

Deno.test("who comes back naming his job goes on with it, also when it was presumed to have ended; its report lets the others go", async () => {
  await using test = await startServer({ still: true });
  const { alpha, beta, check } = await twoHosts(test);
  await goneFor(test, alpha, 25 * HOUR);
  assert.equal((await job(test, check)).status, "interrupted");
  const waiting = await backup(test, beta);
  const back = await FakeAgent.connect(test.url, alpha.bearer, {
    instance: RUNS[0],
    boot_id: "boot 1",
    jobs: [check],
  });
  await eventually("runs again", async () => (await job(test, check)).status === "running");
  assert.deepEqual([(await job(test, check)).reason, (await job(test, check)).finished_at], [
    null,
    null,
  ]);
  assert.ok(!ordered(beta, waiting));
  await back.acknowledged(back.finished(check));
  await beta.agent.next("command.run", ({ job_id }) => job_id === waiting);
  assert.equal((await job(test, check)).status, "succeeded");
  assert.deepEqual(await leases(test, alpha), []);
  await Promise.all([back.close(), beta.agent.close()]);
});

const RETURNS: { what: string; run: number; boot: string; lost?: boolean; isGone: boolean }[] = [
  { what: "the same run that does not know it", run: 0, boot: "boot 1", isGone: true },
  { what: "another run with its list", run: 1, boot: "boot 1", isGone: true },
  {
    what: "another run that lost its list in the same boot",
    run: 1,
    boot: "boot 1",
    lost: true,
    isGone: false,
  },
  {
    what: "another run that lost its list in another boot",
    run: 1,
    boot: "boot 2",
    lost: true,
    isGone: true,
  },
  {
    what: "the same run that had lost the list of the one before",
    run: 0,
    boot: "boot 1",
    lost: true,
    isGone: true,
  },
];
for (const { what, run, boot, lost, isGone } of RETURNS) {
  for (const presumed of [false, true]) {
    const when = presumed ? "presumed to have ended" : "open";
    Deno.test(`a job that is ${when}, and ${what}: the lease ${isGone ? "ends" : "stays"}`, async () => {
      await using test = await startServer({ still: true });
      const { alpha, beta, check } = await twoHosts(test);
      await goneFor(test, alpha, presumed ? 25 * HOUR : MINUTE);
      const waiting = await backup(test, beta);
      const back = await FakeAgent.connect(test.url, alpha.bearer, {
        instance: RUNS[run],
        boot_id: boot,
        ...(lost ? { ledger_lost: true } : {}),
      });
      if (isGone) await beta.agent.next("command.run", ({ job_id }) => job_id === waiting);
      await eventually("settled", async () => (await job(test, check)).status === "interrupted");
      assert.equal((await leases(test, alpha)).length, isGone ? 0 : 1);
      assert.equal(ordered(beta, waiting), isGone);
      await Promise.all([back.close(), beta.agent.close()]);
    });
  }
}

Deno.test("an init that may have reached an agent which lost its list is not sent again, to nobody", async () => {
  await using test = await startServer({ still: true });
  const host = await joinHost(test, "alpha", { url: NAS });
  const other = await joinHost(test, "beta", { id: host.repositoryId });
  const agent = await FakeAgent.connect(test.url, host.bearer, {
    instance: RUNS[0],
    boot_id: "boot 1",
  });
  const { job_id } = await agent.next("command.run");
  await agent.close();
  const second = await FakeAgent.connect(test.url, other.bearer);
  const back = await FakeAgent.connect(test.url, host.bearer, {
    instance: RUNS[1],
    boot_id: "boot 1",
    ledger_lost: true,
  });
  await eventually("settled", async () => (await job(test, job_id)).status === "interrupted");
  await endTooLongWaits(test.server);
  const inits = [back, second].flatMap(({ received }) =>
    received.filter(({ type }) => type === "command.run")
  );
  assert.deepEqual(inits, []);
  await Promise.all([back.close(), second.close()]);
});

Deno.test("a check that waited four hours at its own host keeps its lease until the host has answered the cancel", async () => {
  await using test = await startServer({ still: true });
  const alpha = await ready(test, await joinHost(test, "alpha", { url: NAS }));
  const beta = await ready(test, await joinHost(test, "beta", { id: alpha.repositoryId }));
  await endTooLongWaits(test.server);
  const check = await start(test, alpha.repositoryId, { kind: "check", host_id: alpha.hostId });
  await alpha.agent.next("command.run", ({ job_id }) => job_id === check);
  const waiting = await backup(test, beta);
  await pass(test, 5 * HOUR);
  assert.equal((await job(test, check)).reason_code, "waited_too_long");
  await alpha.agent.next("command.cancel");
  assert.equal((await leases(test, alpha)).length, 1);
  assert.ok(!ordered(beta, waiting));
  const again = await backup(test, beta);
  await alpha.agent.acknowledged(alpha.agent.finished(check, { status: "cancelled" }));
  await beta.agent.next("command.run", ({ job_id }) => job_id === again);
  // Why it was given up stays.
  assert.equal((await job(test, check)).reason_code, "waited_too_long");
  await Promise.all([alpha.agent.close(), beta.agent.close()]);
});

Deno.test("an admin who types the holder's name releases it; the holder is told to end when it is back", async () => {
  await using test = await startServer({ still: true });
  const { alpha, beta, check } = await twoHosts(test);
  const path = `/api/repositories/${alpha.repositoryId}/lease/release`;
  const release = (who: "alice" | "olive", confirm_hostname: unknown) =>
    test.api(who, "POST", path, { confirm_hostname });
  await goneFor(test, alpha, HOUR);
  const waiting = await backup(test, beta);
  assert.equal((await release("olive", "alpha")).status, 403);
  for (const name of ["beta", "", "Alpha", "alpha "]) {
    const { status, body } = await release("alice", name);
    assert.deepEqual([status, body.error.field], [400, "confirm_hostname"], name);
  }
  assert.equal((await release("alice", 7)).body.error.field, "confirm_hostname");
  assert.ok(!ordered(beta, waiting));
  assert.equal((await release("alice", "alpha")).status, 204);
  await beta.agent.next("command.run", ({ job_id }) => job_id === waiting);
  assert.match((await job(test, check)).reason, /released by alice/);
  assert.equal((await release("alice", "alpha")).status, 409);
  const audit = JSON.stringify((await test.api("alice", "GET", "/api/audit")).body);
  assert.match(audit, /lease\.released/);
  const back = await FakeAgent.connect(test.url, alpha.bearer, {
    instance: RUNS[0],
    jobs: [check],
  });
  const { job_id } = await back.next("command.cancel");
  assert.equal(job_id, check);
  assert.equal((await job(test, check)).status, "interrupted");
  // What it came to is known all the same.
  await back.acknowledged(back.finished(check));
  assert.equal((await job(test, check)).status, "succeeded");
  await Promise.all([back.close(), beta.agent.close()]);
});

Deno.test("removing the host releases its lease; giving it to another machine does when that has shown itself", async () => {
  await using test = await startServer({ still: true });
  const { alpha, beta } = await twoHosts(test);
  await goneFor(test, alpha, HOUR);
  const waiting = await backup(test, beta);
  const { body } = await test.api("alice", "POST", `/api/hosts/${alpha.hostId}/rejoin-token`);
  assert.ok(body.token, JSON.stringify(body));
  const taken = await test.api(null, "POST", "/api/agents/enroll", {
    token: body.token,
    hostname: "alpha",
    os: "linux",
    arch: "x86_64",
    agent_version: "0.1.0",
    restic_version: "0.18.0",
  });
  assert.equal(taken.status, 200, JSON.stringify(taken.body));
  assert.ok(!ordered(beta, waiting));
  const fresh = await FakeAgent.connect(test.url, taken.body.bearer, {
    instance: RUNS[2],
    boot_id: "boot 9",
  });
  await beta.agent.next("command.run", ({ job_id }) => job_id === waiting);
  await beta.agent.acknowledged(beta.agent.finished(waiting));
  // It opens the repository again.
  await fresh.acknowledged(fresh.finished((await fresh.next("command.run")).job_id));
  await fresh.close();
  const check = await start(test, alpha.repositoryId, { kind: "check" });
  await beta.agent.next("command.run", ({ job_id }) => job_id === check);
  await goneFor(test, beta, HOUR);
  assert.equal((await leases(test, alpha)).length, 1);
  assert.equal(
    (await test.api("alice", "DELETE", `/api/hosts/${beta.hostId}`, { confirm_hostname: "beta" }))
      .status,
    204,
  );
  assert.equal((await leases(test, alpha)).length, 0);
});

Deno.test("a backup behind its own host's init waits for whoever keeps the init waiting, for half an hour", async () => {
  await using test = await startServer({ still: true });
  const alpha = await joinHost(test, "alpha", { url: NAS });
  const beta = await joinHost(test, "beta", { id: alpha.repositoryId });
  const first = await FakeAgent.connect(test.url, alpha.bearer);
  await first.next("command.run");
  const second = await FakeAgent.connect(test.url, beta.bearer);
  await endTooLongWaits(test.server);
  const waiting = await backup(test, beta);
  await pass(test, 20 * MINUTE);
  assert.equal((await job(test, waiting)).status, "queued");
  await pass(test, 20 * MINUTE);
  assert.match(
    (await job(test, waiting)).reason,
    /^Waited 30 minutes for alpha: its init is queued/,
  );
  await Promise.all([first.close(), second.close()]);
});

Deno.test("who goes on after his lease was released is told to end whenever he is heard of, also when his start came late", async () => {
  for (const kind of ["check", "unlock"]) {
    await using test = await startServer({ still: true });
    const { alpha, beta, check } = await twoHosts(test);
    let held = check;
    if (kind === "unlock") {
      await alpha.agent.acknowledged(alpha.agent.finished(check));
      await test.server.db.insertInto("repository_locks").values({
        repository_id: alpha.repositoryId,
        id: "ab".repeat(32),
        at: 1,
        exclusive: 1,
        hostname: "gone",
        username: null,
        pid: null,
      }).execute();
      const input = { kind, remove_all: true, confirm_hostname: "gone", host_id: alpha.hostId };
      held = await start(test, alpha.repositoryId, input);
      await alpha.agent.next("command.run", ({ job_id }) => job_id === held);
    }
    const path = `/api/repositories/${alpha.repositoryId}/lease/release`;
    assert.equal(
      (await test.api("alice", "POST", path, { confirm_hostname: "alpha" })).status,
      204,
    );
    await alpha.agent.acknowledged(alpha.agent.started(held));
    assert.equal((await job(test, held)).status, "interrupted", kind);
    await goneFor(test, alpha, 1000);
    const waiting = await backup(test, beta);
    await beta.agent.next("command.run", ({ job_id }) => job_id === waiting);
    const back = await FakeAgent.connect(test.url, alpha.bearer, {
      instance: RUNS[0],
      jobs: [held],
    });
    assert.equal((await back.next("command.cancel")).job_id, held, kind);
    assert.equal((await job(test, held)).status, "interrupted", kind);
    await Promise.all([back.close(), beta.agent.close()]);
  }
});

Deno.test("a backup goes on where it was ordered: a host that belongs elsewhere by now is still in the way there", async () => {
  await using test = await startServer({ still: true });
  const alpha = await ready(test, await joinHost(test, "alpha", { url: NAS }));
  const beta = await ready(test, await joinHost(test, "beta", { id: alpha.repositoryId }));
  const running = await backup(test, alpha);
  await alpha.agent.next("command.run", ({ job_id }) => job_id === running);
  await alpha.agent.acknowledged(alpha.agent.started(running));
  const again = (await test.api("alice", "POST", `/api/hosts/${beta.hostId}/repo/reinit`, {
    confirm_hostname: "beta",
  })).body.job_id;
  const other = (await test.api("alice", "POST", "/api/repositories", {
    name: "other",
    url: "rest:http://nas.example:8000/other/",
    password: "a long password",
    is_new: true,
  })).body.id;
  assert.equal(
    (await test.api("alice", "PATCH", `/api/hosts/${alpha.hostId}`, { repository_id: other }))
      .status,
    200,
  );
  await dispatchAll(test.server);
  assert.ok(!ordered(beta, again));
  await alpha.agent.acknowledged(alpha.agent.finished(running));
  await beta.agent.next("command.run", ({ job_id }) => job_id === again);
  await Promise.all([alpha.agent.close(), beta.agent.close()]);
});

Deno.test("the address of a repository is not changed while someone is at work there alone", async () => {
  await using test = await startServer({ still: true });
  const { alpha, beta, check } = await twoHosts(test);
  const path = `/api/repositories/${alpha.repositoryId}`;
  const { body } = await test.api("alice", "GET", path);
  const change = () =>
    test.api("alice", "PUT", path, {
      name: body.name,
      url: "rest:http://10.0.0.5:8000/fleet/",
      password: "a repository password",
      is_new: false,
    });
  const refused = await change();
  assert.deepEqual([refused.status, refused.body.error.field], [409, "url"]);
  assert.match(refused.body.error.message, /^alpha has not said that its check/);
  await alpha.agent.acknowledged(alpha.agent.finished(check));
  assert.equal((await change()).status, 200);
  await Promise.all([alpha.agent.close(), beta.agent.close()]);
});

Deno.test("a hello beside another run of the agent that is connected ends no lease of that one; only when it stays away", async () => {
  await using test = await startServer({ still: true });
  const { alpha, beta } = await twoHosts(test);
  const waiting = await backup(test, beta);
  const other = await FakeAgent.connect(test.url, alpha.bearer, {
    instance: RUNS[1],
    boot_id: "boot 7",
  });
  await test.server.agents.of(alpha.hostId)[0]!.idle();
  await endLeasesOfGone(test.server);
  assert.equal((await leases(test, alpha)).length, 1);
  assert.ok(!ordered(beta, waiting));
  test.clock.pass(4 * MINUTE);
  await endLeasesOfGone(test.server);
  await beta.agent.next("command.run", ({ job_id }) => job_id === waiting);
  await Promise.all([other.close(), beta.agent.close(), alpha.agent.untilClosed()]);
});

Deno.test("a backup that waits in the queue of the very host that is at a check ends after half an hour too, and is not begun later", async () => {
  await using test = await startServer({ still: true });
  const { alpha, beta, check } = await twoHosts(test);
  await endTooLongWaits(test.server);
  const waiting = await backup(test, alpha);
  await alpha.agent.next("command.run", ({ job_id }) => job_id === waiting);
  await pass(test, 40 * MINUTE);
  assert.match(
    (await job(test, waiting)).reason,
    /^Waited 30 minutes for alpha: its check is running/,
  );
  await alpha.agent.next("command.cancel", ({ job_id }) => job_id === waiting);
  assert.equal((await job(test, check)).status, "running");
  await Promise.all([alpha.agent.close(), beta.agent.close()]);
});

Deno.test("a lease of an order that an earlier version sent ends by the same hello", async () => {
  await using test = await startServer({ still: true });
  const { alpha, beta, check } = await twoHosts(test);
  await goneFor(test, alpha, 25 * HOUR);
  assert.equal((await job(test, check)).status, "interrupted");
  await test.server.db.updateTable("jobs").set({ dispatched_ran: null }).where("id", "=", check)
    .execute();
  await test.server.db.updateTable("leases").set({ boot_id: null, run: null }).execute();
  const back = await FakeAgent.connect(test.url, alpha.bearer, { instance: RUNS[1] });
  await eventually("no lease", async () => (await leases(test, alpha)).length === 0);
  await Promise.all([back.close(), beta.agent.close()]);
});
