import assert from "node:assert/strict";
import { sweepPendingHosts } from "../../../server/pending_hosts/sweep.ts";
import { FakeAgent, joinHost } from "../../support/fake_agent.ts";
import { Announcer } from "../../support/fake_announcer.ts";
import { startServer, type TestServer } from "../../support/start_server.ts";

const REPOSITORY = {
  name: "one",
  url: "/srv/one",
  password: "the repository's password",
  is_new: true,
};

function accept(test: TestServer, stranger: Announcer, more: Record<string, unknown> = {}) {
  return test.api("alice", "POST", `/api/pending-hosts/${stranger.pendingId}/accept`, {
    fingerprint: stranger.fingerprint,
    repository: REPOSITORY,
    ...more,
  });
}

async function actions(test: TestServer): Promise<string[]> {
  const { body } = await test.api("alice", "GET", "/api/audit?limit=500");
  return body.items.map((each: { action: string }) => each.action);
}

Deno.test("accepting makes the host and hands the bearer down the open socket, which closes cleanly", async () => {
  await using test = await startServer();
  const anna = await Announcer.announced(test);
  const socket = await anna.wait(test.url);
  const { status, body } = await accept(test, anna, {
    name: "anna",
    tags: ["berlin"],
    initial_paths: ["/home"],
  });
  assert.equal(status, 200, JSON.stringify(body));
  assert.equal(body.repository_password, undefined);
  const enrolled = await socket.next("enrolled");
  assert.deepEqual([enrolled.host_id, enrolled.name], [body.host_id, "anna"]);
  assert.deepEqual(await socket.untilClosed(), { code: 1000, reason: "enrolled" });
  const agent = await FakeAgent.connect(test.url, enrolled.bearer);
  const config = await agent.next("config.update");
  assert.equal(config.repository!.password, REPOSITORY.password);
  await agent.close();
  const host = (await test.api("victor", "GET", `/api/hosts/${body.host_id}`)).body;
  assert.deepEqual([host.name, host.os, host.tags], ["anna", "linux", ["berlin"]]);
  const groups = await test.api("olive", "GET", `/api/hosts/${body.host_id}/source-groups`);
  assert.deepEqual(groups.body.items[0].includes, ["/home"]);
  assert.equal((await test.api("olive", "GET", "/api/pending-hosts")).body.items.length, 0);
  const done = await actions(test);
  assert.ok(done.includes("pending_host.accepted") && done.includes("host.enrolled"));
});

Deno.test("until it is handed over no bearer exists, and nothing unsealed waits in the database", async () => {
  await using test = await startServer();
  const anna = await Announcer.announced(test);
  assert.equal((await accept(test, anna)).status, 200);
  await test.server.database.flush();
  const decoder = new TextDecoder("latin1");
  for (const name of ["restic-manager.db", "restic-manager.db-wal"]) {
    const text = decoder.decode(await Deno.readFile(`${test.dataDir}/${name}`));
    assert.ok(!text.includes("rma_"), name);
    assert.ok(!text.includes(REPOSITORY.password), name);
  }
  const socket = await anna.dial(test.url);
  socket.send(await anna.proof(await socket.nonce(), test.url));
  const { bearer } = await socket.next("enrolled");
  assert.match(bearer, /^rma_/);
  const text = decoder.decode(await Deno.readFile(`${test.dataDir}/restic-manager.db-wal`));
  assert.ok(!text.includes(bearer));
});

Deno.test("a hand-over that got lost is repeated until the host has connected, also after a new announcement", async () => {
  await using test = await startServer();
  const anna = await Announcer.announced(test);
  const pendingId = anna.pendingId;
  const { body } = await accept(test, anna);
  const first = await anna.wait(test.url);
  const lost = await first.next("enrolled");
  // It was killed before it could store the answer, and starts again.
  assert.equal((await anna.announce(test)).body.pending_id, pendingId);
  const second = await anna.wait(test.url);
  const kept = await second.next("enrolled");
  assert.equal(kept.host_id, body.host_id);
  await assert.rejects(FakeAgent.dial(test.url, lost.bearer));
  const begun = await anna.dial(test.url);
  const nonce = await begun.nonce();
  const agent = await FakeAgent.connect(test.url, kept.bearer);
  // Begun before the host connected, proven afterwards: the bearer in use stays the one.
  begun.send(await anna.proof(nonce, test.url));
  assert.equal((await begun.untilClosed()).code, 4010);
  await agent.close();
  await (await FakeAgent.connect(test.url, kept.bearer)).close();
  // From now on the key opens nothing: announced again, it is a stranger like any other.
  const late = await anna.dial(test.url);
  assert.equal((await late.untilClosed()).code, 4010);
  const again = await anna.announce(test);
  assert.notEqual(again.body.pending_id, pendingId);
  assert.equal(again.body.hostname_collision, true);
});

