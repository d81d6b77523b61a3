// GET /api/snapshots: every snapshot of every list once, whoever lists it, filtered, marked, and page by page while lists change.
import assert from "node:assert/strict";
import { newId } from "../../../shared/new_id.ts";
import { withFoldersAbove } from "../../../server/snapshots/list.ts";
import { isMuchSmaller } from "../../../server/snapshots/marks.ts";
import { browsePage } from "../../support/browse_page.ts";
import { FakeRepository, Machine, randomId, SUMMARY } from "../../support/fake_repository.ts";
import { seedHosts, seedRepository } from "../../support/seed.ts";
import { type Person, startServer, type TestServer } from "../../support/start_server.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

interface Item {
  id: string;
  host: string;
  host_id: string | null;
  [name: string]: unknown;
}

function asking(test: TestServer) {
  const ask = async (query: Record<string, string> = {}, person: Person = "victor") =>
    await test.api(person, "GET", `/api/snapshots?${new URLSearchParams(query)}`);
  const items = async (query: Record<string, string> = {}): Promise<Item[]> => {
    const { status, body } = await ask(query);
    assert.equal(status, 200, JSON.stringify(body));
    return body.items;
  };
  const ids = async (query: Record<string, string> = {}) =>
    (await items(query)).map(({ id }) => id);
  return { ask, items, ids };
}

async function setUp() {
  await using stack = new AsyncDisposableStack();
  const test = stack.use(await startServer());
  const repository = new FakeRepository();
  const alpha = await Machine.join(test, repository, "alpha");
  stack.defer(() => alpha.agent.close());
  const beta = await Machine.join(test, repository, "beta", alpha.host.repositoryId);
  stack.defer(() => beta.agent.close());
  return Object.assign(stack.move(), { test, repository, alpha, beta, ...asking(test) });
}

Deno.test("each snapshot is there once, the newest first, as the host has it whose list held it first", async () => {
  await using all = await setUp();
  const { test, alpha, beta, repository } = all;
  const now = test.server.now();
  const [a, b] = [1, 2].map((n) => repository.add({ hostname: "alpha", time: now - n * HOUR }));
  const c = repository.add({ hostname: "beta", time: now - 3 * HOUR });
  const gone = repository.add({ hostname: "gone", tags: [], time: now - 4 * HOUR });
  await alpha.agent.acknowledged(alpha.list());
  // A host that lists what is another's, at another time and under its own name, changes nothing about it.
  const lie = { ...a!, time: now - 30 * DAY, hostname: "beta", tags: ["lie"] };
  await beta.agent.acknowledged(beta.list([c, lie]));
  await alpha.keep({ keep_last: 9 });
  await alpha.forget();
  const items = await all.items();
  assert.deepEqual(items.map(({ id }) => id), [a!.id, b!.id, c.id, gone.id]);
  assert.deepEqual(items.map(({ host, host_id }) => [host, host_id]), [
    ["alpha", alpha.host.hostId],
    ["alpha", alpha.host.hostId],
    ["beta", beta.host.hostId],
    ["gone", null],
  ]);
  assert.deepEqual([
    items[0]!.time,
    items[0]!.tags,
    items[0]!.paths,
    items[0]!.files,
    items[0]!.bytes,
  ], [
    new Date(a!.time).toISOString(),
    ["default"],
    ["/home"],
    10,
    1000,
  ]);
  assert.deepEqual(
    [items[0]!.pinned, items[0]!.ours, items[0]!.job_id, items[0]!.incomplete, items[0]!.listed],
    [false, false, null, null, true],
  );
  assert.deepEqual(await all.ids({ host: beta.host.hostId }), [c.id, a!.id]);
  // The first host is removed: what another one lists of it is then that one's, and the whole list has the rest.
  assert.equal((await test.api("alice", "DELETE", `/api/hosts/${alpha.host.hostId}`)).status, 204);
  assert.deepEqual(await all.ids(), [b!.id, c.id, gone.id, a!.id]);
  assert.deepEqual(await all.ids({ host: "alpha" }), [b!.id]);
});

