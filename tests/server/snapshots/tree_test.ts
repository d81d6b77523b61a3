// GET /api/snapshots/{id}/tree: which snapshot, who reads it, who may see what, and what agents that are slow, gone or hostile make of it.
import assert from "node:assert/strict";
import { TREE_ENTRIES_LIMIT } from "../../../shared/tree.ts";
import { eventually } from "../../support/eventually.ts";
import { FakeAgent, joinHost } from "../../support/fake_agent.ts";
import { type Person, startServer, type TestServer } from "../../support/start_server.ts";

const ID = "1a2b3c4d".repeat(8);

const end = (snapshot = ID, path = "/", more = {}) =>
  `${JSON.stringify({ snapshot, path, cut: false, left_out: 0, ...more })}\n`;
const entry = (name: unknown, more: Record<number, unknown> = {}) => {
  const line = ["file", name, 5, 1000, 0o644, 0, 0];
  for (const [at, value] of Object.entries(more)) line[Number(at)] = value as never;
  return `${JSON.stringify(line)}\n`;
};

async function list(agent: FakeAgent, repositoryId: string, ids: string[]) {
  await agent.acknowledged(agent.snapshots(repositoryId, ids));
}

/** Two hosts of one repository, alpha with a snapshot. */
async function world() {
  await using stack = new AsyncDisposableStack();
  const test = stack.use(await startServer());
  const alpha = await joinHost(test, "alpha", {}, ["/home"]);
  const beta = await joinHost(test, "beta", { id: alpha.repositoryId });
  const agent = await FakeAgent.connect(test.url, alpha.bearer);
  stack.defer(() => agent.close());
  await list(agent, alpha.repositoryId, [ID]);
  const tree = (query: Record<string, string> = {}, person: Person = "alice", id = ID) =>
    test.api(person, "GET", `/api/snapshots/${id}/tree?${new URLSearchParams(query)}`);
  let opened = 0;
  /** Asks, and lets the agent send this. */
  const asked = async (
    pieces: (string | Uint8Array)[],
    query: Record<string, string> = {},
    id = ID,
  ) => {
    const answer = tree(query, "alice", id);
    const { request, stream_id } = await agent.opened(++opened);
    for (const piece of pieces) if (piece.length > 0) agent.data(stream_id, piece);
    agent.endStream(stream_id);
    return { ...await answer, request };
  };
  return Object.assign(stack.move(), { test, alpha, beta, agent, tree, asked });
}

/** Sends pieces as the stream is given credit; false once the server has cancelled it. */
async function pour(agent: FakeAgent, stream_id: number, pieces: Iterable<string>, credit: number) {
  let [left, counted] = [credit, 0];
  const isCancelled = () =>
    agent.received.some((each) => each.type === "stream.cancel" && each.stream_id === stream_id);
  for (const piece of pieces) {
    await eventually("there is room", () => {
      const given = agent.received.filter((each) =>
        each.type === "stream.credit" && each.stream_id === stream_id
      );
      for (; counted < given.length; counted++) left += (given[counted] as { bytes: number }).bytes;
      return left >= piece.length + 256 || isCancelled();
    }, 30_000);
    if (isCancelled()) return false;
    left -= piece.length + 256;
    agent.data(stream_id, piece);
  }
  return true;
}

function audited(test: TestServer): { detail: string }[] {
  return test.server.database.sqlite
    .prepare("select detail from audit where action = 'snapshot.opened'").all() as never;
}

