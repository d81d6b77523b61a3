// GET /api/hosts/{id}/folders: who may see what of a host, and what agents that are slow, gone or hostile make of it.
import type { Hello } from "../../../shared/protocol.ts";
import assert from "node:assert/strict";
import { join } from "node:path";
import { NO_BRAKE } from "../../../agent/brake/brake.ts";
import { FOLDER_ENTRIES_LIMIT } from "../../../shared/folder.ts";
import { eventually } from "../../support/eventually.ts";
import { FakeAgent, joinHost } from "../../support/fake_agent.ts";
import { FakeRestic } from "../../support/fake_restic.ts";
import { RealPair } from "../../support/real_pair.ts";
import { type Person, startServer } from "../../support/start_server.ts";

async function fake(os = "linux") {
  await using stack = new AsyncDisposableStack();
  const test = stack.use(await startServer());
  const host = await joinHost(test, "alpha");
  const agent = await FakeAgent.connect(test.url, host.bearer, { os });
  stack.defer(() => agent.close());
  const list = (path: string | undefined, person: Person | null = "alice") => {
    const query = path === undefined ? "" : `?${new URLSearchParams({ path })}`;
    return test.api(person, "GET", `/api/hosts/${host.hostId}/folders${query}`);
  };
  const approve = async (...approved_roots: string[]) => {
    const { status } = await test.api("alice", "PATCH", `/api/hosts/${host.hostId}`, {
      approved_roots,
    });
    assert.equal(status, 200);
  };
  let opened = 0;
  /** Asks, and lets the agent send this. */
  const asked = async (path: string, send: (id: number) => void, person: Person = "alice") => {
    const answer = list(path, person);
    const { request, stream_id } = await agent.opened(++opened);
    send(stream_id);
    return { ...await answer, request };
  };
  return Object.assign(stack.move(), { test, host, agent, list, approve, asked });
}

const LAST = '{"cut":false,"not_text":0}\n';

Deno.test("the real agent lists a real folder for an admin, for an operator below what is approved, and never beyond a link", async () => {
  await using pair = await RealPair.start();
  const restic = new FakeRestic(pair.folder, { verbs: { cat: "echo '{}'" } });
  const data = join(pair.folder, "data");
  Deno.mkdirSync(join(data, "mine", "sub"), { recursive: true });
  Deno.mkdirSync(join(data, "yours"));
  Deno.writeTextFileSync(join(data, "mine", "a file"), "x");
  Deno.symlinkSync(join(data, "yours"), join(data, "mine", "link"));
  const host = await pair.join("alpha", {
    restic: restic.path,
    repository: { url: join(pair.folder, "repository") },
    paths: [data],
    brake: { ...NO_BRAKE, roots: [data] },
  });
  const path = `/api/hosts/${host.hostId}`;
  const list = (person: Person, folder: string) =>
    pair.test.api(person, "GET", `${path}/folders?${new URLSearchParams({ path: folder })}`);
  const mine = join(data, "mine");
  const all = await list("alice", mine);
  assert.deepEqual([all.status, all.body], [200, {
    path: mine,
    cut: false,
    not_text: 0,
    items: [
      { type: "folder", name: "sub" },
      { type: "file", name: "a file" },
      { type: "link", name: "link" },
    ],
    next_cursor: null,
  }]);
  assert.equal((await list("victor", mine)).status, 403);
  await pair.api("PATCH", path, { approved_roots: [] });
  const unapproved = await list("olive", mine);
  assert.deepEqual([unapproved.status, unapproved.body.error.field], [403, "path"]);
  await pair.api("PATCH", path, { approved_roots: [mine] });
  assert.equal((await list("olive", mine)).body.items.length, 3);
  assert.equal((await list("olive", join(mine, "sub"))).status, 200);
  for (const folder of [data, `${mine}s`, join(mine, "link", "x"), `${mine}/sub/../../yours`]) {
    const { status } = await list("olive", folder);
    assert.ok([403, 422].includes(status), `${folder}: ${status}`);
  }
  // What the link leads to, by a folder below it that is there.
  Deno.mkdirSync(join(data, "yours", "secret"));
  const through = await list("olive", join(mine, "link", "secret"));
  assert.deepEqual([through.status, through.body.error.code], [403, "forbidden"]);
  assert.match(through.body.error.message, /a link in .* leads elsewhere/);
  const codes = async (folder: string) => {
    const { status, body } = await list("alice", folder);
    return [status, body.error.code, body.error.field];
  };
  assert.deepEqual(await codes(join(mine, "none")), [404, "not_found", "path"]);
  assert.deepEqual(await codes(join(mine, "a file")), [422, "invalid", "path"]);
  assert.deepEqual(await codes(join(mine, "link")), [422, "invalid", "path"]);
  // The machine's owner has the last word.
  assert.deepEqual(await codes("/etc"), [403, "forbidden", "path"]);
  await host.agent.stop();
  await eventually("it is offline", () => !pair.test.server.agents.isOnline(host.hostId));
  assert.deepEqual(await codes(mine), [503, "agent_offline", undefined]);
});

