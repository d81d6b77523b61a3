import assert from "node:assert/strict";
import { toBase64 } from "../../../shared/announce.ts";
import { sweepPendingHosts } from "../../../server/pending_hosts/sweep.ts";
import { eventually } from "../../support/eventually.ts";
import { joinHost } from "../../support/fake_agent.ts";
import { Announcer, PendingSocket } from "../../support/fake_announcer.ts";
import { startServer, type TestServer } from "../../support/start_server.ts";

async function row(test: TestServer, stranger: Announcer) {
  const { body } = await test.api("olive", "GET", "/api/pending-hosts?limit=500");
  return body.items.find((each: { id: string }) => each.id === stranger.pendingId);
}

async function prove(socket: PendingSocket, proof: unknown) {
  socket.send(proof);
  return await socket.untilClosed();
}

Deno.test("a proven key is shown as proven and connected, and as gone when the socket goes", async () => {
  await using test = await startServer();
  const anna = await Announcer.announced(test);
  const socket = await anna.wait(test.url);
  const there = await eventually("it is connected", async () => {
    const found = await row(test, anna);
    return found.connected && found;
  });
  assert.ok(there.proven_at);
  await socket.close();
  const gone = await eventually("it is gone", async () => {
    const found = await row(test, anna);
    return !found.connected && found;
  });
  assert.ok(gone.proven_at);
});

Deno.test("wrong signatures close with 4011 and count: ten in a minute, then neither socket nor announcement", async () => {
  await using test = await startServer();
  const anna = await Announcer.announced(test);
  const mallory = await Announcer.make("mallory");
  for (let n = 0; n < 10; n++) {
    const socket = await anna.dial(test.url);
    const { pendingId } = anna;
    const proof = await mallory.proof(await socket.nonce(), test.url, { pendingId });
    assert.equal((await prove(socket, proof)).code, 4011);
  }
  await assert.rejects(anna.dial(test.url), /refused/);
  assert.equal((await mallory.announce(test)).status, 429);
  assert.equal((await row(test, anna)).proven_at, null);
  test.clock.passUntil(61_000);
  await (await anna.wait(test.url)).close();
});

Deno.test("a signature is good for its own nonce and its own pending id alone", async (t) => {
  await using test = await startServer();
  const anna = await Announcer.announced(test);
  const mallory = await Announcer.announced(test, "mallory");
  await t.step("replayed on a new nonce", async () => {
    const first = await anna.dial(test.url);
    const proof = await anna.proof(await first.nonce(), test.url);
    const second = await anna.dial(test.url);
    assert.notEqual(await second.nonce(), await first.nonce());
    assert.equal((await prove(second, proof)).code, 4011);
    first.send(proof);
    await first.next("waiting");
    await first.close();
  });
  await t.step("another row's id with one's own key", async () => {
    const socket = await mallory.dial(test.url, anna.pendingId);
    const { pendingId } = anna;
    const proof = await mallory.proof(await socket.nonce(), test.url, { pendingId });
    assert.equal((await prove(socket, proof)).code, 4011);
  });
  await t.step("made for one's own id, on another's socket", async () => {
    const socket = await anna.dial(test.url);
    const { pendingId } = mallory;
    const proof = await anna.proof(await socket.nonce(), test.url, { pendingId });
    assert.equal((await prove(socket, proof)).code, 4011);
  });
  await t.step("of nonce and id without the context", async () => {
    const socket = await anna.dial(test.url);
    const nonce = Uint8Array.fromBase64(await socket.nonce());
    const signed = Uint8Array.of(...nonce, ...new TextEncoder().encode(anna.pendingId));
    const bare = await crypto.subtle.sign("Ed25519", anna.keys.privateKey, signed);
    const proof = await anna.proof(await socket.nonce(), test.url);
    const signature = toBase64(new Uint8Array(bare));
    assert.equal((await prove(socket, { ...proof, signature })).code, 4011);
  });
});

Deno.test("nonsense closes with 4004, and no proof within five seconds with 4005", async (t) => {
  await using test = await startServer();
  const someone = await Announcer.make("someone");
  const whole = await someone.proof(toBase64(new Uint8Array(32)), test.url, { pendingId: "x" });
  const cases: [string, unknown][] = [
    ["no JSON", "{bad"],
    ["an unknown type", { type: "hello" }],
    ["a heartbeat first", { type: "heartbeat" }],
    ["a signature that is too short", { ...whole, signature: "AAAA" }],
    ["a proof that does not say for which server", { type: "proof", signature: whole.signature }],
    ["an address in another spelling", { ...whole, server: "HTTP://127.0.0.1:1/" }],
    ["a large frame", "x".repeat(5000)],
  ];
  for (const [what, said] of cases) {
    await t.step(what, async () => {
      const anna = await Announcer.announced(
        test,
        `pc-${cases.findIndex(([name]) => name === what)}`,
      );
      const socket = await anna.dial(test.url);
      await socket.nonce();
      socket.send(said);
      assert.equal((await socket.untilClosed()).code, 4004);
    });
  }
  await t.step("a second proof", async () => {
    const anna = await Announcer.announced(test, "twice");
    const socket = await anna.wait(test.url);
    socket.send(await anna.proof(toBase64(new Uint8Array(32)), test.url));
    assert.equal((await socket.untilClosed()).code, 4004);
  });
  await t.step("silence", async () => {
    const anna = await Announcer.announced(test, "silent");
    const socket = await anna.dial(test.url);
    await socket.nonce();
    const from = performance.now();
    assert.equal((await socket.untilClosed()).code, 4005);
    assert.ok(performance.now() - from > 4000);
  });
});

