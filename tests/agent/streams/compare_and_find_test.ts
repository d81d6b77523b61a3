// What differs between two snapshots, and where files are, as the agent sends it: real repositories, real restic, names as bad as they come.
import assert from "node:assert/strict";
import { join } from "node:path";
import type { Agent } from "../../../agent/agent.ts";
import { type Brake, NO_BRAKE } from "../../../agent/brake/brake.ts";
import { TIMEOUTS } from "../../../agent/restic/context.ts";
import { compareSnapshots } from "../../../agent/streams/diff.ts";
import { findFiles } from "../../../agent/streams/find.ts";
import { type Produced, RunningStreams, StreamProblem } from "../../../agent/streams/running.ts";
import { DIFF_CHANGES_LIMIT, DiffLine } from "../../../shared/diff.ts";
import {
  FIND_MATCHES_LIMIT,
  type FindEnd,
  FindLine,
  type FindMatchLine,
} from "../../../shared/find.ts";
import type { RequestOf } from "../../../shared/stream.ts";
import { eventually } from "../../support/eventually.ts";
import { FakeRestic } from "../../support/fake_restic.ts";
import { placeRepository, type RealRestic, resticByHand, restics } from "../../support/restic.ts";
import { access, testFolder } from "../../support/start_agent.ts";

const PASSWORD = "secret-of-the-repository";
const [A, B] = ["a".repeat(64), "b".repeat(64)];

function agentIn(folder: string, restic: { path: string; version: string }, more: {
  brake?: Partial<Brake>;
  logged?: string[];
} = {}): Agent {
  const repository = { ...access(join(folder, "repository")), id: "r1" };
  return {
    brake: { ...NO_BRAKE, ...more.brake },
    settings: { stateDir: folder, configDir: folder },
    state: undefined,
    environment: (name: string) => name === "HOME" ? folder : undefined,
    timeouts: { ...TIMEOUTS, graceMs: 3000 },
    plan: { config: { repository: { ...repository, password: PASSWORD }, snapshot_host: "alpha" } },
    restic: { find: () => Promise.resolve(restic) },
    log: { debug: (line: string) => more.logged?.push(line) },
  } as unknown as Agent;
}

async function linesOf(produced: Produced): Promise<unknown[]> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const piece of produced) text += decoder.decode(piece, { stream: true });
  return text.trimEnd().split("\n").map((line) => JSON.parse(line));
}

const never = () => new AbortController().signal;

async function diff(agent: Agent, base: string, snapshot: string) {
  const request = { kind: "diff", repository_id: "r1", base, snapshot } as const;
  const lines = (await linesOf(compareSnapshots(agent, request, never())))
    .map((line) => DiffLine.parse(line));
  const end = lines.pop() as Exclude<DiffLine, unknown[]>;
  return { changes: (lines as [string, string][]).map((each) => each.join(" ")).sort(), end };
}

type FindRequest = RequestOf<"find">;

const find = (
  snapshots: string[],
  pattern: string,
  more: Partial<FindRequest> = {},
): FindRequest => ({
  kind: "find",
  repository_id: "r1",
  snapshots,
  pattern,
  mode: "name",
  ignore_case: false,
  newer: null,
  older: null,
  min_size: null,
  max_size: null,
  ...more,
});

async function found(agent: Agent, request: FindRequest) {
  const lines = (await linesOf(findFiles(agent, request, never()))).map((line) =>
    FindLine.parse(line)
  );
  const end = lines.pop() as FindEnd;
  return { matches: lines as FindMatchLine[], end };
}

const code = (expected: string) => (error: unknown) =>
  error instanceof StreamProblem && error.code === expected || assert.fail(String(error));

async function bash(cwd: string, script: string) {
  const { success, stderr } = await new Deno.Command("bash", {
    args: ["-c", `set -e; ${script}`],
    cwd,
  })
    .output();
  assert.ok(success, new TextDecoder().decode(stderr));
}

async function backup(restic: RealRestic, folder: string, host = "alpha") {
  const repository = join(folder, "repository");
  await resticByHand(restic, repository, ["backup", "--host", host, join(folder, "d")]);
  const all = JSON.parse(await resticByHand(restic, repository, ["snapshots", "--json"]));
  return all.at(-1).id as string;
}

