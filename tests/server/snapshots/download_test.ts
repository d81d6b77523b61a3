// Downloads and previews through the server: who may, what stands in the headers, limits, and what agents make of it that lie, end early, never
// end or go away; readers that stop, leave or are signed out; and what waits meanwhile.
import assert from "node:assert/strict";
import { browsePage } from "../../support/browse_page.ts";
import { eventually } from "../../support/eventually.ts";
import { FakeAgent, joinHost } from "../../support/fake_agent.ts";
import { rawGet } from "../../support/raw_http.ts";
import { type Person, startServer } from "../../support/start_server.ts";
import type { StreamOpen } from "../../../shared/stream.ts";

const ID = "1a2b3c4d".repeat(8);
const line = (size: number | null) => `${JSON.stringify({ size })}\n`;

async function world(env: Record<string, string> = {}) {
  await using stack = new AsyncDisposableStack();
  const test = stack.use(await startServer({ env }));
  const host = await joinHost(test, "alpha", { url: "rest:https://nas.example.org/alpha/" }, [
    "/home",
  ]);
  const agent = await FakeAgent.connect(test.url, host.bearer);
  stack.defer(async () => {
    if (!agent.closed) await agent.close();
  });
  const init = await agent.next("command.run");
  await agent.acknowledged(agent.finished(init.job_id, { created: true }));
  await agent.acknowledged(agent.snapshots(host.repositoryId, [ID]));
  const path = (query: Record<string, string> | [string, string][]) =>
    `/api/snapshots/${ID}/download?${new URLSearchParams(query)}`;
  const get = (
    query: Record<string, string> | [string, string][],
    { person = "alice", ...init }: RequestInit & { person?: Person } = {},
  ) =>
    fetch(test.url + path(query), {
      ...init,
      headers: { authorization: `Bearer ${test.tokens[person]}`, ...init.headers },
    });
  const raw = (query: Record<string, string> | [string, string][]) =>
    rawGet(test.url, path(query), { headers: { authorization: `Bearer ${test.tokens.alice}` } });
  const audit = (action: string) =>
    (test.server.database.sqlite.prepare("select detail from audit where action = ? order by id")
      .all(
        action,
      ) as { detail: string }[]).map(({ detail }) => JSON.parse(detail));
  let opened = 0;
  const next = async (): Promise<StreamOpen & { request: { kind: "dump" } }> =>
    await agent.opened(++opened) as never;
  return Object.assign(stack.move(), { test, host, agent, get, raw, path, audit, next });
}

Deno.test("a file comes as an attachment with its length, an archive without; both are audited when they begin and when they end", async () => {
  await using all = await world();
  const answer = all.get({ path: "/home/<b>x</b>.html" });
  const { stream_id, request } = await all.next();
  assert.deepEqual(request, {
    kind: "dump",
    repository_id: all.host.repositoryId,
    snapshot: ID,
    paths: ["/home/<b>x</b>.html"],
    format: "raw",
  });
  all.agent.data(stream_id, line(5) + "<sc");
  all.agent.data(stream_id, "r>");
  all.agent.endStream(stream_id);
  const file = await answer;
  assert.deepEqual([file.status, await file.text()], [200, "<scr>"]);
  const headers = Object.fromEntries(file.headers);
  assert.equal(headers["content-length"], "5");
  assert.equal(headers["content-type"], "application/octet-stream");
  assert.equal(headers["x-content-type-options"], "nosniff");
  assert.equal(headers["x-accel-buffering"], "no");
  assert.equal(headers["cache-control"], "no-store");
  assert.equal(headers["accept-ranges"], "none");
  assert.match(headers["content-security-policy"]!, /^sandbox/);
  assert.equal(
    headers["content-disposition"],
    `attachment; filename="b_.html"; filename*=UTF-8''b_.html`,
  );
  const archive = all.get([["path", "/home/a"], ["path", "/home/b"], ["path", "/home/a"], [
    "format",
    "tar",
  ]]);
  const second = await all.next();
  assert.deepEqual(second.request.paths, ["/home/a", "/home/b"]);
  all.agent.data(second.stream_id, line(null));
  all.agent.data(second.stream_id, new Uint8Array(70_000 - 10_000));
  all.agent.endStream(second.stream_id);
  const tar = await archive;
  assert.equal((await tar.bytes()).length, 60_000);
  assert.equal(tar.headers.get("content-length"), null);
  assert.match(tar.headers.get("content-disposition")!, /filename="machine-1a2b3c4d\.tar"/);
  const ended = await eventually("both are in the audit", () => {
    const rows = all.audit("snapshot.download_ended");
    return rows.length === 2 && rows;
  });
  assert.deepEqual(
    all.audit("snapshot.download_started").map((
      { paths, format, read_by, host },
    ) => [paths, format, read_by, host]),
    [
      [["/home/<b>x</b>.html"], "raw", "alpha", "alpha"],
      [["/home/a", "/home/b"], "tar", "alpha", "alpha"],
    ],
  );
  assert.deepEqual(ended.map(({ ended, bytes }) => [ended, bytes]), [["whole", 5], [
    "whole",
    60_000,
  ]]);
  assert.equal(all.test.server.downloads.count, 0);
});

