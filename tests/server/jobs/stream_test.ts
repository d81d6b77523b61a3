import assert from "node:assert/strict";
import { readyHost, runBackup } from "../../support/ready_host.ts";
import { startServer } from "../../support/start_server.ts";

Deno.test("the stream gives stored lines, then what comes, without a gap or a repeat, resumes and ends", async () => {
  await using test = await startServer();
  const { agent, hostId } = await readyHost(test);
  const id = await runBackup(test, hostId);
  agent.started(id);
  await agent.acknowledged(
    agent.lines(id, 1, Array.from({ length: 500 }, (_, n) => `line ${n + 1}`)),
  );
  const read = async (after: string) => {
    const response = await fetch(`${test.url}/api/jobs/${id}/stream`, {
      headers: {
        authorization: `Bearer ${test.tokens.victor}`,
        ...(after ? { "last-event-id": after } : {}),
      },
    });
    return (await response.text()).split("\n\n").flatMap((event) =>
      /^id: (\d+)/.exec(event)?.[1] ?? []
    ).map(Number);
  };
  const whole = read("");
  const rest = read("400");
  for (let n = 501; n <= 2500; n += 100) {
    agent.lines(id, n, Array.from({ length: 100 }, (_, k) => `line ${n + k}`));
  }
  agent.finished(id);
  assert.deepEqual(await whole, Array.from({ length: 2500 }, (_, n) => n + 1));
  assert.deepEqual(await rest, Array.from({ length: 2100 }, (_, n) => n + 401));
  assert.deepEqual(await read("2499"), [2500]);
  await agent.close();
});

Deno.test("a reader that does not read delays nobody and gets every line when it reads again", async () => {
  await using test = await startServer();
  const { agent, hostId } = await readyHost(test);
  const id = await runBackup(test, hostId);
  agent.started(id);
  const response = await fetch(`${test.url}/api/jobs/${id}/stream`, {
    headers: { authorization: `Bearer ${test.tokens.victor}` },
  });
  const wide = "x".repeat(1000);
  let last = 0;
  for (let n = 1; n <= 40_000; n += 500) {
    last = agent.lines(id, n, new Array(500).fill(wide));
    if (n % 5000 === 1) await agent.acknowledged(last);
  }
  await agent.acknowledged(agent.finished(id));
  const ids = (await response.text()).split("\n\n").flatMap((event) =>
    /^id: (\d+)/.exec(event)?.[1] ?? []
  );
  assert.equal(ids.length, 40_000);
  assert.equal(new Set(ids).size, 40_000);
  await agent.close();
});
