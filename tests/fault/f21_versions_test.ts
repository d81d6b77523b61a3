import assert from "node:assert/strict";
import { CLOSE, OLDEST_PROTOCOL, PROTOCOL_VERSION } from "../../shared/protocol.ts";
import { FakeAgent, joinHost } from "../support/fake_agent.ts";
import { startServer } from "../support/start_server.ts";
import { fault } from "../support/trial.ts";

fault({
  id: "F21, older",
  promise: "an agent whose protocol is too old is told to be updated",
  done: "hello with a protocol below the oldest one",
  expected: "closed with a code and a sentence",
}, async (see) => {
  await using test = await startServer();
  const host = await joinHost(test, "alpha");
  for (let protocol = 0; protocol < OLDEST_PROTOCOL; protocol++) {
    const agent = await FakeAgent.dial(test.url, host.bearer);
    agent.hello({ protocol });
    const closed = await agent.untilClosed();
    assert.equal(closed.code, CLOSE.tooOld);
    assert.match(closed.reason, /update the agent/);
    see(closed.reason);
  }
});

fault({
  id: "F21, newer",
  promise: "a newer agent works as far as this server understands it",
  done: "a message and a field that this server does not know, and hello with a higher protocol",
  expected: "the message is answered by an error, the field is ignored, the conversation goes on",
}, async (see) => {
  await using test = await startServer();
  const host = await joinHost(test, "alpha");
  const agent = await FakeAgent.connect(test.url, host.bearer, {
    protocol: PROTOCOL_VERSION + 1,
  });
  agent.sendRaw(JSON.stringify({ type: "from.the.future", field: 1 }));
  assert.match((await agent.next("error")).message, /from\.the\.future/);
  agent.sendRaw(JSON.stringify({ type: "heartbeat", unknown_field: true }));
  await agent.next("report.ack");
  await agent.close();
  see("an unknown type: error; an unknown field: ignored");
});