Deno.test("a folder comes sorted, filtered and by pages, from one look at the agent", async () => {
  await using all = await world();
  const lines = [
    entry("b.txt", { 2: 10, 3: 3000 }),
    entry("A.txt", { 2: 30, 3: null, 4: 0o4755, 5: 7, 6: 8 }),
    entry("c.log", { 2: 20, 3: 2000 }),
    entry("sub", { 0: "folder", 2: null }),
    entry({ bytes: "caf%E9" }, { 0: "folder", 2: null }),
    end(ID, "/srv"),
  ];
  const { status, body, request } = await all.asked(lines, { path: "/srv/" });
  assert.equal(status, 200, JSON.stringify(body));
  assert.deepEqual(request, {
    kind: "tree",
    repository_id: all.alpha.repositoryId,
    snapshot: ID,
    path: "/srv",
  });
  const { items, ...rest } = body;
  assert.deepEqual(rest, {
    next_cursor: null,
    snapshot_id: ID,
    repository_id: all.alpha.repositoryId,
    path: "/srv",
    reader: { id: all.alpha.hostId, name: "alpha", is_source: true },
    reader_host_id: all.alpha.hostId,
    total: 5,
    matching: 5,
    cut: false,
    left_out: 0,
  });
  assert.deepEqual(items[2], {
    name: "A.txt",
    path: "/srv/A.txt",
    type: "file",
    size: 30,
    mtime: null,
    mode: "4755",
    uid: 7,
    gid: 8,
  });
  assert.equal(items[0].path, "bytes:/srv/caf%E9");
  assert.equal(items[0].name_bytes, btoa("caf\xe9"));
  const names = async (query: Record<string, string>) =>
    (await all.tree({ path: "/srv", ...query })).body.items
      .map(({ name }: { name: string }) => name);
  const folders = ["caf\ufffd", "sub"];
  assert.deepEqual(await names({}), [...folders, "A.txt", "b.txt", "c.log"]);
  assert.deepEqual(await names({ order: "desc" }), [
    ...folders.toReversed(),
    "c.log",
    "b.txt",
    "A.txt",
  ]);
  assert.deepEqual(await names({ sort: "size" }), [...folders, "b.txt", "c.log", "A.txt"]);
  assert.deepEqual((await names({ sort: "time" })).slice(2), ["A.txt", "c.log", "b.txt"]);
  assert.deepEqual(await names({ q: "TXT" }), ["A.txt", "b.txt"]);
  const first = await all.tree({ path: "/srv", limit: "2", q: "." });
  assert.deepEqual([first.body.items.length, first.body.matching, first.body.total], [2, 3, 5]);
  const { next_cursor } = first.body;
  assert.deepEqual(await names({ limit: "2", q: ".", cursor: next_cursor }), ["c.log"]);
  assert.equal(all.agent.received.filter(({ type }) => type === "stream.open").length, 1);
  for (
    const [field, value] of Object.entries({ sort: "x", order: "x", limit: "501", cursor: "x" })
  ) {
    const { status, body } = await all.tree({ path: "/srv", [field]: value });
    assert.deepEqual([status, body.error.field], [422, field]);
  }
  const bad = ["srv", "/a/../b", "/.", "bytes:/%2e%2e", "bytes:/%00", "/\0", "bytes:/ü"];
  for (const path of [...bad, "bytes:/%", "/x".repeat(9000)]) {
    const { status, body } = await all.tree({ path });
    assert.deepEqual([status, body.error.field], [422, "path"], path);
  }
  // One entry of the audit for all of that.
  assert.deepEqual(audited(all.test).map(({ detail }) => JSON.parse(detail)), [{
    snapshot: ID,
    host: "alpha",
    path: "/srv",
    read_by: "alpha",
  }]);
});

Deno.test("a snapshot is found by 8 digits of its id; what is more than one says what tells them apart", async () => {
  await using all = await world();
  const near = `1a2b3c4d${"f".repeat(56)}`;
  const gamma = await joinHost(all.test, "gamma");
  const other = await FakeAgent.connect(all.test.url, gamma.bearer);
  await list(other, gamma.repositoryId, [ID]);
  const two = await all.tree({}, "alice", ID.slice(0, 12));
  assert.deepEqual([two.status, two.body.error.field], [409, "repository"]);
  assert.match(two.body.error.message, new RegExp(gamma.repositoryId));
  const one = all.tree({ repository: gamma.repositoryId }, "alice", ID.slice(0, 8));
  const { stream_id, request } = await other.opened(1);
  assert.equal((request as { repository_id: string }).repository_id, gamma.repositoryId);
  other.data(stream_id, end());
  other.endStream(stream_id);
  assert.deepEqual([(await one).status, (await one).body.reader.name], [200, "gamma"]);
  await list(all.agent, all.alpha.repositoryId, [ID, near]);
  const repository = all.alpha.repositoryId;
  const digits = await all.tree({ repository }, "alice", ID.slice(0, 8));
  assert.deepEqual([digits.status, digits.body.error.field], [409, "id"]);
  const none = { "1a2b3c4": 422, zzzzzzzz: 422, "1A2B3C4D": 422, [`${ID}0`]: 422, "00000000": 404 };
  for (const [id, status] of Object.entries({ ...none, "%25%25%25%25%25%25%25%25": 422 })) {
    assert.equal((await all.tree({}, "alice", id)).status, status, id);
  }
  assert.equal((await all.tree({ repository: all.alpha.hostId })).status, 404);
  assert.equal((await all.tree({ repository: "x" })).body.error.field, "repository");
  await other.close();
});

