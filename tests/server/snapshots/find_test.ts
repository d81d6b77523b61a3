// GET /api/find and its page: which snapshots are searched by whom, what comes when, who may see what, and what hostile agents make of it.
import assert from "node:assert/strict";
import type { FindMatchLine } from "../../../shared/find.ts";
import type { RequestOf, StreamOpen } from "../../../shared/stream.ts";
import { browsePage } from "../../support/browse_page.ts";
import { eventually } from "../../support/eventually.ts";
import { FakeAgent, joinHost } from "../../support/fake_agent.ts";
import { RawStream } from "../../support/raw_stream.ts";
import { type Person, startServer } from "../../support/start_server.ts";

const idOf = (n: number, of = "a") => `${n.toString(16).padStart(4, "0")}${of.repeat(60)}`;
const line = (value: unknown) => `${JSON.stringify(value)}\n`;
const end = (more = {}) => line({ missing: [], cut: false, ...more });
const match = (n: number, path: string, size = 5, time = 1000): FindMatchLine => [
  n,
  "file",
  path,
  size,
  time,
];

async function world(snapshots = 3) {
  await using stack = new AsyncDisposableStack();
  const test = stack.use(await startServer());
  const alpha = await joinHost(test, "alpha", {}, ["/home"]);
  const agent = await FakeAgent.connect(test.url, alpha.bearer);
  stack.defer(() => agent.close());
  const ids = Array.from({ length: snapshots }, (_, n) => idOf(n));
  await agent.acknowledged(agent.snapshots(alpha.repositoryId, ids));
  const streams: RawStream[] = [];
  stack.defer(() => {
    for (const stream of streams) {
      try {
        stream.close();
      } catch {
        // It was closed.
      }
    }
  });
  const open = async (query: Record<string, string>, person: Person = "alice") => {
    const path = `/api/find?${new URLSearchParams(query)}`;
    const stream = await RawStream.open(test.url, path, `Bearer ${test.tokens[person]}`);
    streams.push(stream);
    return stream;
  };
  const refused = (query: Record<string, string>, person: Person = "alice") =>
    test.api(person, "GET", `/api/find?${new URLSearchParams(query)}`);
  return Object.assign(stack.move(), { test, alpha, agent, ids, open, refused });
}

const requestOf = ({ request }: StreamOpen) => request as RequestOf<"find">;

function answer(agent: FakeAgent, id: number, lines: unknown[], more = {}): void {
  const text = lines.map(line).join("") + end(more);
  agent.data(id, text);
  agent.endStream(id);
}

function eventsOf({ text }: RawStream): { event: string; data: Record<string, unknown> }[] {
  return [...text.matchAll(/event: (\w+)\ndata: (.*)\n/g)].map(([, event, data]) => ({
    event: event!,
    data: JSON.parse(data!),
  }));
}

const found = (stream: RawStream) =>
  eventsOf(stream).filter(({ event }) => event === "match").map(({ data }) => data);

async function ended(stream: RawStream) {
  assert.ok(await stream.until("event: end"), stream.text);
  assert.ok(await stream.until("}\n\n"), stream.text);
  return eventsOf(stream).findLast(({ event }) => event === "end")!.data;
}

Deno.test("matches come as they are found, the newest snapshot first, then the rest in few runs", async () => {
  await using all = await world(30);
  const stream = await all.open({
    pattern: "*.log",
    case: "ignore",
    newer: "2026-01-01",
    older: "2026-01-02",
    min_size: "5",
    max_size: "9",
  });
  const first = await all.agent.opened(1);
  assert.deepEqual(first.request, {
    kind: "find",
    repository_id: all.alpha.repositoryId,
    snapshots: [all.ids[0]],
    pattern: "*.log",
    mode: "pattern",
    ignore_case: true,
    newer: Date.UTC(2026, 0, 1),
    older: Date.UTC(2026, 0, 3) - 1,
    min_size: 5,
    max_size: 9,
  });
  all.agent.data(1, line(match(0, "/home/a.log")));
  // Before the run has ended.
  assert.ok(await stream.until("event: match"));
  all.agent.data(1, end());
  all.agent.endStream(1);
  const second = requestOf(await all.agent.opened(2));
  assert.deepEqual(second.snapshots, all.ids.slice(1, 26));
  answer(all.agent, 2, [match(24, "/home/caf\ufffd")]);
  assert.deepEqual(requestOf(await all.agent.opened(3)).snapshots, all.ids.slice(26));
  answer(all.agent, 3, [], { missing: [3] });
  const state = await ended(stream);
  const matches = found(stream);
  assert.deepEqual(matches.map(({ snapshot_id, path, exact }) => [snapshot_id, path, exact]), [
    [all.ids[0], "/home/a.log", true],
    [all.ids[25], "/home/caf\ufffd", false],
  ]);
  assert.deepEqual([matches[0]!.size, matches[0]!.modified_at, matches[0]!.host], [
    5,
    "1970-01-01T00:00:01.000Z",
    "machine",
  ]);
  assert.deepEqual(state, {
    snapshots: 30,
    searched: 29,
    matches: 2,
    cut: false,
    not_searched: [{
      repository_id: all.alpha.repositoryId,
      repository: "alpha repository",
      snapshots: 1,
      why: "a forget has removed them since the last list",
    }],
  });
  const audit = all.test.server.database.sqlite
    .prepare("select detail from audit where action = 'snapshot.searched'").all() as {
      detail: string;
    }[];
  assert.deepEqual(audit.map(({ detail }) => JSON.parse(detail)), [
    { pattern: "*.log", mode: "pattern", snapshots: 30 },
  ]);
  assert.equal(all.test.server.searches.running, 0);
});

