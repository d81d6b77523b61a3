// Identity is more than a bearer: a copied state that is started elsewhere is noticed, and gets nothing until a person chose.
import assert from "node:assert/strict";
import { join } from "node:path";
import { attack } from "../support/trial.ts";
import { eventually } from "../support/eventually.ts";
import { FakeAgent, joinHost } from "../support/fake_agent.ts";
import { RealPair } from "../support/real_pair.ts";
import { anyRestic } from "../support/restic.ts";
import { startServer, type TestServer } from "../support/start_server.ts";

const A = "a".repeat(32);
const B = "b".repeat(32);
const C = "c".repeat(32);

async function setUp(test: TestServer) {
  const host = await joinHost(test, "alpha");
  const path = `/api/hosts/${host.hostId}`;
  const all: FakeAgent[] = [];
  const dial = async (instance: string | undefined, bearer = host.bearer) => {
    const agent = await FakeAgent.dial(test.url, bearer);
    agent.hello(instance ? { instance } : {});
    all.push(agent);
    // One after the other: what came first is what the test is about.
    await eventually(
      "it is answered or closed",
      () => agent.received.length > 0 || agent.closed !== undefined,
    );
    return agent;
  };
  const closeAll = async () => {
    for (const agent of all) await agent.close();
  };
  const doubt = async () => (await test.api("victor", "GET", path)).body.doubted_since !== null;
  const machines = async () => (await test.api("olive", "GET", `${path}/instances`)).body.items;
  const choose = (instance_id: string, person: "alice" | "olive" = "alice") =>
    test.api(person, "POST", `${path}/instances/choose`, { instance_id });
  return { host, path, dial, doubt, machines, choose, closeAll };
}

/** It is the host's connection now: its doubt is told a moment before. */
async function isConnected(agent: FakeAgent): Promise<void> {
  agent.send({ type: "heartbeat" });
  await agent.next("report.ack");
}

/** Everything that the server tells an agent in the clear. */
const secretsIn = (agent: FakeAgent) =>
  agent.received.filter(({ type }) =>
    type === "config.update" || type === "plan.set" || type === "command.run"
  ).length;

attack({
  id: "promise 3",
  promise:
    "two machines with one identity are noticed, and neither gets a secret until a person chose",
  done:
    "a thief starts a copy; the machine comes back; both connect in turns; an operator tries to choose; an admin chooses; then both and a restarted thief come again",
  expected:
    "alarm, audit and no secret from the third hello on; the chosen one gets a new bearer, the other 4001, and the old bearer opens nothing",
}, async (see) => {
  await using test = await startServer();
  const { host, path, dial, doubt, machines, choose, closeAll } = await setUp(test);
  await test.api("alice", "PUT", `/api/repositories/${host.repositoryId}/maintenance`, {
    host_ids: [host.hostId],
  });
  const first = await dial(A);
  await first.next("plan.set");
  const thief = await dial(B);
  await thief.next("plan.set");
  assert.equal(await doubt(), false, "an update or a rebuilt container looks like this");
  const back = await dial(A);
  await back.next("error", ({ message }) => message.startsWith("Two machines"));
  assert.equal(await doubt(), true);
  const again = await dial(B);
  await again.next("error", ({ message }) => message.startsWith("Two machines"));
  assert.deepEqual([secretsIn(back), secretsIn(again)], [0, 0]);
  // What would push or order something reaches neither.
  await test.api("alice", "PATCH", path, { time_zone: "Europe/Berlin" });
  const run = await test.api("alice", "POST", `${path}/jobs`, { kind: "backup" });
  assert.deepEqual([run.status, /Two machines/.test(run.body.error.message)], [409, true]);
  const check = await test.api("alice", "POST", `/api/repositories/${host.repositoryId}/jobs`, {
    kind: "check",
  });
  assert.equal(check.status, 503);
  again.send({ type: "heartbeat" });
  await again.next("report.ack");
  assert.equal(secretsIn(again), 0);
  const { body: shown } = await test.api("victor", "GET", path);
  see(`host: ${shown.state}, ${shown.problems[0]}`);
  assert.deepEqual([shown.state, /two machines/.test(shown.problems[0])], ["bad", true]);
  const summary = (await test.api("victor", "GET", "/api/fleet/summary")).body;
  assert.equal(summary.worst[0].id, host.hostId);
  const audit = await test.api("alice", "GET", "/api/audit?action=host.identity_doubted");
  assert.equal(audit.body.items.length, 1);
  const { hosts: named } =
    (await test.api("olive", "GET", `/api/repositories/${host.repositoryId}/maintenance`)).body;
  assert.notEqual(named[0].waits_since, null, "the admin credential waits as well");

  const both = await machines();
  assert.equal(both.length, 2);
  assert.ok(!JSON.stringify(both).includes(A) && !JSON.stringify(both).includes(B));
  const right = both.find(({ connected }: { connected: boolean }) => !connected).id;
  assert.equal((await choose(right, "olive")).status, 403);
  assert.equal((await choose("0".repeat(16))).status, 422);
  assert.equal((await choose(right)).status, 200);
  const closed = await again.untilClosed();
  see(`the other: ${closed.code} ${closed.reason}`);
  assert.equal(closed.code, 4001);
  const refused = await dial(B);
  assert.equal((await refused.untilClosed()).code, 4001);
  const chosen = await dial(A);
  const { bearer } = await chosen.next("bearer.set");
  assert.equal(secretsIn(chosen), 0, "not before it comes with the new one");
  const settled = await dial(A, bearer);
  await settled.next("plan.set");
  assert.equal(await doubt(), false);
  await assert.rejects(FakeAgent.dial(test.url, host.bearer), "the old bearer opens nothing");
  see("the chosen one has its plan by the new bearer; the old bearer is refused");
  assert.equal((await machines()).length, 0);
  await closeAll();
});

