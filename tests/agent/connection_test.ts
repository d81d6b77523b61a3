import assert from "node:assert/strict";
import { eventually } from "../support/eventually.ts";
import { FakeRestic } from "../support/fake_restic.ts";
import { FakeServer } from "../support/fake_server.ts";
import { access, jobId, startAgent, testFolder } from "../support/start_agent.ts";

async function setUp(options: ConstructorParameters<typeof FakeServer>[0] = {}, pace = {}) {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(testFolder());
  const restic = new FakeRestic(folder.path, { verbs: { unlock: "exit 0" } });
  const config = { repository: access("/srv/repository"), ...options.config };
  const server = stack.use(new FakeServer({ ...options, config }));
  const started = await startAgent(server, {
    directory: folder.path,
    restic: restic.path,
    pace: { firstRetryMs: 20, slowestRetryMs: 100, ...pace },
  });
  stack.use(started);
  const { agent, logged } = started;
  return Object.assign(stack.move(), { server, agent, logged });
}

Deno.test("the agent says hello first, with its bearer, and acknowledges the plan", async () => {
  await using all = await setUp();
  const hello = await all.server.hello();
  assert.equal(all.server.messages[0], hello);
  assert.equal(hello.restic_version, "0.18.0");
  assert.equal(hello.plan_version, 0);
  assert.deepEqual(hello.jobs, []);
  assert.ok(hello.boot_time! < hello.clock);
  assert.deepEqual(all.server.authorizations, ["Bearer bearer-of-the-test"]);
  const ack = await eventually("the plan is acknowledged", () => all.server.of("plan.ack")[0]);
  assert.equal(ack.plan_version, 1);
  all.server.drop();
  assert.equal((await all.server.hello(2)).plan_version, 1);
});

Deno.test("an unknown message is answered by an error and the conversation goes on", async () => {
  await using all = await setUp();
  all.server.send({ type: "tree.list", of: "tomorrow" });
  const error = await eventually("an error", () => all.server.of("error")[0]);
  assert.match(error.message, /unknown message type "tree\.list"/);
  assert.equal(all.server.connections, 1);
});

Deno.test("nonsense from the server ends that socket, and the agent comes back", async () => {
  const nonsense = ["{bad", "[]", "null", '{"type":5}'];
  await using all = await setUp();
  for (const [index, text] of nonsense.entries()) {
    all.server.sendText(text);
    await all.server.hello(index + 2);
  }
  const id = jobId();
  all.server.run({ job_id: id, kind: "unlock" });
  assert.equal((await all.server.finished(id)).status, "succeeded");
});

Deno.test("a report that was not acknowledged is repeated, and hello names its job", async () => {
  await using all = await setUp({ acknowledges: false });
  const id = jobId();
  all.server.run({ job_id: id, kind: "unlock" });
  const first = await all.server.finished(id);
  all.server.drop();
  assert.deepEqual((await all.server.hello(2)).jobs, [id]);
  await eventually("the end is repeated", () => all.server.of("job.finished").length === 2);
  assert.deepEqual(all.server.of("job.finished")[1], first);
  all.server.acknowledges = true;
  all.server.drop();
  await eventually("all is acknowledged", () => all.agent.journal.unacknowledgedEnds.length === 0);
  all.server.drop();
  assert.deepEqual((await all.server.hello(4)).jobs, []);
});

Deno.test("a server that falls silent is left and dialled again", async () => {
  await using all = await setUp({ acknowledges: false }, { heartbeatMs: 20, silentMs: 60 });
  await all.server.hello(2);
  assert.ok(all.server.of("heartbeat").length >= 1);
  assert.match(all.logged.join(""), /silent for too long/);
});

Deno.test("a server that answers heartbeats is kept", async () => {
  await using all = await setUp({}, { heartbeatMs: 10, silentMs: 500 });
  await eventually("many heartbeats", () => all.server.of("heartbeat").length > 80);
  assert.equal(all.server.connections, 1);
});

Deno.test("a job goes on while the server is away, and is told afterwards", async () => {
  using folder = testFolder();
  const restic = new FakeRestic(folder.path, {
    verbs: { unlock: `while [ ! -e $(dirname $0)/go ]; do sleep 0.02; done; echo done` },
  });
  const config = { repository: access("/srv/repository") };
  const id = jobId();
  const first = new FakeServer({ config });
  const port = Number(new URL(first.url).port);
  await using started = await startAgent(first, { directory: folder.path, restic: restic.path });
  first.run({ job_id: id, kind: "unlock" });
  await eventually("it runs", () => restic.starts.length === 1);
  await first[Symbol.asyncDispose]();
  Deno.writeTextFileSync(`${folder.path}/go`, "");
  await eventually("it has ended", () => started.agent.journal.unacknowledgedEnds.includes(id));
  await using second = new FakeServer({ config, port });
  assert.equal((await second.finished(id)).status, "succeeded");
  assert.ok(second.texts(id).includes("done"));
});

Deno.test("a server that acknowledges nothing is sent no more than the window, and the rest once it does", async () => {
  using folder = testFolder();
  const restic = new FakeRestic(folder.path, {
    verbs: { unlock: `yes ${"x".repeat(1000)} | head -n 12000` },
  });
  const config = { repository: access("/srv/repository") };
  await using server = new FakeServer({ config, acknowledges: false });
  await using started = await startAgent(server, { directory: folder.path, restic: restic.path });
  const id = jobId();
  server.run({ job_id: id, kind: "unlock" });
  await eventually("it has ended", () => started.agent.journal.unacknowledgedEnds.includes(id));
  await eventually("the window is filled", () => server.lines(id).size > 3500);
  server.send({ type: "no.such" });
  await eventually("what was sent before has arrived", () => server.of("error").length > 0);
  assert.ok(server.lines(id).size < 4600, `${server.lines(id).size} lines were sent`);
  server.acknowledges = true;
  server.send({ type: "report.ack", up_to: server.of("log.stream").at(-1)!.seq });
  await server.finished(id);
  // With the lists of locks before and after.
  assert.equal(server.lines(id).size, 12_003);
});
