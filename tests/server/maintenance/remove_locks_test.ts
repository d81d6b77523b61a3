// Removal of every lock: who may, what must be typed, and when it is refused.
import assert from "node:assert/strict";
import { eventually } from "../../support/eventually.ts";
import { FakeAgent, joinHost } from "../../support/fake_agent.ts";
import { PASSWORD, startServer, type TestServer } from "../../support/start_server.ts";
import type { AnyOrder } from "../../support/any_order.ts";

const LOCK = "a".repeat(64);
const FORCE = { kind: "unlock", remove_all: true, confirm_hostname: "db-01" };

async function setUp() {
  const test = await startServer();
  const host = await joinHost(test, "alpha", { url: "rest:http://backup.example:8000/r/" });
  const agent = await FakeAgent.connect(test.url, host.bearer);
  await finish(agent, host.repositoryId, "init");
  const jobs = `/api/hosts/${host.hostId}/jobs`;
  /** A plain unlock that leaves locks of these machines. */
  const see = async (...hostnames: string[]) => {
    assert.equal((await test.api("alice", "POST", jobs, { kind: "unlock" })).status, 202);
    await finish(agent, host.repositoryId, "unlock", hostnames);
  };
  return { test, host, agent, jobs, see };
}

/** Does the next order of the kind, with locks of these machines afterwards. */
async function finish(
  agent: FakeAgent,
  repository_id: string,
  kind: string,
  hostnames?: string[],
): Promise<AnyOrder> {
  const order = await eventually(`an order to ${kind}`, () => {
    const at = agent.received.findIndex((each) =>
      each.type === "command.run" && each.kind === kind
    );
    return at >= 0 ? agent.received.splice(at, 1)[0] as AnyOrder : undefined;
  });
  agent.started(order.job_id);
  if (hostnames) {
    agent.report({
      type: "repo.locks",
      job_id: order.job_id,
      repository_id,
      locks: hostnames.map((hostname, n) => ({
        id: n === 0 ? LOCK : String(n).repeat(64),
        at: Date.now() - 60_000,
        exclusive: false,
        hostname,
        username: "root",
        pid: 7,
      })),
    });
  }
  const isLeft = (hostnames ?? []).length > 0;
  const end = isLeft ? { status: "failed", reason: "1 lock left.", reason_code: "locked" } : {};
  await agent.acknowledged(
    agent.finished(order.job_id, end as Parameters<typeof agent.finished>[1]),
  );
  return order;
}

const post = (test: TestServer, person: "alice" | "olive", path: string, body: unknown) =>
  test.api(person, "POST", path, body);

Deno.test("an admin who types the holder's name removes every lock: the order names them, and the audit has it", async () => {
  const { test, host, agent, jobs, see } = await setUp();
  await using _test = test;
  await see("db-01");
  const { locks, locks_seen_at } =
    (await test.api("olive", "GET", `/api/repositories/${host.repositoryId}/maintenance`)).body;
  assert.deepEqual(locks.map(({ hostname }: { hostname: string }) => hostname), ["db-01"]);
  assert.ok(Date.now() - Date.parse(locks_seen_at) < 60_000);
  for (const path of [jobs, `/api/repositories/${host.repositoryId}/jobs`]) {
    const made = await post(test, "alice", path, FORCE);
    assert.equal(made.status, 202, JSON.stringify(made.body));
    const order = await finish(agent, host.repositoryId, "unlock", ["db-01"]);
    assert.deepEqual(order.remove_all, { hostname: "db-01", locks: [LOCK] });
  }
  const audit = await test.api("alice", "GET", "/api/audit?action=repository.all_locks_removed");
  assert.equal(audit.body.items.length, 2);
  assert.equal(audit.body.items[0].actor_name ?? audit.body.items[0].actor.name, "alice");
  assert.ok(JSON.stringify(audit.body.items[0]).includes("db-01"));
  await see();
  assert.equal((await post(test, "alice", jobs, FORCE)).status, 409, "no lock was seen");
  await agent.close();
});

Deno.test("who may not, and what was not typed or does not belong there, is refused with a sentence", async () => {
  const { test, host, agent, jobs, see } = await setUp();
  await using _test = test;
  const never = await post(test, "alice", jobs, FORCE);
  assert.deepEqual([never.status, /Run unlock first/.test(never.body.error.message)], [409, true]);
  await see("db-01");
  const repository = `/api/repositories/${host.repositoryId}/jobs`;
  for (const path of [jobs, repository]) {
    assert.equal((await post(test, "olive", path, FORCE)).status, 403);
  }
  const cases: [Record<string, unknown>, number, string, RegExp][] = [
    [{ ...FORCE, confirm_hostname: "db-02" }, 400, "confirm_hostname", /machine that holds/],
    [{ ...FORCE, confirm_hostname: "alpha" }, 400, "confirm_hostname", /machine that holds/],
    [{ kind: "unlock", remove_all: true }, 422, "confirm_hostname", /is missing/],
    [{ ...FORCE, confirm_hostname: "" }, 422, "confirm_hostname", /is missing/],
    [{ ...FORCE, remove_all: "yes" }, 422, "remove_all", /true or false/],
    [{ kind: "unlock", confirm_hostname: "db-01" }, 422, "confirm_hostname", /goes with/],
    [{ ...FORCE, kind: "prune" }, 422, "remove_all", /kind unlock only/],
    [{ ...FORCE, kind: "stats" }, 422, "remove_all", /kind unlock only/],
  ];
  for (const [body, status, field, message] of cases) {
    for (const path of [jobs, repository]) {
      const { status: given, body: { error } } = await post(test, "alice", path, body);
      assert.deepEqual([given, error.field], [status, field], JSON.stringify([body, error]));
      assert.match(error.message, message);
    }
  }
  const backup = await post(test, "alice", jobs, { ...FORCE, kind: "backup" });
  assert.deepEqual([backup.status, backup.body.error.field], [422, "remove_all"]);
  await see("db-01", "db-02");
  const two = await post(test, "alice", jobs, FORCE);
  assert.deepEqual([two.status, /db-0[12], db-0[12]/.test(two.body.error.message)], [409, true]);
  await agent.close();
  await eventually("it is offline", () => !test.server.agents.isOnline(host.hostId));
  await test.server.db.deleteFrom("repository_locks").where("hostname", "=", "db-02").execute();
  assert.equal((await post(test, "alice", jobs, FORCE)).status, 503);
  assert.ok(!agent.received.some((each) => each.type === "command.run"));
});

