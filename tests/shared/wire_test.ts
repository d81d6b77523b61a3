import assert from "node:assert/strict";
import { ProtocolError, readAgentMessage, readServerMessage } from "../../shared/wire.ts";

Deno.test("unknown fields are ignored, so that one side may be newer", () => {
  assert.deepEqual(readAgentMessage('{"type":"heartbeat","mood":"good"}'), { type: "heartbeat" });
});

Deno.test("an unknown type is told apart from a frame that cannot be accepted", () => {
  const failure = (data: unknown) => {
    try {
      readServerMessage(data);
    } catch (error) {
      return error as ProtocolError;
    }
    throw new Error("accepted");
  };
  assert.equal(failure('{"type":"from.the.future"}').unknownType, true);
  for (
    const bad of [
      "",
      "nonsense",
      "[]",
      '"text"',
      '{"type":5}',
      '{"type":"report.ack"}',
      new ArrayBuffer(3),
      '{"type":"__proto__"',
      undefined,
    ]
  ) {
    assert.equal(failure(bad).unknownType, false, String(bad));
  }
  assert.match(failure('{"type":"report.ack","up_to":"x"}').message, /up_to/);
});