Deno.test("what fails in the middle never has a whole end: too few, too many, an error after the last byte, a lost agent", async () => {
  await using all = await world();
  const cases: [
    string,
    number | null,
    string[],
    Parameters<FakeAgent["endStream"]>[1] | "more" | undefined,
  ][] = [
    ["too few", 10, ["12345"], undefined],
    ["too many", 5, ["12345", "6"], undefined],
    ["too many at once", 5, ["1234567"], undefined],
    ["an error after the last byte", 5, ["12345"], { code: "failed", message: "exit code 1" }],
    ["an archive that fails", null, ["12345"], { code: "failed", message: "exit code 1" }],
  ];
  for (const [what, size, pieces, end] of cases) {
    const answer = all.raw({ path: "/x", format: size === null ? "zip" : "raw" });
    const { stream_id } = await all.next();
    all.agent.data(stream_id, line(size));
    for (const piece of pieces) all.agent.data(stream_id, piece);
    all.agent.endStream(stream_id, end as never);
    const { status, headers, body } = await answer.catch(() => ({
      status: 0,
      headers: new Headers(),
      body: "",
    }));
    if (status === 200 && size !== null) {
      assert.ok(body.length < Number(headers.get("content-length")), `${what}: ${body}`);
    }
    if (status === 200 && size === null) {
      assert.ok(!/(^|\r\n)0\r\n\r\n$/.test(body), `${what}: ${body}`);
    }
    // Nothing at all, where the connection broke before the first byte.
    assert.ok(status === 200 || status === 0 || Number.isNaN(status), `${what}: ${status}`);
    await eventually(`${what}: it is given back`, () => all.test.server.downloads.count === 0);
  }
  const whole = all.raw({ path: "/x", format: "zip" });
  const { stream_id } = await all.next();
  all.agent.data(stream_id, `${line(null)}12345`);
  all.agent.endStream(stream_id);
  assert.match((await whole).body, /5\r\n12345\r\n0\r\n\r\n$/);
  const lost = all.raw({ path: "/x", format: "zip" });
  const last = await all.next();
  all.agent.data(last.stream_id, `${line(null)}12345`);
  await eventually("it is on its way", () => all.test.server.downloads.count === 1);
  await all.agent.close();
  const { body } = await lost;
  assert.ok(!body.endsWith("0\r\n\r\n"), body);
  const ends = await eventually("all are in the audit", () => {
    const rows = all.audit("snapshot.download_ended").map(({ ended }) => ended);
    return rows.length === 7 && rows;
  });
  assert.equal(ends.filter((end) => end === "whole").length, 1);
});

Deno.test("an agent that lies at the beginning, or has nothing, is an error with a sentence before the first byte", async () => {
  await using all = await world();
  const said: [
    string,
    string | undefined,
    Parameters<FakeAgent["endStream"]>[1] | undefined,
    number,
    RegExp,
  ][] = [
    ["no line", undefined, undefined, 502, /could not send \/home\/x/],
    ["no JSON", "<html>\n", undefined, 502, /could not send/],
    ["a size that is none", '{"size":-1}\n', undefined, 502, /could not send/],
    ["a line without an end", "x".repeat(3000), undefined, 502, /could not send/],
    [
      "not found",
      undefined,
      { code: "not_found", message: "item 1: <script>" },
      404,
      /^\/home\/y is not in this snapshot/,
    ],
    [
      "an item that is none",
      undefined,
      { code: "not_found", message: "item 9999: x" },
      404,
      /^\/home\/x is not/,
    ],
    [
      "a link",
      undefined,
      { code: "not_a_file", message: "item 0: link" },
      422,
      /\/home\/x in this snapshot is neither/,
    ],
    [
      "unreachable",
      undefined,
      { code: "unreachable", message: "rest:https://u:p@x" },
      502,
      /does not reach the repository/,
    ],
  ];
  for (const [what, data, end, status, words] of said) {
    const answer = all.get([["path", "/home/x"], ["path", "/home/y"], ["format", "zip"]]);
    const { stream_id } = await all.next();
    if (data) all.agent.data(stream_id, data);
    all.agent.endStream(stream_id, end);
    const got = await answer;
    const { error } = await got.json();
    assert.equal(got.status, status, what);
    assert.match(error.message, words, what);
    assert.ok(!error.message.includes("script") && !error.message.includes("u:p@"));
  }
  assert.equal(all.test.server.downloads.count, 0);
});

