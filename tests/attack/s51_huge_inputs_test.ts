import assert from "node:assert/strict";
import { attack } from "../support/trial.ts";
import { FakeAgent } from "../support/fake_agent.ts";
import { busyHost } from "../support/quotas.ts";
import { startServer } from "../support/start_server.ts";

const MEGABYTE = "x".repeat(1_048_576);

const FRAMES: Record<string, () => string> = {
  "cut JSON": () => '{"type":"hello"',
  "a number": () => "5",
  "100,000 brackets": () => "[".repeat(100_000),
  "a deep message": () =>
    `{"type":"job.finished","seq":1,"summary":${"[".repeat(200_000)}${"]".repeat(200_000)}}`,
  "100,000 fields": () =>
    `{"type":"heartbeat",${Array.from({ length: 100_000 }, (_, n) => `"f${n}":1`).join()}}`,
  "a frame of 2 MiB": () => MEGABYTE + MEGABYTE,
  "a frame of 40 MiB": () => MEGABYTE.repeat(40),
  "a prototype": () => '{"__proto__":{"type":"hello"},"type":"hello","jobs":[]}',
  "numbers beyond": () =>
    '{"type":"log.stream","seq":1e308,"job_id":"x","first_line":-1,"lines":[]}',
  "a time beyond": () => '{"type":"plan.ack","plan_version":9007199254740993}',
};

attack({
  id: "S51",
  promise: "no input is so large or so deep that the server ends, stands still or fills up",
  done:
    "poison frames of ten kinds over an agent's connection, each twice; a body of 100 MB to login and to a form",
  expected:
    "each offending connection alone is closed or its frame refused; 413 for the bodies; another agent's report is acknowledged all the while",
}, async (see) => {
  await using test = await startServer({ env: { RM_HANDSHAKES_PER_MINUTE: "200" } });
  const host = await busyHost(test, "stolen");
  const other = await busyHost(test, "honest");
  await host.agent.close();
  let line = 0;
  for (const [name, frame] of Object.entries(FRAMES)) {
    const codes: (number | string)[] = [];
    for (const isAccepted of [false, true]) {
      const agent = isAccepted
        ? await FakeAgent.connect(test.url, host.bearer, { jobs: [host.jobId] })
        : await FakeAgent.dial(test.url, host.bearer);
      agent.sendRaw(frame());
      await other.agent.acknowledged(other.agent.lines(other.jobId, ++line, ["a line"]));
      if (isAccepted) {
        agent.send({ type: "heartbeat" });
        await agent.next("report.ack").catch(() => {});
      } else await agent.untilClosed();
      codes.push(agent.closed?.code ?? "goes on");
      if (!agent.closed) await agent.close();
    }
    see(`${name}: before hello ${codes[0]}, after it ${codes[1]}`);
  }
  for (const [path, type] of [["/api/auth/login", "application/json"], ["/login", "text/plain"]]) {
    const answer = await fetch(test.url + path, {
      method: "POST",
      headers: { "content-type": type!, origin: test.url },
      body: MEGABYTE.repeat(95),
    }).then(async (response) => {
      await response.body?.cancel();
      return response.status;
    }, () => "closed");
    see(`100 MB to ${path}: ${answer}`);
    assert.ok(answer === 413 || answer === "closed", `${answer}`);
  }
  const health = await test.api(null, "GET", "/healthz");
  assert.equal(health.status, 200);
  await other.agent.close();
});
