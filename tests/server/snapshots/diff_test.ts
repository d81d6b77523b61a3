// GET /api/snapshots/{id}/diff: which two, who reads them, who may see what, how it is folded, and what hostile agents make of it.
import assert from "node:assert/strict";
import { DIFF_CHANGES_LIMIT } from "../../../shared/diff.ts";
import { DiffListing } from "../../../server/snapshots/diff_listing.ts";
import { FakeAgent, joinHost } from "../../support/fake_agent.ts";
import { browsePage } from "../../support/browse_page.ts";
import { eventually } from "../../support/eventually.ts";
import { type Person, startServer } from "../../support/start_server.ts";

const [NEW, OLD, OLDEST] = ["c".repeat(64), "b".repeat(64), "a".repeat(64)];
const THEIRS = "d".repeat(64);

const side = { files: 1, folders: 2, others: 3, bytes: 4 };
const STATISTICS = { changed_files: 7, added: side, removed: side };
const line = (value: unknown) => `${JSON.stringify(value)}\n`;
const end = (more = {}) =>
  line({ snapshot: NEW, base: OLD, cut: false, left_out: 0, statistics: STATISTICS, ...more });
const CHANGES = [
  ["+", "/home/anna/new"],
  ["+", "/home/anna/sub/"],
  ["+", "/home/anna/sub/x"],
  ["-", "/home/anna-2"],
  ["M", "/home/anna/file"],
  ["?", "/home/anna/rotten"],
  ["T", "/home/anna/turn/"],
  ["U", "/home/"],
  ["M", "/etc/passwd"],
  ["+", "/caf\ufffd"],
].map(line).join("");

async function world() {
  await using stack = new AsyncDisposableStack();
  const test = stack.use(await startServer());
  const alpha = await joinHost(test, "alpha", {}, ["/home"]);
  const beta = await joinHost(test, "beta", { id: alpha.repositoryId });
  const agent = await FakeAgent.connect(test.url, alpha.bearer);
  const other = await FakeAgent.connect(test.url, beta.bearer);
  stack.defer(() => agent.close());
  stack.defer(() => other.close());
  await agent.acknowledged(agent.snapshots(alpha.repositoryId, [NEW, OLD, OLDEST]));
  await other.acknowledged(other.snapshots(alpha.repositoryId, [THEIRS]));
  const diff = (query: Record<string, string> = {}, person: Person = "alice", id = NEW) =>
    test.api(person, "GET", `/api/snapshots/${id}/diff?${new URLSearchParams(query)}`);
  let opened = 0;
  const asked = async (pieces: (string | Uint8Array)[], query: Record<string, string> = {}) => {
    const answer = diff(query);
    const { request, stream_id } = await agent.opened(++opened);
    for (const piece of pieces) if (piece.length > 0) agent.data(stream_id, piece);
    agent.endStream(stream_id);
    return { ...await answer, request };
  };
  return Object.assign(stack.move(), { test, alpha, beta, agent, other, diff, asked });
}

