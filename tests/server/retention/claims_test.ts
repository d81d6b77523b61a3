// Anyone who holds an add-only credential may add any snapshot and claim any id: none of that makes our forget remove an honest
// one that the policy would keep.
import assert from "node:assert/strict";
import { presumeEnded } from "../../../server/jobs/reconcile.ts";
import { newId } from "../../../shared/new_id.ts";
import {
  FakeRepository,
  type FakeSnapshot,
  Machine,
  randomId,
} from "../../support/fake_repository.ts";
import { startServer, type TestServer } from "../../support/start_server.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

async function setUp() {
  const test = await startServer();
  // Far from midnight, so that what is a day apart is in neighbouring days.
  test.clock.pass(1.5 * DAY - Date.now() % DAY);
  const repository = new FakeRepository();
  const alpha = await Machine.join(test, repository, "alpha");
  return { test, repository, alpha };
}

/** Backups on so many days of the server's clock, the newest last. */
async function nights(test: TestServer, machine: Machine, count: number): Promise<FakeSnapshot[]> {
  const made: FakeSnapshot[] = [];
  for (let n = 0; n < count; n++) {
    test.clock.pass(DAY);
    made.push(await machine.backup());
  }
  return made;
}

const ours = async (test: TestServer, machine: Machine) =>
  ((await test.api("victor", "GET", `/api/hosts/${machine.host.hostId}/snapshots?limit=500`)).body
    .items as { id: string; ours: boolean }[]).filter((each) => each.ours).map(({ id }) => id);

Deno.test("forged snapshots of any host, tag and time are neither counted nor removed, and push out none", async () => {
  const { test, repository, alpha } = await setUp();
  await using _ = test;
  await alpha.keep({ keep_last: 2, keep_daily: 5 });
  const honest = await nights(test, alpha, 8);
  const now = test.server.now();
  for (const tags of [["default"], ["default", "x"], [], ["system"]]) {
    for (const time of [0, now - 3 * DAY, now, now + 400 * DAY]) {
      repository.add({ hostname: "alpha", tags, time });
    }
  }
  for (const { time } of honest) repository.add({ hostname: "alpha", time: time + 1000 });
  alpha.list();
  const { removed } = await alpha.forget();
  assert.deepEqual(removed.sort(), honest.slice(0, 3).map(({ id }) => id).sort());
  assert.equal(repository.snapshots.length, 5 + 16 + 8);
  const { items } =
    (await test.api("victor", "GET", `/api/hosts/${alpha.host.hostId}/snapshots?limit=500`)).body;
  assert.equal(items.filter((each: { ours: boolean }) => !each.ours).length, 24);
  await alpha.agent.close();
});

Deno.test("a stolen agent that claims ids of its own past, of nobody, or of another host gains nothing by them", async () => {
  const { test, repository, alpha } = await setUp();
  await using _ = test;
  const beta = await Machine.join(test, repository, "beta", alpha.host.repositoryId);
  await alpha.keep({ keep_last: 3 });
  await beta.keep({ keep_last: 1 });
  const honest = await nights(test, alpha, 3);
  const betas = await nights(test, beta, 2);
  const claim = async (id: string, list: FakeSnapshot[]) => {
    const { body } = await test.api("olive", "POST", `/api/hosts/${beta.host.hostId}/jobs`, {
      kind: "backup",
    });
    await beta.agent.next("command.run", ({ job_id }) => job_id === body.job_id);
    beta.begin(body.job_id);
    beta.list(list);
    await beta.finish(body.job_id, id);
  };
  const own = repository.snapshots.filter(({ hostname }) => hostname === "beta");
  // Its own oldest again, one that is in no list, alpha's newest as what it is, and as its own.
  await claim(betas[0]!.id, own);
  await claim(randomId(), own);
  await claim(honest[2]!.id, [...own, honest[2]!]);
  await claim(honest[1]!.id, [...own, { ...honest[1]!, hostname: "beta" }]);
  await claim(randomId().slice(0, 8), own);
  const { removed } = await alpha.forget();
  assert.deepEqual(removed, [betas[0]!.id]);
  for (const { id } of honest) assert.ok(repository.snapshots.some((each) => each.id === id));
  await alpha.agent.close();
  await beta.agent.close();
});