Deno.test("hosts and repositories are searched apart; what nobody online can read is named, and another host reads for one that goes", async () => {
  await using all = await world(2);
  const beta = await joinHost(all.test, "beta", { id: all.alpha.repositoryId });
  const gamma = await joinHost(all.test, "gamma");
  const betas = await FakeAgent.connect(all.test.url, beta.bearer);
  const gammas = await FakeAgent.connect(all.test.url, gamma.bearer);
  await betas.acknowledged(betas.snapshots(all.alpha.repositoryId, [idOf(0, "b")]));
  await gammas.acknowledged(gammas.snapshots(gamma.repositoryId, [idOf(0, "c"), idOf(1, "c")]));
  const ofBeta = await all.open({ pattern: "x", host: beta.hostId });
  assert.deepEqual(requestOf(await betas.opened(1)).snapshots, [idOf(0, "b")]);
  answer(betas, 1, [match(0, "/x")]);
  assert.deepEqual((await ended(ofBeta)).searched, 1);
  const ofGamma = await all.open({ pattern: "x", repository: gamma.repositoryId });
  await gammas.opened(1);
  answer(gammas, 1, []);
  await gammas.opened(2);
  gammas.endStream(2, { code: "unreachable", message: "<script>" });
  const state = await ended(ofGamma);
  assert.deepEqual([state.searched, state.snapshots], [1, 2]);
  const [{ why, snapshots }] = state.not_searched as [{ why: string; snapshots: number }];
  assert.match(why, /gamma does not reach the repository gamma/);
  assert.equal(snapshots, 1);
  await gammas.close();
  await eventually("gamma is offline", () => !all.test.server.agents.isOnline(gamma.hostId));
  const fleet = await all.open({ pattern: "x" });
  // alpha goes in the middle: beta goes on.
  const opened = await Promise.any([all.agent.opened(1), betas.opened(2)]);
  const newest = requestOf(opened).snapshots;
  const [going, staying, number] = all.agent.received.some(({ type }) => type === "stream.open")
    ? [all.agent, betas, 2]
    : [betas, all.agent, 1];
  going.socket.close();
  const again = requestOf(await staying.opened(number));
  assert.deepEqual(again.snapshots, newest);
  answer(staying, number, [match(0, "/x")]);
  assert.equal(requestOf(await staying.opened(number + 1)).snapshots.length, 2);
  answer(staying, number + 1, []);
  const last = await ended(fleet);
  assert.deepEqual([last.searched, last.snapshots, last.matches], [3, 5, 1]);
  const offline = last.not_searched as { repository: string; why: string; snapshots: number }[];
  assert.deepEqual(offline.map(({ repository, snapshots }) => [repository, snapshots]), [[
    "gamma repository",
    2,
  ]]);
  assert.match(offline[0]!.why, /No machine that can read this snapshot is online/);
  if (!betas.closed) await betas.close();
});