for (const restic of restics) {
  Deno.test(`what was added, removed, changed or became another type is sent, whatever its name (restic ${restic.version})`, async () => {
    using folder = testFolder();
    const root = join(folder.path, "d");
    await placeRepository(restic, join(folder.path, "repository"));
    await bash(
      folder.path,
      "mkdir -p d/sub d/gone/deep d/inside d/both; cd d; printf 1 >'a*[b]'; printf 1 >same; printf 1 >mode; printf x >gone/deep/y; printf t >turn; mkdir turned; printf i >turned/inner; printf q >$'old\\nline'; ln -s same link",
    );
    const base = await backup(restic, folder.path);
    await bash(
      folder.path,
      "cd d; printf 22 >'a*[b]'; chmod 600 mode; rm -r gone turn turned; mkdir turn; printf zz >turn/inner; printf f >turned; rm $'old\\nline'; printf n >$'caf\\xe9 -rf'; printf n >$'two\\nlines'; printf '%s' new >'\"quoted\\'; ln -sfn other link; printf in >inside/file",
    );
    const snapshot = await backup(restic, folder.path);
    const agent = agentIn(folder.path, restic);
    const { changes, end } = await diff(agent, base, snapshot);
    const expected = [
      `+ ${root}/"quoted\\`,
      `+ ${root}/caf\ufffd -rf`,
      `+ ${root}/inside/file`,
      `+ ${root}/two\nlines`,
      `- ${root}/gone/`,
      `- ${root}/gone/deep/`,
      `- ${root}/gone/deep/y`,
      `- ${root}/old\nline`,
      `M ${root}/a*[b]`,
      `T ${root}/turn/`,
      `T ${root}/turned`,
      `U ${root}/mode`,
    ];
    // Folders whose times alone changed, and what restic calls a link with another target, differ by version.
    const others = changes.filter((each) => !expected.includes(each));
    assert.deepEqual(expected.filter((each) => !changes.includes(each)), [], changes.join("\n"));
    assert.ok(
      others.every((each) => /^U .*\/$/.test(each) || /^[MU] .*\/link$/.test(each)),
      others.join("\n"),
    );
    assert.deepEqual([end.base, end.snapshot, end.cut, end.left_out], [base, snapshot, false, 0]);
    assert.equal(end.statistics!.changed_files >= 1, true);
    assert.ok(end.statistics!.added.bytes > 0 && end.statistics!.removed.files >= 2);
    // The other way round the same is removed.
    assert.ok((await diff(agent, snapshot, base)).changes.includes(`- ${root}/inside/file`));
    assert.deepEqual((await diff(agent, base, base)).changes, []);
    for (const pair of [[base, B], [A, snapshot]] as const) {
      await assert.rejects(diff(agent, ...pair), code("no_snapshot"));
    }
    assert.deepEqual([...Deno.readDirSync(join(folder.path, "repository/locks"))], []);
  });

  Deno.test(`files are found in each snapshot by name, part and pattern, by size and time, and nothing else is (restic ${restic.version})`, async () => {
    using folder = testFolder();
    const root = join(folder.path, "d");
    await placeRepository(restic, join(folder.path, "repository"));
    await bash(
      folder.path,
      "mkdir -p d/logs/old d/Logs 'd/x*y'; cd d; printf 12345 >logs/app.log; printf 1 >logs/old/app.log; printf 1 >logs/old/APP.LOG.1; printf 1 >'x*y/a[1]'; printf 1 >'x*y/a1'; printf 1 >-rf; printf 1 >'q?'; printf 1 >qq; printf 1 >$'two\\nlines'; printf 1 >'back\\slash'; : >empty; printf 1 >$'caf\\xe9'; touch -d '2001-02-03 04:05:06 UTC' logs/old/app.log",
    );
    const first = await backup(restic, folder.path);
    await bash(folder.path, "cd d; printf 1234567 >logs/app.log; rm -r 'x*y'");
    const second = await backup(restic, folder.path, "beta");
    const agent = agentIn(folder.path, restic);
    const both = [second, first];
    const names = async (pattern: string, more: Partial<FindRequest> = {}, ids = both) =>
      (await found(agent, find(ids, pattern, more))).matches
        .map(([n, type, path]) => `${n} ${type} ${path.slice(root.length)}`).sort();
    const { matches, end } = await found(agent, find(both, "app.log"));
    assert.deepEqual(end, { missing: [], cut: false });
    const sizes = matches.map(([n, , path, size]) => [n, path.slice(root.length), size]);
    assert.deepEqual(sizes.sort((a, b) => String(a) < String(b) ? -1 : 1), [
      [0, "/logs/app.log", 7],
      [0, "/logs/old/app.log", 1],
      [1, "/logs/app.log", 5],
      [1, "/logs/old/app.log", 1],
    ]);
    const old = matches.find(([n, , path]) => n === 1 && path.endsWith("old/app.log"))!;
    assert.equal(old[4], Date.UTC(2001, 1, 3, 4, 5, 6));
    // A folder is found without all that lies in it; letters count unless it is said.
    assert.deepEqual(await names("logs", {}, [first]), ["0 folder /logs"]);
    assert.deepEqual(await names("LOGS", { ignore_case: true }, [first]), [
      "0 folder /Logs",
      "0 folder /logs",
    ]);
    assert.deepEqual(await names("logs/old/", {}, [first]), ["0 folder /logs/old"]);
    assert.deepEqual(await names(`${root}/logs`, {}, [first]), ["0 folder /logs"]);
    // Letters of patterns are themselves in names.
    for (const name of ["a[1]", "-rf", "q?", "two\nlines", "back\\slash"]) {
      const all = await names(name);
      assert.ok(all.length > 0 && all.every((each) => each.endsWith(`/${name}`)), name);
    }
    assert.deepEqual(await names("x*y"), ["1 folder /x*y"]);
    assert.deepEqual(await names("[1", { mode: "part" }), ["1 file /x*y/a[1]"]);
    assert.deepEqual(await names("p.log", { mode: "part", ignore_case: true }, [first]), [
      "0 file /logs/app.log",
      "0 file /logs/old/APP.LOG.1",
      "0 file /logs/old/app.log",
    ]);
    assert.deepEqual(await names("q?", { mode: "pattern" }, [second]), [
      "0 file /q?",
      "0 file /qq",
    ]);
    assert.deepEqual(await names("a[[]1]", { mode: "pattern" }), ["1 file /x*y/a[1]"]);
    assert.deepEqual(await names("caf?", { mode: "pattern" }, [second]), ["0 file /caf\ufffd"]);
    assert.deepEqual(await names("app.log", { min_size: 6 }), ["0 file /logs/app.log"]);
    assert.deepEqual(await names("app.log", { max_size: 5 }, [second]), [
      "0 file /logs/old/app.log",
    ]);
    assert.deepEqual(await names("empty", { max_size: 0 }, [second]), ["0 file /empty"]);
    assert.deepEqual(await names("logs", { min_size: 0 }), []);
    const older = Date.UTC(2001, 1, 3, 4, 5, 6);
    assert.deepEqual(await names("app.log", { older }, [first]), ["0 file /logs/old/app.log"]);
    assert.deepEqual(await names("app.log", { newer: older + 1 }, [first]), [
      "0 file /logs/app.log",
    ]);
    assert.deepEqual(await names("nothing of this name"), []);
    // What is gone is named, and the rest is searched.
    const some = await found(agent, find([A, second, B], "empty"));
    assert.deepEqual([some.matches.map(([n]) => n), some.end.missing], [[1], [0, 2]]);
    assert.deepEqual((await found(agent, find([A], "empty"))).end.missing, [0]);
    for (const pattern of ["[", "a[b", "x\\", "[]"]) {
      await assert.rejects(
        found(agent, find(both, pattern, { mode: "pattern" })),
        code("failed"),
        pattern,
      );
    }
    assert.deepEqual([...Deno.readDirSync(join(folder.path, "repository/locks"))], []);
  });
}

