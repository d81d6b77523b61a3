import assert from "node:assert/strict";
import { CLOSE } from "../../shared/protocol.ts";
import { newId } from "../../shared/new_id.ts";
import { FakeAgent, joinHost } from "../support/fake_agent.ts";
import { sevenOracles } from "../support/oracles.ts";
import { startServer } from "../support/start_server.ts";
import { fault } from "../support/trial.ts";

fault({
  id: "F08",
  promise: "a frame that cannot be accepted ends that agent's connection, and nothing else",
  done:
    "an agent sends nonsense, wrong types, lines that are too long or too many, a frame of 1.1 MB, deep nesting, a second hello",
  expected: "the socket is closed with a code and audited, the server lives and serves the others",
}, async (see, t) => {
  await using test = await startServer();
  const host = await joinHost(test, "alpha");
  const other = await joinHost(test, "beta");
  const witness = await FakeAgent.connect(test.url, other.bearer);
  const jobId = newId();
  const line = { at: 1, stream: "stdout", text: "x" };
  const frames: Record<string, string | Uint8Array<ArrayBuffer>> = {
    "not JSON": "{bad",
    "a number": "5",
    "null": "null",
    "no type": "{}",
    "bytes": new Uint8Array([1, 2, 3]),
    "a type of the other direction's shape": JSON.stringify({ type: "job.started", seq: "1" }),
    "a wrong id": JSON.stringify({
      type: "log.stream",
      seq: 1,
      job_id: "x",
      first_line: 1,
      lines: [line],
    }),
    "no lines": JSON.stringify({
      type: "log.stream",
      seq: 1,
      job_id: jobId,
      first_line: 1,
      lines: [],
    }),
    "a line that is too long": JSON.stringify({
      type: "log.stream",
      seq: 1,
      job_id: jobId,
      first_line: 1,
      lines: [{ ...line, text: "x".repeat(70_000) }],
    }),
    "too many lines": JSON.stringify({
      type: "log.stream",
      seq: 1,
      job_id: jobId,
      first_line: 1,
      lines: new Array(501).fill(line),
    }),
    "an oversized frame": JSON.stringify({ type: "error", message: "x".repeat(1_100_000) }),
    "a negative number": JSON.stringify({
      type: "log.stream",
      seq: -1,
      job_id: jobId,
      first_line: 1,
      lines: [line],
    }),
    "a second hello": JSON.stringify({ type: "hello" }),
    "deep nesting": "[".repeat(100_000),
  };
  for (const [what, frame] of Object.entries(frames)) {
    await t.step(what, async () => {
      const agent = await FakeAgent.connect(test.url, host.bearer);
      agent.sendRaw(frame);
      assert.equal((await agent.untilClosed()).code, CLOSE.badFrame);
    });
  }
  await t.step("a message before hello", async () => {
    const agent = await FakeAgent.dial(test.url, host.bearer);
    agent.send({ type: "heartbeat" });
    assert.equal((await agent.untilClosed()).code, CLOSE.badFrame);
  });
  const audit = await test.api("alice", "GET", "/api/audit?action=agent.bad_frame&limit=100");
  assert.equal(audit.body.items.length, Object.keys(frames).length + 1);
  witness.send({ type: "heartbeat" });
  await witness.next("report.ack");
  await witness.close();
  see(`${Object.keys(frames).length + 1} connections were closed; the other host's goes on`);
  const open = test.server.database.sqlite.prepare("select id from jobs").all();
  await sevenOracles({ dataDir: test.dataDir, open: open.map(({ id }) => String(id)) }, see);
});