Deno.test("a viewer searches nothing, an operator finds what lies below the approved folders or leads there, of hosts with such folders alone", async () => {
  await using all = await world(1);
  const { status } = await all.refused({ pattern: "x" }, "victor");
  assert.equal(status, 403);
  const stream = await all.open({ pattern: "x" }, "olive");
  await all.agent.opened(1);
  const paths = [
    "/home/x",
    "/homes/x",
    "/etc/x",
    "/home",
    "/x",
    "/home/caf\ufffd/x",
    "/hom\ufffd/x",
  ];
  answer(all.agent, 1, paths.map((path) => match(0, path)));
  const state = await ended(stream);
  assert.deepEqual(found(stream).map(({ path }) => path), [
    "/home/x",
    "/home",
    "/home/caf\ufffd/x",
  ]);
  assert.equal(state.matches, 3);
  all.test.server.database.sqlite.prepare("update hosts set approved_roots = '[]'").run();
  const none = await all.refused({ pattern: "x" }, "olive");
  assert.equal(none.status, 403);
  const all2 = await all.open({ pattern: "y", host: "machine" });
  await all.agent.opened(2);
  answer(all.agent, 2, [match(0, "/etc/y")]);
  assert.equal((await ended(all2)).matches, 1);
});

Deno.test("bad input names its field, and nothing is asked of anybody", async () => {
  await using all = await world(1);
  const bad: [Record<string, string>, string][] = [
    [{}, "pattern"],
    [{ pattern: "" }, "pattern"],
    [{ pattern: "x".repeat(1001) }, "pattern"],
    [{ pattern: "a\0b" }, "pattern"],
    [{ pattern: "[" }, "pattern"],
    [{ pattern: ".." }, "pattern"],
    [{ pattern: "/" }, "pattern"],
    [{ pattern: "a/b", mode: "part" }, "pattern"],
    [{ pattern: "x", mode: "regex" }, "mode"],
    [{ pattern: "x", case: "yes" }, "case"],
    [{ pattern: "x", newer: "yesterday" }, "newer"],
    [{ pattern: "x", older: "+275000-01-01" }, "older"],
    [{ pattern: "x", min_size: "-1" }, "min_size"],
    [{ pattern: "x", max_size: "1.5" }, "max_size"],
    [{ pattern: "x", max_size: "1e300" }, "max_size"],
    [{ pattern: "x", repository: "?" }, "repository"],
  ];
  for (const [query, field] of bad) {
    const { status, body } = await all.refused(query);
    assert.deepEqual([status, body.error?.field], [422, field], JSON.stringify(query));
  }
  const other = await all.refused({ pattern: "x", repository: all.alpha.hostId });
  assert.deepEqual([other.status, other.body.error.field], [404, "repository"]);
  const nothing = await all.open({ pattern: "x", host: "nobody" });
  assert.deepEqual((await ended(nothing)).snapshots, 0);
  assert.ok(!all.agent.received.some(({ type }) => type === "stream.open"));
});

Deno.test("what is no answer to the search is an error of the agent; an endless one is cut and ended", async () => {
  await using all = await world(1);
  const wrong = [
    "",
    line(match(0, "/x")),
    line(match(1, "/x")) + end(),
    end() + line(match(0, "/x")),
    line(match(0, "relative")) + end(),
    line(match(0, "/a\0b")) + end(),
    line(match(0, "/x", -1)) + end(),
    line([0, "door", "/x", 1, 1]) + end(),
    end({ missing: [3] }),
    "no json\n" + end(),
    "\ufeff" + end(),
  ];
  for (const [n, text] of wrong.entries()) {
    const stream = await all.open({ pattern: "x" });
    await all.agent.opened(n + 1);
    if (text) all.agent.data(n + 1, text);
    all.agent.endStream(n + 1);
    const { searched, not_searched } = await ended(stream);
    assert.equal(searched, 0, text);
    assert.match((not_searched as [{ why: string }])[0].why, /agent could not search them/, text);
  }
  // More than it may send in one stream.
  const stream = await all.open({ pattern: "x" });
  const id = wrong.length + 1;
  await all.agent.opened(id);
  const piece = Array.from({ length: 500 }, (_, n) => line(match(0, `/${n}`))).join("");
  const isCancelled = (id: number) =>
    all.agent.received.some((each) => each.type === "stream.cancel" && each.stream_id === id);
  for (let n = 0; n < 11; n++) all.agent.data(id, piece);
  const state = await ended(stream);
  assert.deepEqual([state.matches, state.searched], [5000, 0]);
  await eventually("the agent is told to end it", () => isCancelled(id));
  all.agent.endStream(id);
  // More than are kept, in two.
  await all.agent.acknowledged(all.agent.snapshots(all.alpha.repositoryId, [idOf(0), idOf(1)]));
  const second = await all.open({ pattern: "x" });
  await all.agent.opened(id + 1);
  for (let n = 0; n < 10; n++) all.agent.data(id + 1, piece);
  all.agent.data(id + 1, end());
  all.agent.endStream(id + 1);
  await all.agent.opened(id + 2);
  all.agent.data(id + 2, line(match(0, "/x")));
  const cut = await ended(second);
  assert.deepEqual([cut.matches, cut.cut, cut.searched], [5000, true, 1]);
  assert.equal(found(second).length, 5000);
  await eventually("the agent is told to end it", () => isCancelled(id + 2));
  assert.equal(all.test.server.searches.running, 0);
});