Deno.test("paths that are none of the host's are refused before its agent is asked", async () => {
  for (
    const [os, bad, good] of [
      ["linux", [
        "home",
        "",
        "C:\\Users",
        "\\\\server\\share",
        "/a/../b",
        "/a\nb",
        `/${"x".repeat(5000)}`,
      ], "/"],
      ["windows", [
        "/home",
        "C:",
        "C:Users",
        "\\Users",
        "\\\\?\\C:\\Users",
        "\\\\.\\C:\\",
        "C:\\a\\..\\b",
        "C:/a/../b",
      ], "C:/Users"],
    ] as [string, string[], string][]
  ) {
    await using all = await fake(os);
    for (const path of bad) {
      const { status, body } = await all.list(path);
      assert.deepEqual([status, body.error.field], [422, "path"], `${os} ${path}`);
    }
    const without = await all.list(undefined);
    assert.deepEqual([without.status, without.body.error.message], [422, "path is required."]);
    assert.ok(!all.agent.received.some(({ type }) => type === "stream.open"));
    const { status, request } = await all.asked(good, (id) => {
      all.agent.data(id, LAST);
      all.agent.endStream(id);
    });
    assert.deepEqual([status, request], [200, { kind: "folder", path: good, within: null }]);
  }
});

Deno.test("an operator's folders are those that were approved, by the host's own way of writing", async () => {
  await using all = await fake("windows");
  await all.approve("D:\\Data");
  for (const path of ["C:\\", "D:\\", "D:\\Database", "D:\\Data.\\x", "\\\\server\\share"]) {
    const { status, body } = await all.list(path, "olive");
    assert.deepEqual([status, body.error?.field], [403, "path"], path);
  }
  const { status, request } = await all.asked("d:/data/Sub", (id) => {
    all.agent.data(id, `["folder","x"]\n${LAST}`);
    all.agent.endStream(id);
  }, "olive");
  assert.equal(status, 200);
  assert.deepEqual(request, { kind: "folder", path: "d:/data/Sub", within: ["D:\\Data"] });
});

Deno.test("one folder of a host at a time; one whose reader went away makes room at once", async () => {
  await using all = await fake();
  const abort = new AbortController();
  const url = `${all.test.url}/api/hosts/${all.host.hostId}/folders?path=/`;
  const headers = { Authorization: `Bearer ${all.test.tokens.alice}` };
  const first = fetch(url, { headers, signal: abort.signal });
  await all.agent.opened(1);
  const second = await all.list("/home");
  assert.deepEqual([second.status, second.body.error.code], [429, "too_many"]);
  assert.ok(Number(second.headers.get("retry-after")) > 0);
  abort.abort();
  await assert.rejects(first);
  await all.agent.next("stream.cancel", ({ stream_id }) => stream_id === 1);
  const third = all.list("/home");
  await all.agent.opened(2);
  all.agent.data(2, LAST);
  all.agent.endStream(2);
  assert.equal((await third).status, 200);
});

Deno.test("an agent that never ends anything is not asked without an end, and said to hang", async () => {
  await using all = await fake();
  for (let n = 1; n <= 4; n++) {
    const abort = new AbortController();
    const url = `${all.test.url}/api/hosts/${all.host.hostId}/folders?path=/`;
    const headers = { Authorization: `Bearer ${all.test.tokens.alice}` };
    const answer = fetch(url, { headers, signal: abort.signal });
    await all.agent.opened(n);
    abort.abort();
    await assert.rejects(answer);
    await all.agent.next("stream.cancel", ({ stream_id }) => stream_id === n);
  }
  const { status, body } = await all.list("/");
  assert.equal(status, 429);
  assert.match(body.error.message, /has not ended what it was asked before/);
  assert.equal(all.agent.closed, undefined);
});

Deno.test("whatever an agent says of a failure, the words are ours and the status fits", async () => {
  await using all = await fake();
  const evil = "<script>\u001b[2J\nof the agent";
  for (
    const [code, status, field] of [
      ["not_found", 404, "path"],
      ["not_a_folder", 422, "path"],
      ["is_link", 422, "path"],
      ["not_absolute", 422, "path"],
      ["access_denied", 422, "path"],
      ["outside", 403, "path"],
      ["refused_by_machine", 403, "path"],
      ["busy", 429, undefined],
      ["unsupported", 502, undefined],
      ["failed", 502, undefined],
      ["of tomorrow", 502, undefined],
    ] as [string, number, string | undefined][]
  ) {
    const answer = await all.asked("/srv", (stream_id) => {
      const error = { code, message: evil };
      all.agent.sendRaw(JSON.stringify({ type: "stream.end", stream_id, error }));
    });
    assert.deepEqual([answer.status, answer.body.error.field], [status, field], code);
    assert.ok(!JSON.stringify(answer.body).includes("script"), code);
  }
  assert.ok(all.test.logged.some((line) => line.includes("of the agent")));
  assert.ok(all.test.logged.every((line) => !line.includes("\u001b")));
});