Deno.test("nothing under a pending id closes with 4010: invented, expired, or gone while it waited", async () => {
  await using test = await startServer();
  assert.equal((await (await PendingSocket.dial(test.url, "x")).untilClosed()).code, 4010);
  const anna = await Announcer.announced(test);
  const socket = await anna.wait(test.url);
  test.clock.passUntil(3_600_001);
  await sweepPendingHosts(test.server);
  assert.ok([4005, 4010].includes((await socket.untilClosed()).code));
  assert.equal((await (await anna.dial(test.url)).untilClosed()).code, 4010);
});

Deno.test("whoever is connected and heard does not expire; whoever falls silent is let go", async () => {
  await using test = await startServer();
  const anna = await Announcer.announced(test);
  const socket = await anna.wait(test.url);
  for (let minutes = 1; minutes <= 120; minutes += 1) {
    test.clock.passUntil(minutes * 60_000);
    const answers = socket.received.length;
    socket.send({ type: "heartbeat" });
    await eventually("the answer", () => socket.received.length > answers);
    await sweepPendingHosts(test.server);
  }
  assert.equal(socket.closed, undefined);
  assert.ok((await row(test, anna)).connected);
  test.clock.pass(91_000);
  await sweepPendingHosts(test.server);
  assert.equal((await socket.untilClosed()).code, 4005);
  assert.ok(!(await row(test, anna)).connected);
});

Deno.test("heartbeats as quick as a stranger can send them are answered and cost the database next to nothing", async () => {
  await using test = await startServer();
  const anna = await Announcer.announced(test);
  const socket = await anna.wait(test.url);
  let writes = 0;
  const { db } = test.server;
  const updateTable = db.updateTable.bind(db);
  db.updateTable = ((table: "pending_hosts") => {
    writes++;
    return updateTable(table);
  }) as typeof updateTable;
  for (let n = 1; n <= 200; n++) {
    const answers = socket.received.length;
    socket.send({ type: "heartbeat" });
    await eventually("the answer", () => socket.received.length > answers);
  }
  assert.ok(writes <= 10, `${writes} writes`);
  await socket.close();
});

Deno.test("a second socket of the same key replaces the first; unproven ones are two at most and replace nothing", async () => {
  await using test = await startServer();
  const anna = await Announcer.announced(test);
  const first = await anna.wait(test.url);
  const second = await anna.wait(test.url);
  assert.equal((await first.untilClosed()).code, 4003);
  const idle = [await anna.dial(test.url), await anna.dial(test.url)];
  for (const socket of idle) await socket.nonce();
  assert.equal((await (await anna.dial(test.url)).untilClosed()).code, 4012);
  assert.equal(second.closed, undefined);
  await idle[0]!.close();
  await eventually("there is room again", async () => {
    const socket = await anna.dial(test.url);
    await socket.nonce();
    await socket.close();
    return true;
  });
  await idle[1]!.close();
  await second.close();
});

Deno.test("a restart of the server loses no row, and whoever waited proves the same id again", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "rm-server-" });
  const before = await startServer({ dataDir });
  const anna = await Announcer.announced(before);
  const waiting = await anna.wait(before.url);
  await before.stop();
  assert.equal((await waiting.untilClosed()).code, 4000);
  {
    await using test = await startServer({ dataDir, people: false });
    const socket = await anna.wait(test.url);
    assert.ok(test.server.waiting.isConnected(anna.pendingId));
    await socket.close();
  }
  await Deno.remove(dataDir, { recursive: true });
});

Deno.test("100 strangers at once starve neither an honest machine that waits nor its acceptance", async () => {
  await using test = await startServer({ env: { RM_TRUSTED_PROXY: "127.0.0.0/8" } });
  const { repositoryId } = await joinHost(test, "other");
  const anna = await Announcer.announced(test, "pc-anna", "192.0.2.1");
  const socket = await anna.wait(test.url);
  const crowd = await Promise.all(Array.from({ length: 100 }, (_, n) => Announcer.make(`x-${n}`)));
  const answers = await Promise.all(
    crowd.map((each, n) => each.announce(test, {}, `203.0.113.${n % 25}`)),
  );
  assert.equal(answers.filter(({ status }) => status === 200).length, 99);
  const sockets = await Promise.all(
    crowd.filter((each) => each.pendingId).flatMap((each) => [0, 1].map(() => each.dial(test.url))),
  );
  // They hold their sockets without a proof, and answer nonsense.
  for (const [n, each] of sockets.entries()) if (n % 3 === 0) each.send("{bad");
  assert.equal(socket.closed, undefined);
  const again = await anna.wait(test.url);
  const { body } = await test.api("olive", "GET", "/api/pending-hosts?limit=5");
  assert.equal(body.items[0].id, anna.pendingId, "it stands first");
  const accepted = await test.api("alice", "POST", `/api/pending-hosts/${anna.pendingId}/accept`, {
    fingerprint: anna.fingerprint,
    revision: body.items[0].revision,
    repository_id: repositoryId,
  });
  assert.equal(accepted.status, 200);
  assert.equal((await again.next("enrolled")).host_id, accepted.body.host_id);
  await Promise.all(sockets.map((each) => each.close()));
});