Deno.test("nobody but an admin; bad input names its field; HEAD asks no machine; off is off", async () => {
  await using all = await world();
  for (const person of ["olive", "victor"] as const) {
    const api = await all.get({ path: "/home/x" }, { person });
    await api.body?.cancel();
    assert.equal(api.status, 403);
    for (const view of ["preview", "preview/image", "download"]) {
      const page = await fetch(`${all.test.url}/snapshots/${ID}/${view}?path=/home/x`, {
        headers: { authorization: `Bearer ${all.test.tokens[person]}` },
      });
      await page.body?.cancel();
      assert.equal(page.status, 403, view);
    }
  }
  const refused = async (query: [string, string][], field: string, status = 422) => {
    const answer = await all.get(query);
    const { error } = await answer.json();
    assert.deepEqual([answer.status, error.field], [status, field], JSON.stringify(query));
  };
  await refused([], "path");
  await refused([["path", "x"]], "path");
  await refused([["path", "/a/../b"]], "path");
  await refused([["path", "/a\0"]], "path");
  await refused([["path", "/a"], ["path", "/b"]], "format");
  await refused([["path", "/a"], ["format", "rar"]], "format");
  await refused(
    Array.from({ length: 1001 }, (_, n): [string, string] => ["path", `/${n}`]),
    "path",
  );
  const head = await all.get({ path: "/home/x.txt" }, { method: "HEAD" });
  await head.body?.cancel();
  assert.equal(head.status, 200);
  assert.match(head.headers.get("content-disposition")!, /filename="x\.txt"/);
  assert.ok(!all.agent.received.some(({ type }) => type === "stream.open"));
  // As JSON, and as a form, with a token.
  const post = (body: BodyInit, headers: Record<string, string> = {}) =>
    fetch(`${all.test.url}/api/snapshots/${ID}/download`, {
      method: "POST",
      body,
      headers: { authorization: `Bearer ${all.test.tokens.alice}`, ...headers },
    });
  for (
    const answer of [
      post(JSON.stringify({ path: ["/a", "/b"], format: "tar" }), {
        "content-type": "application/json",
      }),
      post(new URLSearchParams([["path", "/a"], ["path", "/b"], ["format", "tar"]])),
    ]
  ) {
    const { stream_id, request } = await all.next();
    assert.deepEqual([request.paths, request.format], [["/a", "/b"], "tar"]);
    all.agent.data(stream_id, `${line(null)}x`);
    all.agent.endStream(stream_id);
    assert.equal(await (await answer).text(), "x");
  }
  await using off = await world({ RM_DOWNLOADS: "off" });
  const answer = await off.get({ path: "/home/x" });
  assert.match((await answer.json()).error.message, /RM_DOWNLOADS/);
  assert.equal(answer.status, 403);
  const page = await browsePage(off.test, "alice");
  assert.match(await page(`/snapshots/${ID}/preview?path=/home/x`), /RM_DOWNLOADS/);
  assert.ok(!off.agent.received.some(({ type }) => type === "stream.open"));
});