Deno.test("what is no listing is an error of the agent, and nothing of it is shown", async () => {
  await using all = await fake();
  const wide = new Uint8Array(65_536).fill(32);
  for (
    const pieces of [
      [""],
      ['["folder","a"]\n'],
      [`${LAST}["folder","a"]\n`],
      [`["folder","../etc"]\n${LAST}`],
      [`["folder",".."]\n${LAST}`],
      [`["folder",""]\n${LAST}`],
      [`["socket","a"]\n${LAST}`],
      [`["file","${"x".repeat(2000)}"]\n${LAST}`],
      ["{bad\n"],
      [new Uint8Array([0xff, 0xfe])],
    ]
  ) {
    const { status, body } = await all.asked("/srv", (id) => {
      for (const piece of pieces) if (piece.length > 0) all.agent.data(id, piece);
      all.agent.endStream(id);
    });
    assert.deepEqual([status, body.error.code], [502, "agent_failed"], String(pieces[0]));
  }
  // More than is ever listed, as fast as it is given credit.
  const endless = all.list("/srv");
  const { stream_id, credit } = await all.agent.opened(11);
  let left = credit;
  let counted = 0;
  await eventually("it is cut off", () => {
    const given = all.agent.received.filter((each) =>
      each.type === "stream.credit" && each.stream_id === stream_id
    );
    for (; counted < given.length; counted++) left += (given[counted] as { bytes: number }).bytes;
    for (; left > 70_000; left -= wide.length + 256) all.agent.data(stream_id, wide);
    return all.agent.received.some((each) =>
      each.type === "stream.cancel" && each.stream_id === stream_id
    );
  });
  assert.deepEqual([(await endless).status], [502]);
  assert.equal(all.agent.closed, undefined);
});

Deno.test("a folder of too many entries is cut and says so; folders come first", async () => {
  await using all = await fake();
  const lines = Array.from(
    { length: FOLDER_ENTRIES_LIMIT },
    (_, n) => `["${n % 2 ? "file" : "folder"}","n${n}"]\n`,
  );
  const text = `${lines.join("")}{"cut":true,"not_text":3}\n`;
  const { body } = await all.asked("/srv", (id) => {
    for (let at = 0; at < text.length; at += 60_000) {
      all.agent.data(id, text.slice(at, at + 60_000));
    }
    all.agent.endStream(id);
  });
  assert.deepEqual([body.items.length, body.cut, body.not_text], [FOLDER_ENTRIES_LIMIT, true, 3]);
  assert.equal(body.items[0].name, "n0");
  assert.ok(body.items.slice(0, 5000).every(({ type }: { type: string }) => type === "folder"));
});

Deno.test("an agent that answers nothing is given up after 15 seconds, one whose socket breaks at once", async () => {
  await using all = await fake();
  const began = performance.now();
  const { status, body } = await all.list("/srv");
  assert.deepEqual([status, body.error.code], [504, "agent_timeout"]);
  assert.ok(performance.now() - began < 17_000);
  assert.equal((await all.agent.next("stream.cancel")).stream_id, 1);
  assert.equal(all.agent.closed, undefined);
  const broken = all.list("/srv");
  await all.agent.opened(2);
  all.agent.socket.close();
  assert.deepEqual((await broken).body.error.code, "agent_offline");
});

Deno.test("a host that is unknown, and one that two machines call theirs, are not asked", async () => {
  await using all = await fake();
  const nobody = await all.test.api(
    "alice",
    "GET",
    `/api/hosts/${crypto.randomUUID()}/folders?path=/`,
  );
  assert.deepEqual([nobody.status, nobody.body.error.field], [404, undefined]);
  all.test.server.database.sqlite.prepare("update hosts set doubted_since = 1").run();
  assert.equal((await all.list("/")).status, 409);
});

Deno.test("a list of more entries than an agent lists is none, however short they are", async () => {
  await using world = await fake();
  const line = '["file","a"]\n';
  const answer = await world.asked("/x", (id) => {
    world.agent.data(id, new TextEncoder().encode(line.repeat(5000)));
    world.agent.data(id, new TextEncoder().encode(line.repeat(5001) + LAST));
    world.agent.endStream(id);
  });
  assert.deepEqual([answer.status, answer.body.error.code], [502, "agent_failed"]);
});

Deno.test("an agent that does not say that it knows folders is not asked, and it is said at once", async () => {
  await using test = await startServer();
  const host = await joinHost(test, "alpha");
  for (const stream_kinds of [undefined, [], ["snapshot"]]) {
    const agent = await FakeAgent.connect(
      test.url,
      host.bearer,
      { stream_kinds } as Partial<Hello>,
    );
    await agent.next("config.update");
    await eventually("it is online", () => test.server.agents.isOnline(host.hostId));
    const path = `/api/hosts/${host.hostId}/folders?path=/srv`;
    const { status, body } = await test.api("alice", "GET", path);
    assert.deepEqual([status, body.error.code], [502, "agent_failed"]);
    assert.match(body.error.message, /earlier version/);
    assert.ok(!agent.received.some(({ type }) => type === "stream.open"));
    await agent.close();
    await eventually("it is gone", () => !test.server.agents.isOnline(host.hostId));
  }
});