Deno.test("a repository that is not this host's, or that its owner does not allow, is neither compared nor searched", async () => {
  using folder = testFolder();
  const fake = new FakeRestic(folder.path, { verbs: { "*": "exit 0" } });
  const restic = { path: fake.path, version: "0.18.0" };
  const braked = agentIn(folder.path, restic, { brake: { repositories: ["/srv/others/*"] } });
  await assert.rejects(found(braked, find([A], "x")), code("refused_by_machine"));
  await assert.rejects(diff(braked, A, B), code("refused_by_machine"));
  const other = { ...find([A], "x"), repository_id: "r2" };
  await assert.rejects(found(agentIn(folder.path, restic), other), code("no_credential"));
  assert.deepEqual(fake.starts, []);
});

Deno.test("a search or comparison that is cancelled ends restic", async () => {
  using folder = testFolder();
  const change = JSON.stringify({ message_type: "change", path: "/f", modifier: "+" });
  const match = JSON.stringify({ path: "/f", type: "file" });
  const fake = new FakeRestic(folder.path, {
    verbs: {
      diff: `echo $$ > '${folder.path}/pid'; while :; do echo '${change}'; done`,
      find:
        `echo $$ > '${folder.path}/pid'; printf '[{"matches":['; while :; do printf '%s,' '${match}'; sleep 0.01; done`,
    },
  });
  const agent = agentIn(folder.path, { path: fake.path, version: "0.18.0" });
  const streams = new RunningStreams((request, signal) =>
    request.kind === "diff"
      ? compareSnapshots(agent, request, signal)
      : request.kind === "find"
      ? findFiles(agent, request, signal)
      : assert.fail()
  );
  const requests = [find([A], "f"), {
    kind: "diff",
    repository_id: "r1",
    base: A,
    snapshot: B,
  }] as const;
  for (const request of requests) {
    const abort = new AbortController();
    for await (const piece of streams.start(request, abort.signal)) {
      assert.ok(piece.length > 0);
      abort.abort();
    }
    await eventually("nothing of it runs", () => streams.count === 0);
    const pid = Deno.readTextFileSync(join(folder.path, "pid")).trim();
    assert.throws(() => Deno.statSync(`/proc/${pid}`), request.kind);
  }
});