Deno.test("the host itself reads its snapshot, while it is offline another of the repository; nobody is a sentence that says what to do", async () => {
  await using all = await world();
  const beta = await FakeAgent.connect(all.test.url, all.beta.bearer);
  const own = await all.asked([entry("a"), end()]);
  assert.deepEqual([own.body.reader.name, own.body.items.length], ["alpha", 1]);
  const betas = "b".repeat(64);
  await list(beta, all.alpha.repositoryId, [betas]);
  const ofBeta = all.tree({}, "alice", betas);
  await beta.opened(1);
  beta.data(1, end(betas));
  beta.endStream(1);
  assert.deepEqual((await ofBeta).body.reader, {
    id: all.beta.hostId,
    name: "beta",
    is_source: true,
  });
  await all.agent.close();
  await eventually("alpha is offline", () => !all.test.server.agents.isOnline(all.alpha.hostId));
  // What alpha said is not what beta says.
  const by = all.tree();
  const { stream_id } = await beta.opened(2);
  beta.data(stream_id, end());
  beta.endStream(stream_id);
  assert.deepEqual((await by).body.reader, { id: all.beta.hostId, name: "beta", is_source: false });
  assert.deepEqual((await by).body.items, []);
  // One that goes while it reads.
  const broken = all.tree({ path: "/x" });
  await beta.opened(3);
  beta.socket.close();
  assert.deepEqual([(await broken).status, (await broken).body.error.code], [503, "agent_offline"]);
  await eventually("beta is offline", () => !all.test.server.agents.isOnline(all.beta.hostId));
  const none = await all.tree();
  assert.deepEqual([none.status, none.body.error.code], [503, "agent_offline"]);
  assert.match(none.body.error.message, /start the agent on alpha, or on another of the 2 hosts/);
  const old = await FakeAgent.connect(all.test.url, all.beta.bearer, {
    stream_kinds: ["folder"],
  });
  const tooOld = await all.tree();
  assert.deepEqual([tooOld.status, tooOld.body.error.code], [502, "agent_failed"]);
  await old.close();
  // Each snapshot by each reader.
  assert.equal(audited(all.test).length, 3);
});

Deno.test("a host of another repository reads nothing of it, and one in doubt is not asked", async () => {
  await using all = await world();
  const gamma = await joinHost(all.test, "gamma");
  const other = await FakeAgent.connect(all.test.url, gamma.bearer);
  all.test.server.database.sqlite
    .prepare("update hosts set doubted_since = 1 where id in (?, ?)")
    .run(all.alpha.hostId, all.beta.hostId);
  assert.equal((await all.tree()).status, 409);
  assert.ok(!other.received.some(({ type }) => type === "stream.open"));
  await other.close();
});

