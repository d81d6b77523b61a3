import assert from "node:assert/strict";
import { eventually } from "../../support/eventually.ts";
import { FakeAgent, joinHost } from "../../support/fake_agent.ts";
import { job, readyHost, runBackup } from "../../support/ready_host.ts";
import { startServer } from "../../support/start_server.ts";

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
