// Streams as the agent serves them, over a real socket to a far end that gives credit as it likes.
import assert from "node:assert/strict";
import type { Producers } from "../../../agent/streams/producers.ts";
import { StreamProblem } from "../../../agent/streams/running.ts";
import { costOf, STREAM_DATA_LIMIT, STREAMS_PER_HOST } from "../../../shared/stream.ts";
import { eventually } from "../../support/eventually.ts";
import { FakeServer } from "../../support/fake_server.ts";
import { startAgent, testFolder } from "../../support/start_agent.ts";

const FOLDER = { kind: "folder", path: "/", within: null } as const;

/** A producer that counts what it was asked for and whether it ended. */
class Counted {
  made = 0;
  begun = 0;
  ended = 0;
  readonly producer: Producers["folder"];

  constructor(make: (signal: AbortSignal) => AsyncIterable<Uint8Array>) {
    const count = async function* (this: Counted, signal: AbortSignal) {
      this.begun++;
      try {
        for await (const piece of make(signal)) {
          this.made += piece.length;
          yield piece;
        }
      } finally {
        this.ended++;
      }
    }.bind(this);
    this.producer = (_agent, _request, signal) => count(signal);
  }
}

const endless = (size: number) =>
  async function* () {
    for (;;) {
      await Promise.resolve();
      yield new Uint8Array(size).fill(120);
    }
  };

async function setUp(make: (signal: AbortSignal) => AsyncIterable<Uint8Array>) {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(testFolder());
  const server = stack.use(new FakeServer());
  const counted = new Counted(make);
  const started = await startAgent(server, {
    directory: folder.path,
    restic: "/none",
    producers: { folder: counted.producer },
    pace: { firstRetryMs: 20, slowestRetryMs: 100 },
  });
  stack.use(started);
  return Object.assign(stack.move(), { server, counted, logged: started.logged });
}

Deno.test("a stream brings all of its bytes in frames of at most 64 KiB, then its end", async () => {
  const text = "0123456789".repeat(20_000);
  await using all = await setUp(async function* () {
    yield new TextEncoder().encode(text);
    await Promise.resolve();
    yield new TextEncoder().encode("end");
  });
  all.server.openStream(1, 10_000_000, FOLDER);
  assert.deepEqual(await all.server.streamEnd(1), { type: "stream.end", stream_id: 1 });
  const { text: came, frames } = all.server.streams.get(1)!;
  assert.equal(came, `${text}end`);
  assert.equal(Math.max(...frames), STREAM_DATA_LIMIT);
  assert.equal(all.counted.ended, 1);
});

for (const size of [1, 1000, 65_536, 3_000_000]) {
  Deno.test(`no more is sent than there is credit for, nor made (pieces of ${size})`, async () => {
    await using all = await setUp(endless(size));
    all.server.openStream(1, 100_000, FOLDER);
    const cost = () => all.server.streams.get(1)?.cost ?? 0;
    // What is left does not carry one byte more.
    await eventually("the credit is used up", () => cost() > 100_000 - costOf(1));
    const { made } = all.counted;
    assert.ok(cost() <= 100_000, `${cost()}`);
    assert.ok(made <= 100_000 + 2 * size, `${made}`);
    all.server.send({ type: "heartbeat.please" });
    await eventually("the answer to what came after", () => all.server.of("error")[0]);
    assert.equal(all.counted.made, made);
    all.server.send({ type: "stream.credit", stream_id: 1, bytes: 50_000 });
    await eventually("that is used up too", () => cost() > 150_000 - costOf(1));
    assert.ok(cost() <= 150_000, `${cost()}`);
    all.server.send({ type: "stream.cancel", stream_id: 1 });
    assert.equal((await all.server.streamEnd(1)).error?.code, "cancelled");
    await eventually("its producer ended", () => all.counted.ended === 1);
  });
}

Deno.test("credit of nothing begins with nothing, and goes on when there is some", async () => {
  await using all = await setUp(async function* () {
    await Promise.resolve();
    yield new TextEncoder().encode("hello");
  });
  all.server.openStream(1, 0, FOLDER);
  await eventually("it has begun", () => all.counted.made === 5);
  assert.equal(all.server.streams.size, 0);
  all.server.send({ type: "stream.credit", stream_id: 1, bytes: 1000 });
  assert.equal((await all.server.streamEnd(1)).error, undefined);
  assert.equal(all.server.streams.get(1)?.text, "hello");
});