Deno.test("an operator sees what is below the approved folders and what leads there; a viewer nothing", async () => {
  await using all = await world();
  const names = ({ body }: { body: { items: { name: string }[] } }) =>
    body.items.map(({ name }) => name);
  assert.equal((await all.tree({}, "victor")).status, 403);
  await all.asked([entry("home"), entry("homes"), entry("root"), end()]);
  const root = await all.tree({}, "olive");
  assert.deepEqual([names(root), root.body.total, root.body.matching], [["home"], 1, 1]);
  await all.asked([entry("olive"), entry("alice"), end(ID, "/home")], { path: "/home" });
  assert.equal(names(await all.tree({ path: "/home" }, "olive")).length, 2);
  for (const path of ["/root", "/homes", "/Home", "/home\0", "bytes:/homes", "bytes:/hom%E9"]) {
    const { status, body } = await all.tree({ path }, "olive");
    assert.deepEqual([status, body.error.field], [path.includes("\0") ? 422 : 403, "path"], path);
  }
  // Written byte by byte it is the same folder.
  assert.equal((await all.tree({ path: "bytes:/hom%65" }, "olive")).body.path, "/home");
  await all.test.api("alice", "PATCH", `/api/hosts/${all.alpha.hostId}`, { approved_roots: [] });
  const none = await all.tree({}, "olive");
  assert.deepEqual([none.status, none.body.error.field], [403, "path"]);
  assert.match(none.body.error.message, /none is: an admin does that/);
  // One that no host lists as its own, since another machine made it.
  const foreign = "f".repeat(64);
  all.test.server.database.sqlite.exec(`
    update repositories set listing_report_id = 'r' where id = '${all.alpha.repositoryId}';
    insert into repository_snapshots values ('${all.alpha.repositoryId}', 'r', '${foreign}', 1, '[]',
      '[]', 'gone', 1, 1)`);
  assert.equal((await all.tree({}, "olive", foreign)).status, 403);
  const { status, body } = await all.asked([end(foreign)], {}, foreign);
  assert.deepEqual([status, body.reader.is_source], [200, false]);
});

Deno.test("on Windows approved folders are looked for as restic has them in its trees", async () => {
  await using all = await world();
  all.test.server.database.sqlite
    .prepare(
      `update hosts set os = 'windows', approved_roots = '["D:\\\\Data","\\\\\\\\server\\\\share"]'`,
    )
    .run();
  await all.asked([entry("C"), entry("D"), entry("server"), end()]);
  assert.deepEqual((await all.tree({}, "olive")).body.items.map((e: { name: string }) => e.name), [
    "D",
  ]);
  await all.asked([entry("x"), end(ID, "/D/data")], { path: "/D/data" });
  assert.equal((await all.tree({ path: "/D/data" }, "olive")).status, 200);
  assert.equal((await all.tree({ path: "/D/database" }, "olive")).status, 403);
});

Deno.test("what is no listing is an error of the agent, and nothing of it is shown or kept", async () => {
  await using all = await world();
  for (
    const pieces of [
      [""],
      [entry("a")],
      [end() + entry("a")],
      [end() + end()],
      [end("0".repeat(64))],
      [end(ID, "/etc")],
      [entry("../etc") + end()],
      [entry("..") + end()],
      [entry(".") + end()],
      [entry("") + end()],
      [entry("a\0b") + end()],
      [entry("x".repeat(2000)) + end()],
      [entry({ bytes: "%2F" }) + end()],
      [entry({ bytes: "%2e%2e" }) + end()],
      [entry({ bytes: "<script>" }) + end()],
      [entry("a", { 0: "program" }) + end()],
      [entry("a", { 2: -1 }) + end()],
      [entry("a", { 2: 1e300 }) + end()],
      [entry("a", { 2: "5" }) + end()],
      [entry("a", { 3: 9e15 }) + end()],
      [entry("a", { 4: 0o17777 }) + end()],
      [entry("a", { 5: -1 }) + end()],
      [`["file","a"]\n${end()}`],
      ["{bad\n"],
      [end().trimEnd()],
      [new Uint8Array([0xff, 0xfe])],
      [end(ID, "/", { left_out: -1 })],
    ]
  ) {
    const { status, body } = await all.asked(pieces);
    assert.deepEqual([status, body.error.code], [502, "agent_failed"], String(pieces[0]));
  }
  const good = await all.asked([entry("\u001b[31m\u202e<b>"), end()]);
  assert.equal(good.body.items[0].name, "\u001b[31m\u202e<b>");
  assert.ok(all.test.logged.every((line) => !line.includes("\u001b")));
});