Deno.test("what restic says beyond reason is cut or left out, and the rest is sent", async () => {
  using folder = testFolder();
  const out = join(folder.path, "out");
  const fake = new FakeRestic(folder.path, { verbs: { "*": `cat '${out}'` } });
  const agent = agentIn(folder.path, { path: fake.path, version: "0.18.0" });
  const change = (path: unknown, modifier: unknown = "+") =>
    JSON.stringify({ message_type: "change", path, modifier });
  const odd = [change("relative"), change("/a\0b"), change(`/${"x".repeat(300_000)}`), "junk", "{"];
  Deno.writeTextFileSync(
    out,
    [
      ...odd,
      change("/ü", "TU"),
      change("/b", "MU"),
      change("/c", "M?"),
      change(5),
      change("/d", "Z"),
    ].join("\n"),
  );
  const first = await diff(agent, A, B);
  assert.deepEqual(first.changes, ["? /c", "M /b", "T /ü"]);
  assert.deepEqual([first.end.left_out, first.end.cut, first.end.statistics], [3, false, null]);
  Deno.writeTextFileSync(out, `${change("/n")}\n`.repeat(DIFF_CHANGES_LIMIT + 5));
  const many = await diff(agent, A, B);
  assert.deepEqual([many.changes.length, many.end.cut], [DIFF_CHANGES_LIMIT, true]);

  const match = (path: unknown, more = {}) =>
    JSON.stringify({ path, type: "file", size: 1, ...more });
  const group = (matches: string[], snapshot: unknown) =>
    `{"matches":[${matches.join(",")}],"hits":1,"snapshot":${JSON.stringify(snapshot)}}`;
  const all = (groups: string[]) => Deno.writeTextFileSync(out, `[${groups.join(",")}]`);
  const nested = match("/d/f", { user: 'a"]}[{\\', extra: { deep: [{ "]": "}" }] } });
  all([
    group([match("/c/f"), "5", "[]", match("f"), match("/\0/f"), nested], A),
    group([match("/e/f")], "c".repeat(64)),
    group([], B),
    group([match(`/${"y".repeat(300_000)}/f`), match("/g/f", { size: -5, mtime: "never" })], B),
  ]);
  const read = await found(agent, find([B, A], "f"));
  assert.deepEqual(read.matches, [
    [1, "file", "/c/f", 1, null],
    [1, "file", "/d/f", 1, null],
    [0, "file", "/g/f", 0, null],
  ]);
  assert.equal(read.end.cut, true);
  all([group(Array(FIND_MATCHES_LIMIT + 5).fill(match("/h/f")), A), group([match("/i/f")], B)]);
  const limited = await found(agent, find([B, A], "f"));
  assert.deepEqual([limited.matches.length, limited.end.cut], [FIND_MATCHES_LIMIT, true]);
  assert.equal(limited.matches[0]![0], 1);
  // Half of it: the matches of a snapshot that is never named are none.
  Deno.writeTextFileSync(out, `[{"matches":[${match("/c/f")},${match("/c/f")}`);
  const half = await found(agent, find([B, A], "f"));
  assert.deepEqual([half.matches, half.end.cut], [[], true]);
  for (const text of ["", "junk", "]]]]", `{"a":"${"x".repeat(1_000_000)}"`, "[".repeat(100_000)]) {
    Deno.writeTextFileSync(out, text);
    assert.deepEqual((await found(agent, find([B, A], "f"))).matches, []);
  }
});