Deno.test("a snapshot that another host claims before its maker reports it is removed by neither", async () => {
  const { test, repository, alpha } = await setUp();
  await using _ = test;
  const beta = await Machine.join(test, repository, "beta", alpha.host.repositoryId);
  await beta.keep({ keep_last: 1 });
  await alpha.keep({ keep_last: 1 });
  const scheduleId = await alpha.schedule("0 3 * * *");
  await alpha.away();
  test.clock.pass(DAY);
  // alpha's backup while it is away; beta sees it in the repository and claims it as its own.
  const stolen = repository.add({ hostname: "alpha", time: test.server.now() });
  const { body } = await test.api("olive", "POST", `/api/hosts/${beta.host.hostId}/jobs`, {
    kind: "backup",
  });
  await beta.agent.next("command.run", ({ job_id }) => job_id === body.job_id);
  beta.begin(body.job_id);
  beta.list([{ ...stolen, hostname: "beta" }]);
  await beta.finish(body.job_id, stolen.id);
  await beta.backup();
  const { removed } = await beta.forget();
  assert.deepEqual(removed, []);
  assert.ok(repository.snapshots.includes(stolen));
  // The repository's own list showed that the claim was false, so alpha's counts.
  await alpha.connect();
  const job = newId();
  const origin = {
    kind: "backup",
    repository_id: alpha.host.repositoryId,
    schedule_id: scheduleId,
    source_group_id: alpha.groupId,
    source_group_name: "default",
    scheduled_at: test.server.now(),
    catch_up: false,
    attempt: 1,
  };
  alpha.begin(job, { origin });
  alpha.list();
  await alpha.finish(job, stolen.id, { origin });
  assert.deepEqual(await ours(test, alpha), [stolen.id]);
  await alpha.agent.close();
  await beta.agent.close();
});

Deno.test("a week without the server keeps its seven days, also where the machine's clock is a year off", async () => {
  for (const clockAhead of [0, -365 * DAY, 90 * DAY]) {
    const { test, alpha } = await setUp();
    await using _ = test;
    await alpha.keep({ keep_daily: 7 });
    const scheduleId = await alpha.schedule("0 3 * * *");
    test.clock.pass(DAY);
    await alpha.away();
    const from = test.server.now();
    test.clock.pass(7 * DAY);
    alpha.clockAhead = clockAhead;
    await alpha.connect();
    const made: FakeSnapshot[] = [];
    for (let n = 0; n < 7; n++) {
      made.push(await alpha.scheduled(scheduleId, from + clockAhead + n * DAY + HOUR));
    }
    assert.deepEqual((await ours(test, alpha)).sort(), made.map(({ id }) => id).sort());
    assert.deepEqual((await alpha.forget()).removed, [], `clock ahead ${clockAhead}`);
    await alpha.agent.close();
  }
});

Deno.test("a connection that breaks in the middle of a late journal costs none of its days", async () => {
  const { test, alpha } = await setUp();
  await using _ = test;
  await alpha.keep({ keep_daily: 7 });
  const scheduleId = await alpha.schedule("0 3 * * *");
  test.clock.pass(DAY);
  await alpha.away();
  const from = test.server.now();
  test.clock.pass(7 * DAY);
  for (let n = 0; n < 7; n++) {
    await alpha.connect();
    await alpha.scheduled(scheduleId, from + n * DAY + HOUR);
    await alpha.away();
    test.clock.pass(60_000);
  }
  await alpha.connect();
  assert.deepEqual((await alpha.forget()).removed, []);
  await alpha.agent.close();
});