Deno.test("whatever an agent says of a failure, the words are ours and the status fits", async () => {
  await using all = await world();
  let opened = 0;
  for (
    const [code, status, field] of [
      ["not_found", 404, "path"],
      ["not_a_folder", 422, "path"],
      ["no_snapshot", 404, "id"],
      ["no_credential", 502, undefined],
      ["refused_by_machine", 403, undefined],
      ["unreachable", 502, undefined],
      ["busy", 429, undefined],
      ["outside", 502, undefined],
      ["of tomorrow", 502, undefined],
    ] as [string, number, string | undefined][]
  ) {
    const answer = all.tree();
    const { stream_id } = await all.agent.opened(++opened);
    const error = { code, message: "<script>\u001b[2J\nof the agent" };
    all.agent.sendRaw(JSON.stringify({ type: "stream.end", stream_id, error }));
    const { status: got, body } = await answer;
    assert.deepEqual([got, body.error.field], [status, field], code);
    assert.ok(!JSON.stringify(body).includes("script"), code);
  }
});

Deno.test("a million entries, and a line without an end, are cut off while they come", async () => {
  await using all = await world();
  function* entries() {
    for (let n = 0; n < 1000; n++) {
      yield Array.from({ length: 1000 }, (_, i) => `["file","${n * 1000 + i}",5,1,420,0,0]\n`)
        .join("");
      sent += 1000;
    }
  }
  function* letters() {
    for (let n = 0; n < 1000; n++) {
      yield "x".repeat(60_000);
      sent++;
    }
  }
  let sent = 0;
  for (
    const [n, [pieces, most]] of ([[entries, 1.3 * TREE_ENTRIES_LIMIT], [letters, 20]] as const)
      .entries()
  ) {
    sent = 0;
    const answer = all.tree({ path: `/${n}` });
    const { stream_id, credit } = await all.agent.opened(n + 1);
    assert.equal(await pour(all.agent, stream_id, pieces(), credit), false);
    assert.ok(sent < most, `${sent}`);
    assert.equal((await answer).status, 502);
    all.agent.endStream(stream_id, { code: "cancelled", message: "" });
  }
  assert.equal(all.agent.closed, undefined);
});

Deno.test("a folder of 100,000 entries is read, sorted and kept; what is kept is bounded and goes with its repository", async () => {
  await using all = await world();
  const { trees } = all.test.server;
  for (let folder = 0; folder < 3; folder++) {
    const path = `/${folder}`;
    const pieces = Array.from({ length: 200 }, (_, n) =>
      Array.from(
        { length: 500 },
        (_, i) => entry(`name of a file ${n * 500 + i}`, { 2: n * 500 + i }),
      ).join(""));
    const answer = all.tree({ path, sort: "size", order: "desc", limit: "500" });
    const { stream_id, credit } = await all.agent.opened(folder + 1);
    assert.ok(await pour(all.agent, stream_id, [...pieces, end(ID, path)], credit));
    all.agent.endStream(stream_id);
    const { body } = await answer;
    assert.deepEqual([body.total, body.items.length, body.items[0].size], [100_000, 500, 99_999]);
    assert.ok(trees.bytes < 24 * 1_048_576, `${trees.bytes} bytes`);
  }
  const began = performance.now();
  assert.equal((await all.tree({ path: "/2", q: "99999", sort: "time" })).body.matching, 1);
  assert.ok(performance.now() - began < 2000);
  trees.forget(all.alpha.repositoryId);
  assert.equal(trees.bytes, 0);
});

Deno.test("who leaves ends the reading: the agent is told, and the next folder has its turn", async () => {
  await using all = await world();
  const abort = new AbortController();
  const answer = fetch(`${all.test.url}/api/snapshots/${ID}/tree`, {
    headers: { Authorization: `Bearer ${all.test.tokens.alice}` },
    signal: abort.signal,
  });
  const { stream_id } = await all.agent.opened(1);
  const later = all.tree({ path: "/later" });
  abort.abort();
  await assert.rejects(answer);
  await all.agent.next("stream.cancel", (each) => each.stream_id === stream_id);
  const next = await all.agent.opened(2);
  assert.equal((next.request as { path: string }).path, "/later");
  all.agent.data(2, end(ID, "/later"));
  all.agent.endStream(2);
  assert.equal((await later).status, 200);
});
