// Streams as the server reads them: an agent that keeps to the protocol, and agents that do not.
import assert from "node:assert/strict";
import {
  type StreamError,
  type StreamOptions,
  STREAMS_IN_ALL,
} from "../../server/agent_streams.ts";
import {
  costOf,
  STREAM_DATA_LIMIT,
  STREAM_FRAME_COST,
  STREAM_WINDOW,
  STREAMS_PER_HOST,
} from "../../shared/stream.ts";
import { CLOSE } from "../../shared/protocol.ts";
import { eventually } from "../support/eventually.ts";
import { FakeAgent, joinHost } from "../support/fake_agent.ts";
import { startServer, type TestServer } from "../support/start_server.ts";

const FOLDER = { kind: "folder", path: "/", within: null } as const;

async function setUp(name = "alpha") {
  await using stack = new AsyncDisposableStack();
  const test = stack.use(await startServer());
  const host = await joinHost(test, name);
  const agent = await FakeAgent.connect(test.url, host.bearer);
  stack.defer(() => agent.close());
  // What its first hello brings is done with.
  const { job_id } = await agent.next("command.run");
  await agent.acknowledged(agent.finished(job_id, { created: true }));
  const streams = () => test.server.agents.of(host.hostId)[0]!.streams;
  const open = (options: StreamOptions = {}) => streams().open(FOLDER, options)!;
  return Object.assign(stack.move(), { test, host, agent, streams, open });
}

const fault = (expected: string) => (error: unknown) => {
  assert.equal((error as StreamError).fault, expected);
  return true;
};

/** Who still sends when the server has closed may be cut off before he has read why. */
async function closedAsBad(agent: FakeAgent): Promise<void> {
  const { code } = await agent.untilClosed();
  assert.ok(code === CLOSE.badFrame || code === 0 || code === 1006, `${code}`);
}

const audited = async (test: TestServer, action: string) =>
  (await test.api("alice", "GET", `/api/audit?action=${action}&limit=100`)).body.items;

Deno.test("what an agent sends is read in its order, and its end is the end", async () => {
  await using all = await setUp();
  const stream = all.open();
  const { credit, request } = await all.agent.opened();
  assert.deepEqual([credit, request], [STREAM_WINDOW, FOLDER]);
  for (const text of ["one ", "two ", "three"]) all.agent.data(1, text);
  all.agent.endStream(1);
  let text = "";
  for await (const piece of stream) text += new TextDecoder().decode(piece);
  assert.equal(text, "one two three");
  assert.deepEqual([all.streams().size, all.test.server.agents.streams.open], [0, 0]);
});

Deno.test("credit is given for what was read and not for what waits", async () => {
  await using all = await setUp();
  const stream = all.open();
  await all.agent.opened();
  const frames = Math.floor(STREAM_WINDOW / costOf(STREAM_DATA_LIMIT));
  for (let n = 0; n < frames; n++) all.agent.data(1, new Uint8Array(STREAM_DATA_LIMIT));
  await all.agent.acknowledged(all.agent.started(crypto.randomUUID()));
  assert.ok(!all.agent.received.some(({ type }) => type === "stream.credit"));
  for (let n = 0; n < frames; n++) assert.equal((await stream.read())?.length, STREAM_DATA_LIMIT);
  const { bytes } = await all.agent.next("stream.credit");
  assert.ok(bytes >= STREAM_WINDOW / 2 && bytes <= STREAM_WINDOW, `${bytes}`);
  stream.cancel();
});

