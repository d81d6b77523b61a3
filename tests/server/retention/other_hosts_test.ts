// What one host tells about snapshots of another, and what another sees of a host that is away.
import assert from "node:assert/strict";
import { newId } from "../../../shared/new_id.ts";
import { FakeRepository, Machine } from "../../support/fake_repository.ts";
import { startServer } from "../../support/start_server.ts";

const DAY = 24 * 3_600_000;

async function setUp() {
  const test = await startServer();
  test.clock.pass(1.5 * DAY - Date.now() % DAY);
  const repository = new FakeRepository();
  const alpha = await Machine.join(test, repository, "alpha");
  const beta = await Machine.join(test, repository, "beta", alpha.host.repositoryId);
  await alpha.keep({ keep_last: 9 });
  const path = `/api/repositories/${alpha.host.repositoryId}/ungoverned-snapshots`;
  return { test, repository, alpha, beta, path };
}

Deno.test("a host that lists snapshots of others takes none of them with it when it is removed", async () => {
  const { test, repository, alpha, beta, path } = await setUp();
  await using _ = test;
  repository.add({ hostname: "gamma", time: test.server.now() - 30 * DAY });
  repository.add({ hostname: "alpha", time: test.server.now() - 30 * DAY });
  await alpha.backup();
  const own = await beta.backup();
  await alpha.forget();
  const named = { hostname: "gamma", tags: ["default"] };
  assert.equal((await test.api("olive", "POST", `${path}/keep`, named)).status, 204);
  // The list of a stolen host, with what others have under their true names.
  await beta.agent.acknowledged(beta.list([...repository.snapshots]));
  const { status, body } = await test.api(
    "alice",
    "DELETE",
    `/api/hosts/${beta.host.hostId}?snapshots=forget`,
  );
  assert.equal(status, 202);
  const order = await alpha.agent.next("command.run", ({ job_id }) => job_id === body.job_id);
  const goes = order.forget!.flatMap(({ snapshots }) => snapshots.flatMap(({ remove }) => remove));
  assert.deepEqual(goes, [own.id]);
  await alpha.agent.close();
});

Deno.test("what a host makes while it is away is not offered to be forgotten before it could report it", async () => {
  const { test, repository, alpha, beta, path } = await setUp();
  await using _ = test;
  const before = repository.add({ hostname: "beta", time: test.server.now() - 30 * DAY });
  await beta.backup();
  beta.list();
  const scheduleId = await beta.schedule("0 3 * * *");
  test.clock.pass(DAY);
  await beta.away();
  await alpha.away();
  const from = test.server.now();
  test.clock.pass(3 * DAY);
  const made = [1, 2].map((n) => repository.add({ hostname: "beta", time: from + n * DAY }));
  await alpha.connect();
  await alpha.forget();
  const listed = async () =>
    (await test.api("olive", "GET", path)).body.items.map((
      each: { hostname: string; count: number },
    ) => [each.hostname, each.count]);
  assert.deepEqual(await listed(), [["beta", 1]]);
  const forget = await test.api("alice", "POST", `${path}/forget`, {
    hostname: "beta",
    tags: ["default"],
    confirm_hostname: "beta",
  });
  assert.equal(forget.status, 202);
  const order = await alpha.agent.next(
    "command.run",
    ({ job_id }) => job_id === forget.body.job_id,
  );
  assert.deepEqual(order.forget![0]!.snapshots[0]!.remove, [before.id]);
  alpha.begin(forget.body.job_id);
  await alpha.agent.acknowledged(alpha.agent.finished(forget.body.job_id, { forgotten: [] }));
  await beta.connect();
  for (const { time, id } of made) {
    const origin = {
      kind: "backup",
      repository_id: beta.host.repositoryId,
      schedule_id: scheduleId,
      source_group_id: beta.groupId,
      source_group_name: "default",
      scheduled_at: time,
      catch_up: false,
      attempt: 1,
    };
    const job = newId();
    beta.begin(job, { origin, at: time });
    beta.list();
    await beta.finish(job, id, { origin, at: time });
  }
  assert.deepEqual(await listed(), [["beta", 1]], "its jobs account for both");
  // One that no job accounts for is offered once its host, heard again, has not.
  repository.add({ hostname: "beta", time: test.server.now() });
  beta.list();
  await beta.backup();
  assert.deepEqual(await listed(), [["beta", 2]]);
  await alpha.agent.close();
  await beta.agent.close();
});