Deno.test("limits of size, of each user, of each machine and in all, each with a sentence; who leaves gives his place back", async () => {
  await using all = await world({
    RM_DOWNLOAD_BYTES: "1000",
    RM_DOWNLOADS_PER_USER: "2",
    RM_DOWNLOADS_IN_ALL: "3",
  });
  const large = all.get({ path: "/home/x" });
  const { stream_id } = await all.next();
  all.agent.data(stream_id, line(1001));
  assert.match((await (await large).json()).error.message, /1001 bytes.*RM_DOWNLOAD_BYTES/);
  await eventually(
    "it is cancelled",
    () => all.agent.received.some((each) => each.type === "stream.cancel"),
  );
  all.agent.endStream(stream_id, { code: "cancelled", message: "" });
  const archive = all.raw({ path: "/home/x", format: "zip" });
  const unknown = await all.next();
  all.agent.data(unknown.stream_id, `${line(null)}${"x".repeat(1001)}`);
  const { body } = await archive;
  assert.ok(!body.endsWith("0\r\n\r\n"));
  all.agent.endStream(unknown.stream_id, { code: "cancelled", message: "" });
  const leaving = [new AbortController(), new AbortController()];
  const open = leaving.map(({ signal }) => all.get({ path: "/home/x" }, { signal }));
  for (const _ of leaving) {
    const { stream_id } = await all.next();
    all.agent.data(stream_id, `${line(900)}x`);
  }
  const bodies = await Promise.all(open);
  const third = await all.get({ path: "/home/x" });
  assert.deepEqual([third.status, third.headers.get("retry-after")], [429, "30"]);
  assert.match((await third.json()).error.message, /RM_DOWNLOADS_PER_USER/);
  for (const abort of leaving) abort.abort();
  for (const each of bodies) await each.body?.cancel().catch(() => {});
  await eventually("both have left", () => all.test.server.downloads.count === 0);
  await eventually(
    "their streams are cancelled",
    () => all.agent.received.filter(({ type }) => type === "stream.cancel").length === 4,
  );
  await eventually(
    "it is said in the audit",
    () =>
      all.audit("snapshot.download_ended").filter(({ ended }) => ended === "its reader left")
        .length === 2,
  );
});