Deno.test("what differs comes folded by folder, filtered and by pages, from one look at the agent", async () => {
  await using all = await world();
  const { status, body, request } = await all.asked([CHANGES, end()]);
  assert.equal(status, 200, JSON.stringify(body));
  // Without with= the one before it.
  assert.deepEqual(request, {
    kind: "diff",
    repository_id: all.alpha.repositoryId,
    snapshot: NEW,
    base: OLD,
  });
  const { items, ...rest } = body;
  assert.deepEqual(rest, {
    next_cursor: null,
    snapshot_id: NEW,
    with: OLD,
    repository_id: all.alpha.repositoryId,
    path: "/",
    q: "",
    reader: { id: all.alpha.hostId, name: "alpha", is_source: true },
    added: 4,
    removed: 1,
    changed: 4,
    metadata: 1,
    matching: 3,
    cut: false,
    left_out: 0,
    statistics: STATISTICS,
  });
  const below = (added: number, removed: number, changed: number, metadata = 0) => ({
    added,
    removed,
    changed,
    metadata,
  });
  assert.deepEqual(items, [
    {
      name: "etc",
      path: "/etc",
      type: "folder",
      change: null,
      type_changed: false,
      suspect: false,
      exact: true,
      below: below(0, 0, 1),
    },
    {
      name: "home",
      path: "/home",
      type: "folder",
      change: "metadata",
      type_changed: false,
      suspect: false,
      exact: true,
      below: below(3, 1, 3),
    },
    {
      name: "caf\ufffd",
      path: "/caf\ufffd",
      type: "file",
      change: "added",
      type_changed: false,
      suspect: false,
      exact: false,
      below: below(0, 0, 0),
    },
  ]);
  type Item = { path: string; change: string; below: { added: number } };
  const paths = async (query: Record<string, string>) => {
    const { status, body } = await all.diff(query);
    assert.equal(status, 200, JSON.stringify(body));
    return body.items.map(({ path }: Item) => path);
  };
  assert.deepEqual(await paths({ path: "/home" }), ["/home/anna", "/home/anna-2"]);
  const anna = await all.diff({ path: "/home/anna", with: OLD.slice(0, 8) });
  assert.deepEqual(
    anna.body.items.map((item: Item & { suspect: boolean; type_changed: boolean }) => [
      item.path.slice(11),
      item.change,
      item.type_changed,
      item.suspect,
    ]),
    [
      ["sub", "added", false, false],
      ["turn", "changed", true, false],
      ["file", "changed", false, false],
      ["new", "added", false, false],
      ["rotten", "changed", false, true],
    ],
  );
  assert.deepEqual([anna.body.added, anna.body.removed, anna.body.changed], [3, 0, 3]);
  assert.deepEqual(await paths({ q: "ANNA" }), ["/home/anna-2"]);
  assert.deepEqual(await paths({ q: "x", path: "/home" }), ["/home/anna/sub/x"]);
  assert.deepEqual(await paths({ path: "/nothing" }), []);
  const first = await all.diff({ path: "/home/anna", limit: "2" });
  assert.deepEqual([first.body.items.length, first.body.matching], [2, 5]);
  assert.equal(
    (await paths({ path: "/home/anna", limit: "2", cursor: first.body.next_cursor }))[0],
    "/home/anna/file",
  );
  assert.equal(all.agent.received.filter(({ type }) => type === "stream.open").length, 1);
  const refused: [Record<string, string>, number, string][] = [
    [{ with: NEW }, 422, "with"],
    [{ with: "x" }, 422, "with"],
    [{ with: "12345678" }, 404, "with"],
    [{ path: "home" }, 422, "path"],
    [{ path: "/a/../b" }, 422, "path"],
    [{ cursor: "x" }, 422, "cursor"],
    [{ q: "x".repeat(300) }, 422, "q"],
  ];
  for (const [query, status, field] of refused) {
    const { status: got, body } = await all.diff(query);
    assert.deepEqual([got, body.error.field], [status, field], JSON.stringify(query));
  }
  const none = await all.diff({}, "alice", OLDEST);
  assert.deepEqual([none.status, none.body.error.field], [422, "with"]);
  const audit = all.test.server.database.sqlite
    .prepare("select detail from audit where action = 'snapshot.compared'").all() as {
      detail: string;
    }[];
  assert.equal(audit.length, 1);
  const { snapshot, with: base, read_by } = JSON.parse(audit[0]!.detail);
  assert.deepEqual([snapshot, base, read_by], [NEW, OLD, "alpha"]);
});

Deno.test("a viewer compares nothing; an operator sees what is below the approved folders of both, and no totals of the rest", async () => {
  await using all = await world();
  assert.equal((await all.diff({}, "victor")).status, 403);
  all.test.server.database.sqlite.prepare("update hosts set approved_roots = '[]' where id = ?")
    .run(all.beta.hostId);
  await all.asked([CHANGES, end({ left_out: 5 })]);
  const { body } = await all.diff({}, "olive");
  assert.deepEqual(body.items.map(({ path }: { path: string }) => path), ["/home"]);
  const { added, removed, changed, metadata, statistics, left_out } = body;
  assert.deepEqual([added, removed, changed, metadata, statistics, left_out], [
    3,
    1,
    3,
    1,
    null,
    0,
  ]);
  assert.deepEqual((await all.diff({ q: "passwd" }, "olive")).body.items, []);
  for (const [query, field] of [[{ path: "/etc" }, "path"], [{ with: THEIRS }, "with"]] as const) {
    const { status, body } = await all.diff(query, "olive");
    assert.deepEqual([status, body.error.field], [403, field]);
  }
  const theirs = await all.diff({ with: NEW }, "olive", THEIRS);
  assert.equal(theirs.status, 403);
  assert.equal(all.agent.received.filter(({ type }) => type === "stream.open").length, 1);
});