Deno.test("while any host has a job there nothing is removed: other repository rows of that address and hosts that are away count", async () => {
  const { test, agent, jobs, see } = await setUp();
  await using _test = test;
  await see("db-01");
  // The same place under another spelling, and a host that went away in the middle of a backup.
  const beta = await joinHost(test, "beta", { url: "rest:http://BACKUP.example:8000//r" });
  const other = await FakeAgent.connect(test.url, beta.bearer);
  await finish(other, beta.repositoryId, "init");
  const made = await post(test, "alice", `/api/hosts/${beta.hostId}/jobs`, { kind: "backup" });
  const queued = await post(test, "alice", jobs, FORCE);
  assert.deepEqual([queued.status, /beta has a backup/.test(queued.body.error.message)], [
    409,
    true,
  ]);
  other.started(made.body.job_id);
  await eventually(
    "it runs",
    async () =>
      (await test.api("alice", "GET", `/api/jobs/${made.body.job_id}`)).body.status === "running",
  );
  await other.close();
  await eventually("it is offline", () => !test.server.agents.isOnline(beta.hostId));
  const away = await post(test, "alice", jobs, FORCE);
  assert.equal(away.status, 409);
  assert.match(away.body.error.message, /beta has a backup running .*offline/);
  await test.server.db.updateTable("jobs").set({ status: "interrupted" })
    .where("id", "=", made.body.job_id).execute();
  assert.equal((await post(test, "alice", jobs, FORCE)).status, 202);
  await agent.close();
});

Deno.test("the same repository under another address counts by restic's own id, and who comes meanwhile waits", async () => {
  const { test, host, agent, jobs, see } = await setUp();
  await using _test = test;
  await see("db-01");
  const beta = await joinHost(test, "beta", { url: "rest:http://other.example:8000/r/" });
  const other = await FakeAgent.connect(test.url, beta.bearer);
  await finish(other, beta.repositoryId, "init");
  for (const repository_id of [host.repositoryId, beta.repositoryId]) {
    await test.server.db.insertInto("repository_ids")
      .values({ repository_id, host_id: null, restic_id: "5".repeat(64), first_seen_at: 1 })
      .execute();
  }
  const theirs = `/api/hosts/${beta.hostId}/jobs`;
  await post(test, "alice", theirs, { kind: "backup" });
  const refused = await post(test, "alice", jobs, FORCE);
  assert.deepEqual([refused.status, /beta has a backup/.test(refused.body.error.message)], [
    409,
    true,
  ]);
  await finish(other, beta.repositoryId, "backup");
  const made = await post(test, "alice", jobs, FORCE);
  assert.equal(made.status, 202, JSON.stringify(made.body));
  const backup = await post(test, "alice", theirs, { kind: "backup" });
  const sent = (job: string) =>
    other.received.some((each) => each.type === "command.run" && each.job_id === job);
  await finish(agent, host.repositoryId, "unlock", []);
  await eventually("the backup is sent when the locks are gone", () => sent(backup.body.job_id));
  const [unlocked, begun] = await Promise.all(
    [made.body.job_id, backup.body.job_id].map((job) =>
      test.server.db.selectFrom("jobs").select(["finished_at", "dispatched_at"])
        .where("id", "=", job).executeTakeFirstOrThrow()
    ),
  );
  assert.ok(begun!.dispatched_at! >= unlocked!.finished_at!, "not beside it");
  await Promise.all([agent.close(), other.close()]);
});

Deno.test("the repository's page offers it to admins only, and keeps what was typed with the reason", async () => {
  const { test, host, agent, see } = await setUp();
  await using _test = test;
  await see("<b>db-01");
  const page = async (person: "alice" | "olive", body?: Record<string, string>) => {
    const signedIn = await fetch(`${test.url}/api/auth/login`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ username: person, password: PASSWORD }),
    });
    await signedIn.body?.cancel();
    const cookie = signedIn.headers.get("set-cookie")!.split(";")[0]!;
    const answer = await fetch(
      `${test.url}/repositories/${host.repositoryId}${body ? "/jobs" : ""}`,
      {
        headers: { cookie, origin: test.url, accept: "text/html" },
        redirect: "manual",
        ...(body ? { method: "POST", body: new URLSearchParams(body) } : {}),
      },
    );
    return { status: answer.status, text: await answer.text() };
  };
  assert.ok((await page("alice")).text.includes("Remove every lock"));
  assert.ok(!(await page("olive")).text.includes("Remove every lock"));
  const form = { kind: "unlock", remove_all: "on", confirm_hostname: "db-02" };
  assert.equal((await page("olive", form)).status, 403);
  const wrong = await page("alice", form);
  assert.equal(wrong.status, 422);
  assert.match(wrong.text, /value="db-02"/);
  assert.match(wrong.text, /machine that holds the lock, exactly/);
  assert.ok(!wrong.text.includes("<b>db-01"));
  const right = await page("alice", { ...form, confirm_hostname: "<b>db-01" });
  assert.equal(right.status, 303);
  await agent.close();
});