Deno.test("who stops reading holds the agent by its credit and no memory; who signs out gets no more", async () => {
  await using all = await world();
  const { test, agent } = all;
  const url = new URL(test.url);
  const connection = await Deno.connect({ hostname: url.hostname, port: Number(url.port) });
  const path = all.path({ path: "/home/x", format: "tar" });
  await connection.write(new TextEncoder().encode(
    `GET ${path} HTTP/1.1\r\nHost: ${url.host}\r\nAuthorization: Bearer ${test.tokens.alice}\r\n\r\n`,
  ));
  const { stream_id } = await all.next();
  agent.data(stream_id, line(null));
  const given = () =>
    agent.received.reduce(
      (sum, each) =>
        sum + (each.type === "stream.credit" && each.stream_id === stream_id ? each.bytes : 0),
      524_288,
    );
  let sent = 300;
  let still = 0;
  // Sends whatever it may; the sockets on the way hold some megabytes.
  while (still < 20 && sent < 200_000_000) {
    if (given() - sent > 66_000) {
      agent.data(stream_id, new Uint8Array(65_536));
      sent += 65_536 + 256;
      still = 0;
    } else {
      still++;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
  assert.ok(sent < 60_000_000, `${sent} bytes were taken of a reader that does not read`);
  assert.equal(test.server.downloads.count, 1);
  await test.api("alice", "GET", "/api/tokens").then(async ({ body }) => {
    for (const { id } of body.items) await test.api("alice", "DELETE", `/api/tokens/${id}`);
  });
  await eventually("it is broken off", () => test.server.downloads.count === 0, 15_000);
  await eventually(
    "it is cancelled",
    () => agent.received.some((each) => each.type === "stream.cancel"),
  );
  connection.close();
});

Deno.test("a prune waits for a download and says whose; a download is refused beside a prune and says which; neither is held for ever", async () => {
  await using all = await world();
  const { test, agent, host } = all;
  const repository = `/api/repositories/${host.repositoryId}`;
  assert.equal(
    (await test.api("alice", "PUT", `${repository}/admin-credential`, {
      username: "keeper",
      rest_password: "a password of the keeper",
    })).status,
    200,
  );
  await test.api("alice", "PUT", `${repository}/maintenance`, { host_ids: [host.hostId] });
  const answer = all.get({ path: "/home/x", format: "tar" });
  const { stream_id } = await all.next();
  agent.data(stream_id, `${line(null)}x`);
  const body = await answer;
  const prune = await test.api("alice", "POST", `/api/repositories/${host.repositoryId}/jobs`, {
    kind: "prune",
  });
  assert.equal(prune.status, 202, JSON.stringify(prune.body));
  const page = await browsePage(test, "alice");
  assert.match(await page(`/jobs/${prune.body.job_id}`), /Waits for a download by alice/);
  const check = await test.api("alice", "POST", `/api/repositories/${host.repositoryId}/jobs`, {
    kind: "check",
  });
  const orders = () =>
    agent.received.filter((each) => each.type === "command.run").map((each) =>
      (each as { job_id: string }).job_id
    );
  assert.ok(!orders().includes(prune.body.job_id));
  agent.endStream(stream_id);
  assert.equal(await body.text(), "x");
  await agent.next("command.run", ({ job_id }) => job_id === prune.body.job_id);
  agent.started(prune.body.job_id);
  const refused = await all.get({ path: "/home/x" });
  assert.equal(refused.status, 409);
  assert.match(
    (await refused.json()).error.message,
    /wait for alpha: its prune is (queued|running)/,
  );
  await agent.acknowledged(agent.finished(prune.body.job_id));
  // A check removes nothing: it does not matter.
  await agent.next("command.run", ({ job_id }) => job_id === check.body.job_id);
  agent.started(check.body.job_id);
  const beside = all.get({ path: "/home/x" });
  const again = await all.next();
  agent.data(again.stream_id, `${line(1)}y`);
  agent.endStream(again.stream_id);
  assert.equal(await (await beside).text(), "y");
});

Deno.test("a preview: the page waits for nobody, texts are marked and escaped, an image comes by its bytes and from a sandbox", async () => {
  await using all = await world();
  const page = await browsePage(all.test, "alice");
  const look = async (name: string, given: Uint8Array | string, size?: number) => {
    const content = typeof given === "string" ? new TextEncoder().encode(given) : given;
    const said = size ?? content.length;
    const path = `/snapshots/${ID}/preview?path=/home/${name}`;
    assert.match(await page(path), /Reading the file/);
    const { stream_id, request } = await all.next();
    assert.deepEqual([request.paths, request.format], [[`/home/${name}`], "raw"]);
    all.agent.data(stream_id, line(said));
    if (content.length > 0) all.agent.data(stream_id, content);
    all.agent.endStream(stream_id);
    return await eventually(`${name} is shown`, async () => {
      const text = await page(path);
      return !text.includes("Reading the file") && text;
    });
  };
  const image = async (name: string) =>
    await fetch(`${all.test.url}/snapshots/${ID}/preview/image?path=/home/${name}`, {
      headers: { authorization: `Bearer ${all.test.tokens.alice}` },
    });
  const hostile = await look("x.html", "<script>alert(1)</script>\u202e\u001b[31m\r\nline");
  assert.match(hostile, /&lt;script&gt;alert\(1\)&lt;\/script&gt;\\u202e␛\[31m\nline/);
  assert.match(await look("x.svg", "<svg onload='x'>"), /<pre[^>]*>\n&lt;svg/);
  assert.match(
    await look("latin", Uint8Array.of(0x63, 0x61, 0x66, 0xe9, 0x20, ...Array(40).fill(0x78))),
    /Not all of it is UTF-8/,
  );
  assert.match(await look("utf16", Uint8Array.of(0xff, 0xfe, 0x68, 0, 0x69, 0)), /<pre[^>]*>\nhi/);
  assert.match(await look("binary", Uint8Array.of(0, 1, 2, 3)), /It is no text/);
  assert.match(await look("empty", ""), /The file is empty/);
  assert.match(await look("large", "", 1_048_577), /too large to be shown/);
  const png = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 1, 2, 3);
  assert.match(
    await look("picture.html", png),
    /<img src="\/snapshots\/1a2b3c4d1a2b3c4d\/preview\/image\?/,
  );
  const shown = await image("picture.html");
  assert.deepEqual(await shown.bytes(), png);
  assert.equal(shown.headers.get("content-type"), "image/png");
  assert.equal(shown.headers.get("content-security-policy"), "sandbox; default-src 'none'");
  assert.equal(shown.headers.get("x-content-type-options"), "nosniff");
  const none = await image("x.svg");
  await none.body?.cancel();
  assert.equal(none.status, 404);
  assert.equal(all.audit("snapshot.previewed").length, 8);
  await eventually("the agent is read to its end", () => all.agent.received.length > 0);
  assert.equal(all.test.server.readings.at([]), undefined);
});