Deno.test("filters are by whole names, paths by what they are below, times by the day, and hostile text is text", async () => {
  await using all = await setUp();
  const { test, alpha, beta, repository } = all;
  const noon = Date.parse("2026-11-20T12:00:00Z");
  const hostile = `x"],["%_' or 1=1 --\\<b>`;
  const at = (n: number) => noon - n * DAY;
  const home = repository.add({ hostname: "alpha", time: at(0), tags: ["a", "b"] });
  const odd = repository.add({
    hostname: "alpha",
    time: at(1),
    tags: [hostile, "x,y"],
    paths: ["/srv/a%b", `/srv/${hostile}`],
  });
  const windows = repository.add({
    hostname: "alpha",
    time: at(2),
    paths: ["C:\\Users"],
    tags: [],
  });
  const other = repository.add({ hostname: "beta", time: at(3), paths: ["/"] });
  await alpha.agent.acknowledged(alpha.list());
  await beta.agent.acknowledged(beta.list());
  const expected: [Record<string, string>, { id: string }[]][] = [
    [{}, [home, odd, windows, other]],
    [{ host: "alpha" }, [home, odd, windows]],
    [{ host: "alph" }, []],
    [{ host: alpha.host.hostId }, [home, odd, windows]],
    [{ host: newId() }, []],
    [{ repository: alpha.host.repositoryId }, [home, odd, windows, other]],
    [{ repository: newId() }, []],
    [{ tag: "a" }, [home]],
    [{ tag: "A" }, []],
    [{ tag: hostile }, [odd]],
    // In the text of the list, but no tag.
    [{ tag: "," }, []],
    [{ tag: 'a","b' }, []],
    [{ tag: "%" }, []],
    [{ path: "/home" }, [home, other]],
    [{ path: "/home/alice/" }, [home, other]],
    [{ path: "/homes" }, [other]],
    [{ path: "/srv/aXb" }, [other]],
    [{ path: "/srv/a%b/c" }, [odd, other]],
    [{ path: `/srv/${hostile}` }, [odd, other]],
    [{ path: "C:\\Users\\alice" }, [windows]],
    [{ path: "C:\\" }, []],
    [{ from: "2026-11-19" }, [home, odd]],
    [{ to: "2026-11-19" }, [odd, windows, other]],
    [{ from: "2026-11-18", to: "2026-11-18" }, [windows]],
    [{ from: "2026-11-20T12:00:00.001Z" }, []],
    [{ from: "2026-11-20T12:00:00Z", tag: "b", host: "alpha", path: "/home" }, [home]],
    [{ host: "", tag: "", path: "", from: "" }, [home, odd, windows, other]],
  ];
  for (const [query, found] of expected) {
    assert.deepEqual(await all.ids(query), found.map(({ id }) => id), JSON.stringify(query));
  }
  for (
    const [query, field] of [
      [{ repository: "' or 1=1" }, "repository"],
      [{ from: "soon" }, "from"],
      [{ to: "2026-13-01" }, "to"],
      [{ tag: "x".repeat(201) }, "tag"],
      [{ path: "/".repeat(1025) }, "path"],
      [{ cursor: "1.2.3" }, "cursor"],
      [{ limit: "0" }, "limit"],
    ] as [Record<string, string>, string][]
  ) {
    const { status, body } = await all.ask(query);
    assert.deepEqual([status, body.error.field], [422, field]);
  }
  const page = await browsePage(test, "victor");
  const base = `/repositories/${alpha.host.repositoryId}/snapshots`;
  const shown = await page(`${base}?${new URLSearchParams({ tag: hostile })}`);
  assert.match(shown, new RegExp(odd.id.slice(0, 8)));
  assert.ok(!shown.includes(home.id.slice(0, 8)));
  assert.ok(!shown.includes("<b>") && !shown.includes(`href="/snapshots/`));
  assert.match(await page(`${base}?day=2026-11-18`), new RegExp(windows.id.slice(0, 8)));
  assert.match(await page(`${base}?from=soon`), /from must be a time/);
  assert.match(await (await browsePage(test, "olive"))(base), /href="\/snapshots\//);
});

Deno.test("pages hold no snapshot twice and miss none that stays, while lists come and go", async () => {
  await using all = await setUp();
  const { test, alpha, beta, repository } = all;
  const now = test.server.now();
  // Several of one moment, in the lists of two hosts.
  for (let n = 0; n < 20; n++) {
    repository.add({ hostname: n % 2 ? "alpha" : "beta", time: now - Math.floor(n / 4) * HOUR });
  }
  const list = async () => {
    await alpha.agent.acknowledged(alpha.list());
    await beta.agent.acknowledged(beta.list());
  };
  await list();
  const stays = await all.ids({ limit: "500" });
  assert.equal(stays.length, 20);
  const seen: string[] = [];
  let cursor: string | null = "";
  for (let n = 0; cursor !== null; n++) {
    const { body } = await all.ask({ limit: "3", ...(cursor ? { cursor } : {}) });
    seen.push(...body.items.map(({ id }: Item) => id));
    cursor = body.next_cursor;
    // A new one at the top, one that was shown goes, the lists are handed in anew.
    repository.add({ hostname: "alpha", time: now + (n + 1) * 1000 });
    repository.snapshots = repository.snapshots.filter(({ id }) => id !== seen[0]);
    await list();
  }
  assert.deepEqual(seen, stays);
});

Deno.test("a snapshot that is in two repositories is in the list of each", async () => {
  await using all = await setUp();
  const { test, alpha, repository } = all;
  const gamma = await Machine.join(test, repository, "gamma");
  all.defer(() => gamma.agent.close());
  const both = repository.add({ hostname: "alpha", time: test.server.now() });
  await alpha.agent.acknowledged(alpha.list());
  await gamma.agent.acknowledged(gamma.list([both]));
  const found = await all.items();
  const repositories = [alpha, gamma].map(({ host }) => host.repositoryId);
  assert.deepEqual(
    found.map(({ repository_id }) => repository_id).sort(),
    [...repositories].sort(),
  );
  for (const [n, { host }] of [alpha, gamma].entries()) {
    const [one, more] = await all.items({ repository: repositories[n]! });
    assert.deepEqual([one!.id, one!.host_id, more], [both.id, host.hostId, undefined]);
  }
});

Deno.test("what is incomplete, withheld or much smaller than the one before of its host and tags is marked", async () => {
  await using all = await setUp();
  const { test, alpha } = all;
  const later = () => test.clock.pass(HOUR);
  later();
  const first = await alpha.backup({ files: 100, bytes: 8000 });
  later();
  const same = await alpha.backup({ files: 50, bytes: 4000 });
  later();
  // Of another group in between: not what it is compared with.
  all.repository.add({
    hostname: "alpha",
    time: test.server.now(),
    tags: ["x"],
    files: 1,
    bytes: 1,
  });
  later();
  const fewer = await alpha.backup({ files: 24, bytes: 4000 });
  later();
  const warned = await alpha.backup({ files: 24, bytes: 4000 }, { warnings: 2 });
  later();
  // restic before 0.17 lists no sizes: the job has them.
  const summed = (bytes_processed: number) => (id: string) => ({
    summary: { ...SUMMARY, bytes_processed, snapshot_id: id },
  });
  const [big, small] = [randomId(), randomId()];
  await alpha.backup({ id: big, files: null, bytes: null }, summed(100_000)(big));
  later();
  await alpha.backup({ id: small, files: null, bytes: null }, summed(40_000)(small));
  await alpha.agent.acknowledged(alpha.list());
  const items = new Map((await all.items({ tag: "default" })).map((item) => [item.id, item]));
  const marks = (one: { id: string }) => {
    const { incomplete, much_smaller, ours, job_id, seconds } = items.get(one.id)!;
    return [incomplete, much_smaller, ours, job_id !== null, typeof seconds];
  };
  assert.deepEqual(marks(first), [false, false, true, true, "number"]);
  assert.deepEqual(marks(same), [false, false, true, true, "number"]);
  assert.deepEqual(marks(fewer), [false, true, true, true, "number"]);
  assert.deepEqual(marks(warned), [true, false, true, true, "number"]);
  assert.deepEqual([items.get(big)!.bytes, items.get(big)!.files, items.get(big)!.much_smaller], [
    100_000,
    100,
    false,
  ]);
  assert.deepEqual([items.get(small)!.bytes, items.get(small)!.much_smaller], [40_000, true]);
  const page = await (await browsePage(test, "olive"))(`/hosts/${alpha.host.hostId}`);
  assert.equal(page.match(/>much smaller</g)?.length, 2);
  // What is far less than usual is warned of by its job.
  assert.equal(page.match(/>incomplete</g)?.length, 2);
  assert.match(page, /20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC/);
});

Deno.test("isMuchSmaller() is less than half of the files or of the bytes, where both are known", () => {
  const before = { files: 100, bytes: 1000 };
  const is = (files: number | null, bytes: number | null, of = before) =>
    isMuchSmaller({ files, bytes }, of);
  assert.deepEqual([is(50, 500), is(49, 1000), is(100, 499), is(null, null), is(null, 1)], [
    false,
    true,
    true,
    false,
    true,
  ]);
  assert.equal(is(0, 0, { files: 0, bytes: 0 }), false);
});

Deno.test("withFoldersAbove() names what a snapshot of it may have as its path", () => {
  assert.deepEqual(withFoldersAbove("/a/b/").sort(), ["/", "/a", "/a/", "/a/b", "/a/b/"]);
  assert.deepEqual(withFoldersAbove("/"), ["/"]);
  assert.ok(withFoldersAbove("C:\\Users").includes("C:\\"));
  assert.ok(withFoldersAbove("C:").includes("C:\\"));
});

Deno.test("of 100,000 snapshots a page reads what it shows, and one that matches nothing takes a moment", async () => {
  await using test = await startServer({ still: true });
  const { items, ask } = asking(test);
  const repositories = await Promise.all(
    [0, 1, 2, 3].map((n) => seedRepository(test, `r${n}`, `rest:https://nas.example/${n}/`, null)),
  );
  const hosts = await seedHosts(
    test,
    Array.from({ length: 200 }, (_, n) => ({ name: `h${n}`, repository_id: repositories[n % 4]! })),
  );
  const { sqlite } = test.server.database;
  sqlite.exec(`
    insert into snapshots (host_id, report_id, id, time, tags, paths, hostname, files, bytes)
      with recursive count(n) as (select 0 union all select n + 1 from count where n < 499)
      select hosts.id, 'list', lower(hex(randomblob(32))), ${test.server.now()} - n * ${HOUR} - hosts.rowid * 1000,
        case n when 499 then '["rare"]' else '["system"]' end, '["/etc","/home"]', hosts.name, 10, 1000
      from hosts cross join count;
    update hosts set snapshots_report_id = 'list'`);
  const fastest = async (query: Record<string, string>, count: number) => {
    const times: number[] = [];
    for (let n = 0; n < 3; n++) {
      const began = performance.now();
      assert.equal((await items({ ...query, limit: "50" })).length, count);
      times.push(performance.now() - began);
    }
    return Math.min(...times);
  };
  const cursor = (await ask({ limit: "500" })).body.next_cursor as string;
  const whole = await fastest({ path: "/nowhere" }, 0);
  assert.ok(whole < 3000, `${whole} ms`);
  const queries: Record<string, string>[] = [
    {},
    { cursor },
    { repository: repositories[2]! },
    { host: hosts[7]!.id },
    { to: new Date(test.server.now() - 400 * HOUR).toISOString() },
  ];
  for (const query of queries) {
    const took = await fastest(query, 50);
    assert.ok(took < whole / 2, `${JSON.stringify(query)}: ${took} ms of ${whole}`);
  }
  assert.ok(await fastest({ tag: "rare" }, 50) < 3000);
});