Deno.test("a disk that fails at the hand-over costs neither the generated password nor the host", async () => {
  await using test = await startServer();
  const anna = await Announcer.announced(test);
  const socket = await anna.wait(test.url);
  const { database } = test.server;
  const flush = database.flush;
  database.flush = () => Promise.reject(new Error("fsync: Input/output error"));
  const { status, body } = await accept(test, anna, {
    repository: { name: "one", url: "/srv/one", is_new: true },
  });
  database.flush = flush;
  assert.equal(status, 200, JSON.stringify(body));
  assert.match(body.repository_password, /.{20}/);
  assert.equal((await socket.untilClosed()).code, 4000);
  const { host_id, bearer } = await (await anna.wait(test.url)).next("enrolled");
  assert.equal(host_id, body.host_id);
  await (await FakeAgent.connect(test.url, bearer)).close();
});

Deno.test("a host that connects while its key is being answered keeps the bearer that it connected with", async () => {
  await using test = await startServer();
  const anna = await Announcer.announced(test);
  const { body } = await accept(test, anna);
  const first = await anna.wait(test.url);
  const { bearer } = await first.next("enrolled");
  const { waiting, db } = test.server;
  const take = waiting.take.bind(waiting);
  let greeted: Promise<unknown> | undefined;
  waiting.take = (id) => {
    // Between the look whether it has ever connected and the new bearer.
    greeted = db.updateTable("hosts").set({ awaits_agent: 0 }).where("id", "=", body.host_id)
      .execute();
    return take(id);
  };
  const second = await anna.wait(test.url);
  assert.equal((await second.untilClosed()).code, 4010);
  await greeted;
  assert.deepEqual(second.received.map(({ type }) => type), ["nonce", "waiting"]);
  await (await FakeAgent.connect(test.url, bearer)).close();
});

Deno.test("of two who accept at once one makes the host and the other hears of a conflict; later too", async () => {
  await using test = await startServer();
  const anna = await Announcer.announced(test);
  const answers = await Promise.all(
    ["a", "b", "c"].map((name) =>
      accept(test, anna, { name, repository: { ...REPOSITORY, name } })
    ),
  );
  assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 409, 409]);
  assert.equal((await test.api("victor", "GET", "/api/hosts")).body.items.length, 1);
  assert.equal((await test.api("olive", "GET", "/api/repositories")).body.items.length, 1);
  const later = await accept(test, anna, { name: "d" });
  assert.equal(later.status, 409);
  assert.match(later.body.error.message, /accepted already, as [abc]\./);
});

Deno.test("accepting is bound to the fingerprint that was seen, in groups or not", async () => {
  await using test = await startServer();
  const anna = await Announcer.announced(test);
  const other = await Announcer.announced(test, "other");
  const wrong = await accept(test, anna, { fingerprint: other.fingerprint });
  assert.deepEqual([wrong.status, wrong.body.error.field], [409, "fingerprint"]);
  assert.equal(
    (await accept(test, anna, { fingerprint: undefined })).body.error.field,
    "fingerprint",
  );
  assert.equal((await test.api("olive", "GET", "/api/pending-hosts")).body.items.length, 2);
  assert.equal((await test.api("olive", "GET", "/api/repositories")).body.items.length, 0);
  const groups = `SHA256:${anna.fingerprint.slice(7).toUpperCase().replace(/(.{4})/g, "$1 ")}`;
  assert.equal((await accept(test, anna, { fingerprint: groups })).status, 200);
});