for (
  const [what, breach, reason] of [
    ["data of a stream that was never opened", (a) => a.data(2, "x"), /stream 2.* never opened/],
    ["an end of a stream that was never opened", (a) => a.endStream(7), /stream 7.* never opened/],
    ["data after its end", (a) => {
      a.endStream(1);
      a.data(1, "x");
    }, /stream 1.* has ended/],
    ["a second end", (a) => {
      a.endStream(1);
      a.endStream(1);
    }, /stream 1.* has ended/],
    ["an end with an error, and again data of that number", (a) => {
      a.endStream(1, { code: "not_found", message: "none" });
      a.data(1, "x");
    }, /stream 1.* has ended/],
    ["a frame that is too large", (a) => a.data(1, new Uint8Array(STREAM_DATA_LIMIT + 1)), /65536/],
    ["a frame without data", (a) => a.data(1, ""), /1 to 65536/],
    ["a frame without a number", (a) => a.sendRaw(new Uint8Array([0, 0, 1])), /a stream's number/],
    ["large frames beyond the credit", (a) => {
      for (let n = 0; n < 9; n++) a.data(1, new Uint8Array(STREAM_DATA_LIMIT));
    }, /stream 1: .* of its credit/],
    ["small frames beyond the credit", (a) => {
      for (let n = 0; n < STREAM_WINDOW / STREAM_FRAME_COST; n++) a.data(1, "x");
    }, /stream 1: 1 bytes .* of its credit/],
    ["an end that is too long", (a) => {
      a.sendRaw(JSON.stringify({ type: "stream.end", stream_id: 1, x: "x".repeat(5000) }));
    }, /at most 4096/],
    ["an end of no number", (a) => {
      a.sendRaw('{"type":"stream.end","stream_id":"1"}');
    }, /stream_id/],
    // Out of its turn, since it does not begin with its type.
    ["an end of none, written another way", (a) => {
      a.sendRaw('{"stream_id":9,"type":"stream.end"}');
    }, /stream 9.* never opened/],
  ] as [string, (agent: FakeAgent) => void, RegExp][]
) {
  Deno.test(`${what}: the socket is closed and audited, and the stream's reader is told`, async () => {
    await using all = await setUp();
    const stream = all.open();
    await all.agent.opened();
    breach(all.agent);
    await closedAsBad(all.agent);
    const items = await eventually("it is audited", async () => {
      const found = await audited(all.test, "agent.bad_frame");
      return found.length > 0 && found;
    });
    assert.equal(items.length, 1);
    assert.match(items[0].detail.reason, reason);
    const left = (async () => {
      while (await stream.read());
      return "ended";
    })();
    // One that had ended before the breach has all that it was to have.
    await left.then((end) => assert.equal(end, "ended"), (error: StreamError) => {
      assert.ok(["lost", "not_found"].includes(error.fault), error.fault);
    });
    assert.equal(all.test.server.agents.streams.open, 0);
    assert.equal(all.test.server.agents.isOnline(all.host.hostId), false);
  });
}

Deno.test("what comes before hello is a breach too", async () => {
  await using all = await setUp();
  const stranger = await FakeAgent.dial(all.test.url, all.host.bearer);
  stranger.data(1, "x");
  assert.equal((await stranger.untilClosed()).code, CLOSE.badFrame);
});

Deno.test("after a cancel what was under way is dropped, as far as the credit went", async () => {
  await using all = await setUp();
  const stream = all.open();
  await all.agent.opened();
  stream.cancel();
  await assert.rejects(stream.read(), fault("given_up"));
  assert.equal((await all.agent.next("stream.cancel")).stream_id, 1);
  all.agent.data(1, "late");
  all.agent.endStream(1, { code: "cancelled", message: "" });
  await eventually("it is over", () => all.streams().size === 0);
  assert.equal(all.agent.closed, undefined);
  // Its credit still holds for one that was cancelled.
  all.open().cancel();
  for (let n = 0; n < 9; n++) all.agent.data(2, new Uint8Array(STREAM_DATA_LIMIT));
  await closedAsBad(all.agent);
  await eventually("it is audited", async () => {
    const [item] = await audited(all.test, "agent.bad_frame");
    return /stream 2: .* of its credit/.test(item?.detail.reason);
  });
});

Deno.test("a reader that goes away cancels, by its signal or by leaving the loop", async () => {
  await using all = await setUp();
  const abort = new AbortController();
  const first = all.open({ signal: abort.signal });
  const reading = assert.rejects(first.read(), fault("given_up"));
  abort.abort();
  await reading;
  assert.equal((await all.agent.next("stream.cancel")).stream_id, 1);
  const second = all.open();
  await all.agent.opened(2);
  all.agent.data(2, "x");
  for await (const _ of second) break;
  await all.agent.next("stream.cancel", ({ stream_id }) => stream_id === 2);
  // One that was gone before.
  await assert.rejects(all.open({ signal: AbortSignal.abort() }).read(), fault("given_up"));
  assert.equal(all.test.server.agents.streams.open, 0);
  assert.equal(all.agent.closed, undefined);
});

Deno.test("an agent that does not send, or not all of it in time, is not waited for; its socket stays", async () => {
  await using all = await setUp();
  await assert.rejects(all.open({ silentMs: 20 }).read(), fault("timed_out"));
  const slow = all.open({ wholeMs: 60 });
  await all.agent.opened(2);
  const drip = setInterval(() => all.agent.data(2, "x"), 10);
  await assert.rejects(
    (async () => {
      while (await slow.read());
    })(),
    fault("timed_out"),
  );
  clearInterval(drip);
  assert.equal(all.agent.closed, undefined);
});

Deno.test("a reader that reads nothing is given up, also after the agent's end", async () => {
  await using all = await setUp();
  const stream = all.open({ unreadMs: 50 });
  const ended = all.open({ unreadMs: 50 });
  await all.agent.opened(2);
  all.agent.data(1, "x");
  all.agent.data(2, "x");
  all.agent.endStream(2);
  await all.agent.next("stream.cancel", ({ stream_id }) => stream_id === 1);
  await eventually("nothing is held", () => all.test.server.agents.streams.open === 0);
  await assert.rejects(stream.read(), fault("unread"));
  await assert.rejects(ended.read(), fault("unread"));
  assert.equal(all.agent.closed, undefined);
});

Deno.test("a lost socket, a newer one and the end of the server end the streams for their readers", async () => {
  await using all = await setUp();
  const lost = assert.rejects(all.open().read(), fault("lost"));
  await all.agent.close();
  await lost;
  const second = await FakeAgent.connect(all.test.url, all.host.bearer);
  const replaced = assert.rejects(all.open().read(), fault("lost"));
  const third = await FakeAgent.connect(all.test.url, all.host.bearer);
  await replaced;
  const removed = assert.rejects(all.open().read(), fault("lost"));
  all.test.server.agents.closeAll(CLOSE.goingAway, "the server stops");
  await removed;
  assert.equal(all.test.server.agents.streams.open, 0);
  await Promise.all([second.untilClosed(), third.untilClosed()]);
});

Deno.test("so many streams of a host and so many in all, and no more", async () => {
  await using all = await setUp();
  const mine = Array.from({ length: STREAMS_PER_HOST }, () => all.open());
  assert.equal(all.open(), undefined);
  // Those that were cancelled count for their host until its agent has ended them, and hold nothing of the server's.
  for (const stream of mine) stream.cancel();
  assert.equal(all.open(), undefined);
  assert.equal(all.test.server.agents.streams.open, 0);
  all.agent.endStream(1);
  await eventually("one is free", () => all.streams().size < STREAMS_PER_HOST);
  all.test.server.agents.streams.open = STREAMS_IN_ALL;
  assert.equal(all.open(), undefined);
  all.test.server.agents.streams.open = STREAMS_IN_ALL - 1;
  all.open().cancel();
  all.test.server.agents.streams.open = 0;
});

Deno.test("a report is taken while a stream is unread, and a stream is read while reports wait for the disk", async () => {
  await using all = await setUp();
  const stream = all.open();
  await all.agent.opened();
  for (let n = 0; n < 7; n++) all.agent.data(1, new Uint8Array(STREAM_DATA_LIMIT));
  await all.agent.acknowledged(all.agent.started(crypto.randomUUID()));
  const { database } = all.test.server;
  const flush = database.flush.bind(database);
  const held = Promise.withResolvers<void>();
  database.flush = () => held.promise.then(flush);
  const seq = all.agent.started(crypto.randomUUID());
  let bytes = 0;
  for (let n = 0; n < 7; n++) bytes += (await stream.read())!.length;
  all.agent.data(1, "more");
  bytes += (await stream.read())!.length;
  assert.equal(bytes, 7 * STREAM_DATA_LIMIT + 4);
  assert.ok(!all.agent.received.some((each) => each.type === "report.ack" && each.up_to >= seq));
  held.resolve();
  await all.agent.acknowledged(seq);
  stream.cancel();
});

Deno.test("a word about streams that this server does not know is answered, and the conversation goes on", async () => {
  await using world = await setUp();
  world.agent.socket.send(JSON.stringify({ type: "stream.hint", stream_id: 1 }));
  const { message } = await world.agent.next("error");
  assert.match(message, /stream\.hint/);
  const stream = world.open();
  const { stream_id } = await world.agent.opened(1);
  world.agent.data(stream_id, new TextEncoder().encode("still here"));
  world.agent.endStream(stream_id);
  let text = "";
  for await (const piece of stream) text += new TextDecoder().decode(piece);
  assert.equal(text, "still here");
  assert.equal(world.agent.closed, undefined);
});