attack({
  id: "promise 3",
  promise:
    "restarts, updates and rebuilt containers are no second machine; clones of what runs are",
  done:
    "ten starts one after another, reconnects of each; a start that does not say which; one process that was copied with its memory, so that both say the same id",
  expected:
    "no doubt for the first; doubt for the machine that comes back after one that said nothing, and for the copy",
}, async (see) => {
  await using test = await startServer({ env: { RM_HANDSHAKES_PER_MINUTE: "1000" } });
  const { dial, doubt, choose, machines, closeAll } = await setUp(test);
  for (let n = 0; n < 10; n++) {
    for (let again = 0; again < 3; again++) {
      const agent = await dial(String(n).repeat(32));
      await agent.next("plan.set");
      await agent.close();
    }
  }
  assert.equal(await doubt(), false);
  see("10 starts with 3 connections each: no doubt");
  const silent = await dial(undefined);
  await silent.next("plan.set");
  const back = await dial("9".repeat(32));
  await back.next("error");
  await isConnected(back);
  assert.equal(await doubt(), true);
  see("one that came back after one that did not say its id: doubt");
  await choose((await machines()).find(({ connected }: { connected: boolean }) => connected).id);
  const { bearer } = await back.next("bearer.set");
  let last = await dial(C, bearer);
  await last.next("plan.set");
  let fights = 0;
  while (!await doubt() && fights < 20) {
    last = await dial(C, bearer);
    const agent = last;
    await eventually("it is answered", () => agent.received.length > 0);
    fights++;
  }
  see(`one id on two live machines: doubt after ${fights} take-overs`);
  assert.ok(fights > 1 && fights < 10);
  await closeAll();
});