Deno.test("who leaves ends the search; a third at once is refused", async () => {
  await using all = await world(1);
  const one = await all.open({ pattern: "x" });
  const two = await all.open({ pattern: "x" });
  await all.agent.opened(2);
  const third = await all.refused({ pattern: "x" });
  assert.deepEqual([third.status, third.body.error.code], [429, "too_many"]);
  one.close();
  const cancelled = await all.agent.next("stream.cancel");
  all.agent.endStream(cancelled.stream_id, { code: "cancelled", message: "" });
  await eventually("there is room again", () => all.test.server.searches.running === 1);
  two.close();
  await eventually("nothing runs", () => all.test.server.searches.running === 0);
  // Pages that nobody looks at any more make room for the next one of the same person.
  const page = await browsePage(all.test, "alice");
  for (const word of ["a", "b", "c"]) {
    assert.match(await page(`/find?pattern=${word}`), /Searching…/, word);
  }
  assert.match(
    await eventually("the first is stopped", async () => {
      const text = await page("/find?pattern=a");
      return text.includes("Stopped: 0 of 1") && text;
    }),
    /Search again/,
  );
  assert.match(await page("/find?pattern=c"), /Searching…/);
});

Deno.test("the page searches, shows versions as they come with a restore each, and since when a file is missing", async () => {
  await using all = await world(5);
  const page = await browsePage(all.test, "alice");
  const address = `/find?host=${all.alpha.hostId}&pattern=report`;
  assert.match(await page(`/hosts/${all.alpha.hostId}`), /Find a file in its snapshots/);
  assert.match(await page("/find"), /In all snapshots of all hosts/);
  const waiting = await page(address);
  assert.match(waiting, /Searching… 0 of 5 snapshots searched/);
  assert.match(waiting, /http-equiv="refresh"/);
  const live = /data-live="([^"]+)"/.exec(waiting)![1]!.replaceAll("&amp;", "&");
  const stream = await RawStream.open(all.test.url, live, `Bearer ${all.test.tokens.alice}`);
  assert.equal(requestOf(await all.agent.opened(1)).mode, "part");
  answer(all.agent, 1, [match(0, "/home/<b>report", 7)]);
  assert.ok(await stream.until("&lt;b&gt;report"));
  await all.agent.opened(2);
  answer(all.agent, 2, [
    match(0, "/home/<b>report", 5),
    match(1, "/home/<b>report", 5),
    match(2, "/home/report gone\r\n", 3),
    match(3, "/home/report gone\r\n", 2),
    match(3, "/home/report caf\ufffd", 2),
  ]);
  assert.ok(await stream.until("event: reload"));
  stream.close();
  const shown = await page(address);
  assert.match(shown, /5 of 5 snapshots searched, 3 files found\./);
  assert.ok(!shown.includes("http-equiv"));
  assert.match(shown, /an earlier version/);
  assert.match(shown, /and 1 other</);
  // A line feed in a form's value would become two letters.
  assert.match(
    shown,
    /formaction="\/snapshots\/0003a+\/restore\?[^"]+" name="item" value="bytes:\/home\/report%20gone%0D%0A"/,
  );
  assert.equal([...shown.matchAll(/missing since/g)].length, 2);
  // What may hold other bytes has no button.
  assert.equal([...shown.matchAll(/>Restore</g)].length, 4);
  // The same words cost nothing again, and another person's search is his own.
  await page(address);
  const olive = await browsePage(all.test, "olive");
  assert.match(await olive(address), /Searching…/);
  const third = await all.agent.opened(3);
  all.agent.endStream(third.stream_id, { code: "failed", message: "x" });
  const failed = await eventually("it has ended", async () => {
    const text = await olive(address);
    return text.includes("Not searched") && !text.includes("Searching…") && text;
  });
  assert.match(failed, /No file found/);
  assert.match(failed, /left out by an exclude/);
  assert.match(await page("/find?pattern=%5B&mode=pattern"), /pattern must be a pattern of/);
  const victor = await browsePage(all.test, "victor");
  assert.match(await victor("/find"), /operator/i);
  assert.ok(!(await victor(`/hosts/${all.alpha.hostId}`)).includes("/find"));
});