Deno.test("a lost socket ends every producer, and the next socket begins anew at number 1", async () => {
  await using all = await setUp(endless(1000));
  all.server.openStream(1, 50_000, FOLDER);
  all.server.openStream(2, 0, FOLDER);
  await eventually("both run", () => all.counted.begun === 2);
  all.server.drop();
  await eventually("both ended", () => all.counted.ended === 2);
  await all.server.hello(2);
  assert.equal(all.server.of("stream.end").length, 0);
  all.server.openStream(1, 5000, FOLDER);
  await eventually("it runs", () => all.counted.begun === 3);
  all.server.send({ type: "stream.cancel", stream_id: 1 });
  assert.equal((await all.server.streamEnd(1)).error?.code, "cancelled");
});

Deno.test("what cannot be ended holds its place, over connections too, and further ones are told that it is busy", async () => {
  const release = Promise.withResolvers<void>();
  // A disk that does not answer hears no signal.
  await using all = await setUp(async function* () {
    await release.promise;
    yield new Uint8Array(1);
  });
  for (let id = 1; id <= STREAMS_PER_HOST; id++) {
    all.server.openStream(id, 1000, FOLDER);
    all.server.send({ type: "stream.cancel", stream_id: id });
    assert.equal((await all.server.streamEnd(id)).error?.code, "cancelled");
  }
  all.server.openStream(STREAMS_PER_HOST + 1, 1000, FOLDER);
  assert.equal((await all.server.streamEnd(STREAMS_PER_HOST + 1)).error?.code, "busy");
  all.server.drop();
  await all.server.hello(2);
  all.server.messages.length = 0;
  all.server.openStream(1, 1000, FOLDER);
  assert.equal((await all.server.streamEnd(1)).error?.code, "busy");
  assert.equal(all.counted.begun, STREAMS_PER_HOST);
  release.resolve();
  await eventually("all ended", () => all.counted.ended === STREAMS_PER_HOST);
  all.server.openStream(2, 1000, FOLDER);
  assert.equal((await all.server.streamEnd(2)).error, undefined);
});

Deno.test("a producer that fails says so with its code; a fault of ours is in the agent's log too", async () => {
  let failure: Error = new StreamProblem("not_found", "there is none");
  // deno-lint-ignore require-yield
  await using all = await setUp(async function* () {
    await Promise.resolve();
    throw failure;
  });
  all.server.openStream(1, 1000, FOLDER);
  assert.deepEqual((await all.server.streamEnd(1)).error, {
    code: "not_found",
    message: "there is none",
  });
  failure = new Error("x".repeat(10_000));
  all.server.openStream(2, 1000, FOLDER);
  const { error } = await all.server.streamEnd(2);
  assert.deepEqual([error?.code, error?.message.length], ["failed", 500]);
  assert.ok(all.logged.some((line) => line.includes("error Stream 2: xxx")));
});

Deno.test("a request that the agent does not know ends as unsupported, and the conversation goes on", async () => {
  await using all = await setUp(endless(10));
  all.server.openStream(1, 1000, { kind: "tomorrow", path: "/" });
  assert.equal((await all.server.streamEnd(1)).error?.code, "unsupported");
  all.server.openStream(2, 1000, { kind: "folder", path: 5, within: null });
  const { error } = await all.server.streamEnd(2);
  assert.equal(error?.code, "unsupported");
  assert.match(error!.message, /path/);
  all.server.openStream(3, 1000, FOLDER);
  await eventually("data", () => all.server.streams.get(3));
  assert.equal(all.server.connections, 1);
});

Deno.test("a number that was used before is not begun; credit and cancel of what is over change nothing", async () => {
  await using all = await setUp(async function* () {
    await Promise.resolve();
    yield new Uint8Array(3);
  });
  all.server.openStream(2, 1000, FOLDER);
  await all.server.streamEnd(2);
  all.server.send({ type: "stream.credit", stream_id: 2, bytes: 10 });
  all.server.send({ type: "stream.cancel", stream_id: 2 });
  for (const id of [1, 2]) all.server.openStream(id, 1000, FOLDER);
  all.server.openStream(3, 1000, FOLDER);
  await all.server.streamEnd(3);
  assert.equal(all.counted.begun, 2);
  assert.equal(all.server.of("stream.end").length, 2);
  assert.ok(all.logged.some((line) => line.includes("stream 1 a second time")));
});