Deno.test("what is no comparison of these two is an error of the agent, and nothing of it is shown", async () => {
  await using all = await world();
  const wrong: (string | Uint8Array)[][] = [
    [],
    [CHANGES],
    [CHANGES, end({ base: OLDEST })],
    [end({ snapshot: OLD })],
    [end(), line(["+", "/x"])],
    [line(["X", "/x"]), end()],
    [line(["+", "relative"]), end()],
    [line(["+", "/"]), end()],
    [line(["+", "/a\0"]), end()],
    [line(["+", "/x", "more"]), end()],
    [end({ statistics: { ...STATISTICS, changed_files: -1 } })],
    ["no json\n", end()],
    [Uint8Array.of(0xff, 0xfe, 0x0a), end()],
    [end().trimEnd()],
    ["[".repeat(60_000), "\n"],
  ];
  for (const pieces of wrong) {
    const { status, body } = await all.asked(pieces);
    assert.deepEqual([status, body.error.code], [502, "agent_failed"], String(pieces).slice(0, 80));
    assert.match(body.error.message, /could not compare bbbbbbbb and cccccccc/);
  }
  assert.equal((await all.asked([CHANGES, end()])).status, 200);
  // One that cannot, and one that is too old.
  await all.agent.close();
  const old = await FakeAgent.connect(all.test.url, all.alpha.bearer, { stream_kinds: ["tree"] });
  const by = all.diff({ with: OLDEST });
  const { stream_id } = await all.other.opened(1);
  all.other.endStream(stream_id, { code: "no_snapshot", message: "<b>" });
  assert.deepEqual([(await by).status, (await by).body.error.field], [404, "id"]);
  await all.other.close();
  await eventually("beta is offline", () => !all.test.server.agents.isOnline(all.beta.hostId));
  const tooOld = await all.diff({ with: OLDEST });
  assert.deepEqual([tooOld.status, tooOld.body.error.code], [502, "agent_failed"]);
  await old.close();
});

Deno.test("the page comes at once, then shows what changed and leads on; a backup's job and a snapshot lead to it", async () => {
  await using all = await world();
  const page = await browsePage(all.test, "alice");
  const of = await page(`/snapshots/${NEW}`);
  assert.match(of, /Compare with the one before/);
  assert.match(of, /<option value="b{16}" selected/);
  const waiting = await page(`/snapshots/${NEW}/diff`);
  assert.match(waiting, /Comparing the two snapshots/);
  assert.match(waiting, /http-equiv="refresh"/);
  await all.agent.opened(1).catch(() => {});
  const diff = all.agent.received.findLast(({ type }) => type === "stream.open") as {
    stream_id: number;
    request: { kind: string };
  };
  assert.equal(diff.request.kind, "diff");
  all.agent.data(diff.stream_id, CHANGES + line(["+", "/<b>x"]) + end());
  all.agent.endStream(diff.stream_id);
  const shown = await eventually("it is there", async () => {
    const text = await page(`/snapshots/${NEW}/diff`);
    return text.includes("&lt;b&gt;x") && text;
  });
  assert.match(shown, /5 added, 1 removed, 4 changed, 1 with other attributes alone/);
  assert.match(shown, /href="\?repository=[^"]+&amp;with=b{16}&amp;path=%2Fhome"/);
  assert.match(await page(`/snapshots/${NEW}/diff?path=/home/anna`), /another type/);
  assert.match(await page(`/snapshots/${NEW}/diff?q=none`), /No name that changed has that/);
  const victor = await browsePage(all.test, "victor");
  assert.match(await victor(`/snapshots/${NEW}/diff`), /operator/i);
});

Deno.test("a comparison of as many changes as are read is folded in a moment", () => {
  const listing = new DiffListing();
  for (let n = 0; n < DIFF_CHANGES_LIMIT; n++) listing.add("+", `/d${n % 300}/e${n % 7}/file ${n}`);
  listing.finish({ snapshot: NEW, base: OLD, cut: true, left_out: 0, statistics: null });
  const began = performance.now();
  const input = { q: "", maySee: () => true, offset: 0, limit: 80 };
  const { items, counts } = listing.page({ ...input, path: "/" });
  assert.deepEqual([items.length, counts.added], [80, DIFF_CHANGES_LIMIT]);
  assert.equal(listing.page({ ...input, path: "/d7" }).items.length, 7);
  assert.ok(performance.now() - began < 5000);
});
