import assert from "node:assert/strict";
import { FakeAgent, joinHost } from "../../support/fake_agent.ts";
import { startServer } from "../../support/start_server.ts";

Deno.test("whoever watches hears that a job is queued before its agent can say that it runs", async () => {
  await using test = await startServer();
  const { hostId, bearer, repositoryId } = await joinHost(test, "alpha");
  const agent = await FakeAgent.connect(test.url, bearer);
  const { job_id } = await agent.next("command.run");
  await agent.acknowledged(agent.finished(job_id, { created: true }));
  const order: string[] = [];
  test.server.events.subscribe(`host:${hostId}`, (event) => {
    if (event.type === "job" && event.status === "queued") order.push(`queued ${event.jobId}`);
  });
  const { socket } = test.server.agents.of(hostId)[0]!;
  const send = socket.send.bind(socket);
  socket.send = (data) => {
    const message = JSON.parse(String(data));
    if (message.type === "command.run") order.push(`sent ${message.job_id}`);
    send(data);
  };
  const host = `/api/hosts/${hostId}`;
  for (
    const [path, body] of [
      [`${host}/jobs`, { kind: "backup" }],
      [`${host}/jobs`, { kind: "stats" }],
      [`/api/repositories/${repositoryId}/jobs`, { kind: "check" }],
      [`${host}/repo/reinit`, { confirm_hostname: "alpha" }],
    ] as const
  ) {
    order.length = 0;
    const { status, body: answer } = await test.api("alice", "POST", path, body);
    assert.ok(status < 300, JSON.stringify(answer));
    assert.equal(order.length, 2, `${path}: ${order}`);
    const id = order[0]!.split(" ")[1]!;
    assert.deepEqual(order, [`queued ${id}`, `sent ${id}`], path);
    await agent.acknowledged(agent.finished(id));
  }
  await agent.close();
});