Deno.test("what is wrong with an acceptance is told by the field's name, and the machine waits on", async (t) => {
  await using test = await startServer();
  const { repositoryId } = await joinHost(test, "taken");
  const anna = await Announcer.announced(test);
  const cases: [string, Record<string, unknown>, number, string | undefined][] = [
    ["a taken name", { name: "taken" }, 409, "name"],
    ["a name that is an option", { name: "-x" }, 422, "name"],
    ["a relative path", { initial_paths: ["home"] }, 422, "initial_paths.0"],
    ["no repository", { repository: undefined }, 422, "repository_id"],
    ["two repositories", { repository_id: repositoryId }, 422, "repository_id"],
    [
      "a repository that is not there",
      {
        repository: undefined,
        repository_id: anna.pendingId,
      },
      404,
      undefined,
    ],
    [
      "a taken repository name",
      {
        repository: { ...REPOSITORY, name: "taken repository" },
      },
      409,
      "repository.name",
    ],
    [
      "a known repository without its password",
      {
        repository: { ...REPOSITORY, is_new: false, password: null },
      },
      422,
      "repository.password",
    ],
    [
      "a URL that is code",
      {
        repository: { ...REPOSITORY, url: "sftp:-oProxyCommand=id:/x" },
      },
      422,
      "repository.url",
    ],
    ["an unknown field", { colour: "red" }, 422, "colour"],
  ];
  for (const [what, more, status, field] of cases) {
    await t.step(what, async () => {
      const answer = await accept(test, anna, more);
      assert.equal(answer.status, status, JSON.stringify(answer.body));
      assert.equal(answer.body.error.field, field);
    });
  }
  assert.equal((await test.api("olive", "GET", "/api/pending-hosts")).body.items.length, 1);
  assert.equal((await test.api("olive", "GET", "/api/repositories")).body.items.length, 1);
  const good = await accept(test, anna, { repository: undefined, repository_id: repositoryId });
  assert.equal(good.status, 200);
  const host = (await test.api("victor", "GET", `/api/hosts/${good.body.host_id}`)).body;
  assert.equal(host.name, "pc-anna", "without a name its own");
});

Deno.test("a password that the server made is answered once", async () => {
  await using test = await startServer();
  const anna = await Announcer.announced(test);
  const { body } = await accept(test, anna, { repository: { ...REPOSITORY, password: undefined } });
  assert.match(body.repository_password, /^[a-z2-9]{5}(-[a-z2-9]{5}){4}$/);
});

Deno.test("rejecting removes the row, closes the socket with 4001, and keeps the key away for a day", async () => {
  await using test = await startServer();
  const anna = await Announcer.announced(test);
  const socket = await anna.wait(test.url);
  const path = `/api/pending-hosts/${anna.pendingId}`;
  assert.equal((await test.api("alice", "POST", `${path}/reject`)).status, 204);
  assert.deepEqual(await socket.untilClosed(), { code: 4001, reason: "rejected" });
  assert.equal((await test.api("alice", "POST", `${path}/reject`)).status, 404);
  assert.equal((await accept(test, anna)).status, 404);
  const refused = await anna.announce(test);
  assert.deepEqual([refused.status, refused.body.error.code], [403, "rejected"]);
  assert.ok((await actions(test)).includes("pending_host.rejected"));
  test.clock.passUntil(86_400_000 - 5000);
  await sweepPendingHosts(test.server);
  assert.equal((await anna.announce(test)).status, 403);
  test.clock.passUntil(86_400_000 + 5000);
  assert.equal((await anna.announce(test)).status, 200);
  await sweepPendingHosts(test.server);
  assert.equal((await test.api("olive", "GET", "/api/rejected-keys")).body.items.length, 0);
});

Deno.test("a rejection survives a restart, and an admin may lift it", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "rm-server-" });
  const anna = await Announcer.make();
  {
    await using test = await startServer({ dataDir });
    await anna.announce(test);
    await test.api("alice", "POST", `/api/pending-hosts/${anna.pendingId}/reject`);
  }
  {
    await using test = await startServer({ dataDir, people: false });
    assert.equal((await anna.announce(test)).status, 403);
  }
  await Deno.remove(dataDir, { recursive: true });

  await using test = await startServer();
  await anna.announce(test);
  await test.api("alice", "POST", `/api/pending-hosts/${anna.pendingId}/reject`);
  const [row] = (await test.api("olive", "GET", "/api/rejected-keys")).body.items;
  assert.deepEqual([row.fingerprint, row.hostname, row.rejected_by], [
    anna.fingerprint,
    "pc-anna",
    "alice",
  ]);
  assert.equal((await test.api("olive", "DELETE", `/api/rejected-keys/${row.id}`)).status, 403);
  assert.equal((await test.api("alice", "DELETE", `/api/rejected-keys/${row.id}`)).status, 204);
  assert.equal((await test.api("alice", "DELETE", `/api/rejected-keys/${row.id}`)).status, 404);
  assert.equal((await anna.announce(test)).status, 200);
  assert.ok((await actions(test)).includes("rejected_key.allowed"));
});

Deno.test("a host that is removed before its agent came back takes its acceptance with it", async () => {
  await using test = await startServer();
  const anna = await Announcer.announced(test);
  const { body } = await accept(test, anna);
  await test.api("alice", "DELETE", `/api/hosts/${body.host_id}`);
  const socket = await anna.dial(test.url);
  assert.equal((await socket.untilClosed()).code, 4010);
  assert.equal((await anna.announce(test)).status, 200);
  assert.equal((await test.api("olive", "GET", "/api/pending-hosts")).body.items.length, 1);
});