Deno.test("an agent that invents runs claims no more than its schedule fired by the server's clock", async () => {
  const { test, alpha } = await setUp();
  await using _ = test;
  await alpha.keep({ keep_last: 5 });
  const scheduleId = await alpha.schedule("0 3 * * *");
  const honest: FakeSnapshot[] = [];
  for (let n = 0; n < 5; n++) {
    test.clock.pass(DAY);
    honest.push(await alpha.scheduled(scheduleId, test.server.now()));
  }
  const lies: FakeSnapshot[] = [];
  for (let n = 1; n <= 12; n++) lies.push(await alpha.scheduled(scheduleId, n * DAY));
  const counted = await ours(test, alpha);
  assert.ok(lies.filter(({ id }) => counted.includes(id)).length <= 2);
  // Of a schedule that is not there, and of another host's.
  for (const id of [newId(), scheduleId.replace(/^./, (c) => c === "0" ? "1" : "0")]) {
    const lie = await alpha.scheduled(id, test.server.now());
    assert.ok(!(await ours(test, alpha)).includes(lie.id));
  }
  const { removed } = await alpha.forget({ may_drop_most: true });
  assert.ok(removed.filter((id) => honest.some((each) => each.id === id)).length <= 2);
  await alpha.agent.close();
});

Deno.test("a job that is done in one day of the server's clock fills no days of the past", async () => {
  const { test, alpha } = await setUp();
  await using _ = test;
  await alpha.keep({ keep_daily: 6 });
  const honest = await nights(test, alpha, 6);
  for (let n = 0; n < 6; n++) {
    const { body } = await test.api("olive", "POST", `/api/hosts/${alpha.host.hostId}/jobs`, {
      kind: "backup",
    });
    await alpha.agent.next("command.run", ({ job_id }) => job_id === body.job_id);
    // It says that it began just after the honest one of that day.
    await alpha.run(body.job_id, { at: honest[n]!.time + 1000 }, { time: honest[n]!.time + 1000 });
  }
  const { removed } = await alpha.forget({ may_drop_most: true });
  // All six lies are of today: five days of the past keep their honest one.
  assert.equal(removed.filter((id) => honest.slice(0, 5).some((each) => each.id === id)).length, 0);
  await alpha.agent.close();
});

Deno.test("snapshots that are gone are not counted among those that stay", async () => {
  const { test, repository, alpha } = await setUp();
  await using _ = test;
  await alpha.keep({ keep_last: 2 });
  const made = await nights(test, alpha, 4);
  // Someone with another restic removed the two newest.
  repository.snapshots = repository.snapshots.filter(({ id }) =>
    !made.slice(2).some((each) => each.id === id)
  );
  const first = await alpha.forget();
  assert.deepEqual(first.removed, [], "the agent sees that what is to stay is not there");
  const second = await alpha.forget();
  assert.deepEqual(second.removed, []);
  assert.equal(repository.snapshots.length, 2);
  await alpha.agent.close();
});

Deno.test("a start that comes again after the server took the job for lost does not cost it its snapshot", async () => {
  const { test, repository, alpha } = await setUp();
  await using _ = test;
  const { body } = await test.api("olive", "POST", `/api/hosts/${alpha.host.hostId}/jobs`, {
    kind: "backup",
  });
  await alpha.agent.next("command.run", ({ job_id }) => job_id === body.job_id);
  alpha.begin(body.job_id);
  const made = repository.add({ hostname: "alpha", time: test.server.now() });
  await alpha.agent.acknowledged(alpha.list());
  await presumeEnded(test.server, body.job_id, {
    status: "interrupted",
    reason: "Not heard of.",
    isGone: false,
  });
  alpha.begin(body.job_id);
  alpha.list();
  await alpha.finish(body.job_id, made.id);
  assert.deepEqual(await ours(test, alpha), [made.id]);
  await alpha.agent.close();
});

Deno.test("only a maintenance job of the host itself may list a whole repository", async () => {
  const { test, repository, alpha } = await setUp();
  await using _ = test;
  const beta = await Machine.join(test, repository, "beta", alpha.host.repositoryId);
  const { body } = await test.api("olive", "POST", `/api/hosts/${beta.host.hostId}/jobs`, {
    kind: "backup",
  });
  await beta.agent.next("command.run", ({ job_id }) => job_id === body.job_id);
  beta.begin(body.job_id);
  beta.listWhole(body.job_id);
  assert.equal((await beta.agent.untilClosed()).code, 4006);
  await alpha.agent.close();
});