attack({
  id: "promise 3",
  promise:
    "the choice between two machines holds, and nobody can undo it, hide from it or shut the other out",
  done:
    "the right one is chosen twice, with its answer lost in between; a thief starts again and again, before and after the choice; he keeps a socket of before; an admin names the host while it is in doubt; a host in doubt joins again",
  expected:
    "the bearer that was given works, the right one stays on the list, the choice stays, the admin credential waits, the token takes the host back",
}, async (see) => {
  await using test = await startServer({ env: { RM_HANDSHAKES_PER_MINUTE: "1000" } });
  const { host, path, dial, doubt, machines, choose, closeAll } = await setUp(test);
  const maintenance = `/api/repositories/${host.repositoryId}/maintenance`;
  const name = () => test.api("alice", "PUT", maintenance, { host_ids: [host.hostId] });
  await name();
  const open = [await dial(A), await dial(B)];
  const first = await dial(A);
  await first.next("error");
  await isConnected(first);
  open.push(first);
  const right = (await machines()).find(({ connected }: { connected: boolean }) => connected).id;
  assert.equal((await name()).status, 200);
  const waits = async () =>
    (await test.api("alice", "GET", maintenance)).body.hosts[0].waits_since !== null;
  assert.ok(await waits(), "naming a host in doubt is no word for either machine");
  for (let n = 0; n < 12; n++) open.push(await dial(n.toString(16).repeat(32).slice(0, 31) + "e"));
  await open.at(-1)!.next("error");
  const listed = (await machines()).map(({ id }: { id: string }) => id);
  assert.ok(listed.includes(right), "twelve starts push it off no list");
  assert.equal((await choose(right)).status, 200);
  const restarted = await dial("f".repeat(32));
  await restarted.next("error");
  open.push(restarted);
  const chosen = await dial(A);
  const { bearer } = await chosen.next("bearer.set");
  open.push(chosen);
  assert.equal((await choose(right)).status, 200, "said twice");
  see("12 starts of a thief, one after the choice, and a second click: the choice stands");
  const early = await FakeAgent.dial(test.url, host.bearer);
  const settled = await dial(A, bearer);
  await settled.next("plan.set");
  assert.equal(await doubt(), false);
  assert.ok(await waits(), "its bearer was made anew");
  early.hello({ instance: C });
  await early.untilClosed();
  const again = await dial(A, bearer);
  await again.next("plan.set");
  see("a socket of before, opened by the old bearer, raises no doubt");
  assert.equal(await doubt(), false);
  open.push(settled, again);

  const copy = await dial(B, bearer);
  await copy.next("plan.set");
  const back = await dial(A, bearer);
  await back.next("error");
  assert.equal(await doubt(), true);
  const { token } = (await test.api("alice", "POST", `${path}/rejoin-token`)).body;
  const machine = { os: "linux", arch: "x86_64", agent_version: "0.1.0", hostname: "alpha" };
  const rejoined = await test.api(null, "POST", "/api/agents/enroll", { token, ...machine });
  see(`a host in doubt joins again while one is connected: ${rejoined.status}`);
  assert.equal(rejoined.status, 200);
  assert.equal((await back.untilClosed()).code, 4001);
  assert.equal(await doubt(), false);
  open.push(copy, back);
  await closeAll();
});

attack({
  id: "promise 3",
  promise: "two real agents with one state go on backing up; the chosen one stores its new bearer",
  done: "the folders of a host's agent are copied and a second agent is started on the copy",
  expected:
    "doubt; the chosen one works on with a new bearer in its agent.yaml, also after a restart",
}, async (see) => {
  await using pair = await RealPair.start();
  const restic = anyRestic()!;
  const source = join(pair.folder, "data");
  await Deno.mkdir(source);
  await Deno.writeTextFile(join(source, "file"), "data");
  const host = await pair.join("alpha", {
    restic: restic.path,
    repository: { url: join(pair.folder, "repository") },
    paths: [source],
  });
  assert.equal((await pair.backup(host)).status, "succeeded");
  const from = join(pair.folder, "alpha");
  const copy = { ...host, name: "copy", logged: [] as string[] };
  await copyFolder(from, join(pair.folder, "copy"));
  pair.open(copy, { restic: restic.path });
  pair.hosts.push(copy);
  const path = `/api/hosts/${host.hostId}`;
  await eventually(
    "it is noticed",
    async () => (await pair.api("GET", path)).doubted_since !== null,
  );
  const { items } = await pair.api("GET", `${path}/instances`);
  assert.equal(items.length, 2);
  await pair.api("POST", `${path}/instances/choose`, { instance_id: items[0].id });
  await eventually(
    "it is settled",
    async () => (await pair.api("GET", path)).doubted_since === null,
  );
  const bearers = await Promise.all(["alpha", "copy"].map(async (name) =>
    /^bearer: (.*)$/m.exec(
      await Deno.readTextFile(join(pair.folder, name, "config", "agent.yaml")).catch(() => ""),
    )?.[1]
  ));
  const stored = bearers.filter((bearer) => bearer && bearer !== host.bearer);
  see(`new bearers stored: ${stored.length}`);
  assert.equal(stored.length, 1);
  await eventually("it is online", async () => (await pair.api("GET", path)).online);
  assert.equal((await pair.backup(host)).status, "succeeded");
});

async function copyFolder(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const entry of Deno.readDir(from)) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory) await copyFolder(source, target);
    else if (entry.isFile) await Deno.copyFile(source, target);
  }
}
