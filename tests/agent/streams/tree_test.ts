// Folders of a snapshot as the agent lists them: real repositories, real restic, names as bad as a file system takes them.
import assert from "node:assert/strict";
import { join } from "node:path";
import type { Agent } from "../../../agent/agent.ts";
import { type Brake, NO_BRAKE } from "../../../agent/brake/brake.ts";
import { TIMEOUTS } from "../../../agent/restic/context.ts";
import { RunningStreams, StreamProblem } from "../../../agent/streams/running.ts";
import { listTree } from "../../../agent/streams/tree.ts";
import { readName, shownName, writeSnapshotPath } from "../../../shared/snapshot_path.ts";
import {
  TREE_BYTES_LIMIT,
  TREE_ENTRIES_LIMIT,
  type TreeEntryLine,
  TreeLine,
} from "../../../shared/tree.ts";
import { eventually } from "../../support/eventually.ts";
import { FakeRestic } from "../../support/fake_restic.ts";
import { placeRepository, type RealRestic, resticByHand, restics } from "../../support/restic.ts";
import { access, testFolder } from "../../support/start_agent.ts";

const encoder = new TextEncoder();
const PASSWORD = "secret-of-the-repository";

function agentIn(folder: string, restic: { path: string; version: string }, more: {
  repository?: string;
  brake?: Partial<Brake>;
  logged?: string[];
} = {}): Agent {
  const repository = { ...access(more.repository ?? join(folder, "repository")), id: "r1" };
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

async function list(agent: Agent, snapshot: string, path: string) {
  const decoder = new TextDecoder();
  let text = "";
  const request = { kind: "tree", repository_id: "r1", snapshot, path } as const;
  for await (const piece of listTree(agent, request, new AbortController().signal)) {
    text += decoder.decode(piece, { stream: true });
  }
  const lines = text.trimEnd().split("\n").map((line) => TreeLine.parse(JSON.parse(line)));
  const end = lines.pop() as Extract<TreeLine, { cut: boolean }>;
  return { entries: lines as TreeEntryLine[], end };
}

const bytesOf = ([, name]: TreeEntryLine) =>
  typeof name === "string" ? encoder.encode(name) : readName(name.bytes);

const code = (expected: string) => (error: unknown) =>
  error instanceof StreamProblem && error.code === expected || assert.fail(String(error));

/** Makes folders of these names, each with a file of its own number in it. */
function makeFolders(root: string, names: Uint8Array[]): void {
  const octal = (bytes: Uint8Array) =>
    [...bytes].map((byte) => `\\0${byte.toString(8).padStart(3, "0")}`).join("");
  const lines = names.map((name, n) =>
    `d="$(printf '%b.' '${octal(name)}')"; d="\${d%.}"; mkdir -- "./$d" && echo ${n} > "./$d/${n}"`
  );
  const { success, stderr } = new Deno.Command("bash", {
    args: ["-c", `set -e; LC_ALL=C; ${lines.join("\n")}`],
    cwd: root,
  }).outputSync();
  assert.ok(success, new TextDecoder().decode(stderr));
}

async function snapshotOf(restic: RealRestic, repository: string, paths: string[]) {
  await placeRepository(restic, repository);
  await resticByHand(restic, repository, ["backup", "--host", "alpha", "--", ...paths]);
  const all = JSON.parse(await resticByHand(restic, repository, ["snapshots", "--json"]));
  return all.at(-1).id as string;
}

const HOSTILE: Uint8Array[] = [
  ..."a*b?c|[ab].txt|back\\slash|-rf|--json|two\nlines|ends with\n|trail |  |..x|...|$HOME|$(id)|`id`|'quote\"|\u001b[31m|\ufffd|caf\ufffd|x:y|%41|bytes:|ü|u\u0308|\u202egnp|#c|~|!|a\rb|\t|;&|{a,b}|\ufeffbom"
    .split("|").filter(Boolean).map((name) => encoder.encode(name)),
  // The last three letters of a longer character, half of one, one that is too long, a half pair, and a real one beside it.
  Uint8Array.of(0xe9),
  Uint8Array.of(0x63, 0x61, 0x66, 0xe9),
  Uint8Array.of(0xef),
  Uint8Array.of(0xef, 0xbf),
  Uint8Array.of(0xef, 0xbf, 0xbd, 0xff),
  Uint8Array.of(0xff, 0x0a, 0xfe),
  Uint8Array.of(0xe2, 0x80),
  Uint8Array.of(0xed, 0xa0, 0x80),
  Uint8Array.of(0xc0, 0xae),
  Uint8Array.of(0x80, 0x20),
];

for (const restic of restics) {
  Deno.test(`whatever a name holds, it is listed exactly and its folder is opened (restic ${restic.version})`, async () => {
    using folder = testFolder();
    const root = join(folder.path, "data [x]");
    Deno.mkdirSync(root);
    makeFolders(root, HOSTILE);
    const id = await snapshotOf(restic, join(folder.path, "repository"), [root]);
    const agent = agentIn(folder.path, restic);
    const { entries, end } = await list(agent, id, root);
    assert.deepEqual(end, { snapshot: id, path: root, cut: false, left_out: 0 });
    const hex = (all: Uint8Array[]) => all.map((name) => name.toHex()).sort();
    assert.deepEqual(hex(entries.map(bytesOf)), hex(HOSTILE));
    const above = root.split("/").filter(Boolean).map((name) => encoder.encode(name));
    // All of those that are no UTF-8, and the first of the others: each costs a start of restic.
    for (const [n, name] of HOSTILE.entries()) {
      if (n > 12 && n < HOSTILE.length - 10) continue;
      const inside = await list(agent, id, writeSnapshotPath([...above, name]));
      assert.deepEqual(inside.entries.map(([, file]) => file), [String(n)], shownName(name));
    }
  });

  Deno.test(`types, sizes, times and modes are those of the files; what is no folder or is not there says so (restic ${restic.version})`, async () => {
    using folder = testFolder();
    const root = join(folder.path, "data");
    const { success } = new Deno.Command("bash", {
      args: [
        "-c",
        "mkdir -p data/sub data/empty && cd data && printf 12345 > five && : > none && ln -s five link && mkfifo pipe && chown 7:8 five && chmod 4751 five && chmod 1777 sub && touch -d '1969-07-20 20:17:40.5 UTC' none",
      ],
      cwd: folder.path,
    }).outputSync();
    assert.ok(success);
    const id = await snapshotOf(restic, join(folder.path, "repository"), [root]);
    const agent = agentIn(folder.path, restic);
    const { entries } = await list(agent, id, root);
    const by = new Map(entries.map((entry) => [entry[1], entry]));
    assert.deepEqual([...by.keys()].sort(), ["empty", "five", "link", "none", "pipe", "sub"]);
    const [type, , size, , mode, uid, gid] = by.get("five")!;
    assert.deepEqual([type, size, mode, uid, gid], ["file", 5, 0o4751, 7, 8]);
    assert.deepEqual(by.get("none")!.slice(0, 4), ["file", "none", 0, -14182939500]);
    assert.deepEqual(by.get("sub")!.slice(0, 3), ["folder", "sub", null]);
    assert.equal(by.get("sub")![4], 0o1777);
    assert.deepEqual([by.get("link")![0], by.get("pipe")![0]], ["link", "fifo"]);
    assert.deepEqual((await list(agent, id, `${root}/empty`)).entries, []);
    assert.equal((await list(agent, id, "/")).entries.length, 1);
    for (
      const [path, expected] of [
        [`${root}/five`, "not_a_folder"],
        [`${root}/link`, "not_a_folder"],
        [`${root}/nothing`, "not_found"],
        [`${root}/five/below`, undefined],
        [`${root}/sub/..`, "not_absolute"],
        [`${root}/./sub`, "not_absolute"],
        ["relative", "not_absolute"],
        [`${root}/\0`, "not_absolute"],
        ["bytes:/%2F", "not_absolute"],
      ] as const
    ) {
      await assert.rejects(
        list(agent, id, path),
        expected ? code(expected) : (error) => error instanceof StreamProblem,
        path,
      );
    }
    await assert.rejects(list(agent, "a".repeat(64), root), code("no_snapshot"));
    // Nearly the same id: another snapshot's listing is none of this one.
    const other = id.slice(0, 63) + (id.endsWith("0") ? "1" : "0");
    await assert.rejects(list(agent, other, root), code("no_snapshot"));
    assert.equal(
      (await resticByHand(restic, join(folder.path, "repository"), ["list", "locks"])).trim().split(
        "\n",
      ).length,
      1,
    );
  });

  Deno.test(`a stream that is cancelled ends restic and leaves no lock (restic ${restic.version})`, async () => {
    using folder = testFolder();
    const root = join(folder.path, "data");
    Deno.mkdirSync(root);
    for (let n = 0; n < 20_000; n++) Deno.writeFileSync(join(root, `file ${n}`), new Uint8Array());
    const repository = join(folder.path, "repository");
    const id = await snapshotOf(restic, repository, [root]);
    const logged: string[] = [];
    const agent = agentIn(folder.path, restic, { logged });
    const streams = new RunningStreams((request, signal) =>
      request.kind === "tree" ? listTree(agent, request, signal) : assert.fail()
    );
    const abort = new AbortController();
    const request = { kind: "tree", repository_id: "r1", snapshot: id, path: root } as const;
    for await (const piece of streams.start(request, abort.signal)) {
      assert.ok(piece.length > 0);
      assert.equal(running(repository).length, 1);
      abort.abort();
    }
    await eventually("nothing of it runs", () => streams.count === 0);
    assert.deepEqual(running(repository), []);
    assert.deepEqual([...Deno.readDirSync(join(repository, "locks"))], []);
    // Locked for others it is read all the same, since restic never asks for a lock.
    const whole = await list(agent, id, root);
    assert.equal(whole.entries.length, 20_000);
    assert.ok(logged.every((line) => !line.includes(": ls") || line.includes("--no-lock")));
    assert.ok(logged.some((line) => line.includes(": ls --no-lock")));
    assert.ok(logged.every((line) => !line.includes(PASSWORD)));
  });
}

/** The processes of restic that have this repository in their environment. */
function running(repository: string): string[] {
  return [...Deno.readDirSync("/proc")].filter(({ name }) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      const environment = Deno.readTextFileSync(`/proc/${name}/environ`);
      const state = Deno.readTextFileSync(`/proc/${name}/stat`).split(") ")[1]?.[0];
      return environment.includes(`RESTIC_REPOSITORY=${repository}\0`) && state !== "Z";
    } catch {
      return false;
    }
  }).map(({ name }) => name);
}

Deno.test("a repository that is not this host's, or that its owner does not allow, is not opened", async () => {
  using folder = testFolder();
  const fake = new FakeRestic(folder.path, { verbs: { ls: "echo started >> started" } });
  const restic = { path: fake.path, version: "0.18.0" };
  const id = "a".repeat(64);
  const other = { kind: "tree", repository_id: "r2", snapshot: id, path: "/" } as const;
  const never = new AbortController().signal;
  const ask = async (agent: Agent, request: Parameters<typeof listTree>[1]) => {
    for await (const _ of listTree(agent, request, never)) assert.fail("nothing is listed");
  };
  await assert.rejects(ask(agentIn(folder.path, restic), other), code("no_credential"));
  const braked = agentIn(folder.path, restic, { brake: { repositories: ["/srv/others/*"] } });
  await assert.rejects(ask(braked, { ...other, repository_id: "r1" }), code("refused_by_machine"));
  assert.throws(() => Deno.statSync(join(folder.path, "started")));
});

Deno.test("what restic says beyond reason is cut or left out, and the rest is listed", async () => {
  using folder = testFolder();
  const id = "a".repeat(64);
  const node = (name: string) => JSON.stringify({ struct_type: "node", type: "file", name });
  const snapshot = JSON.stringify({ struct_type: "snapshot", id });
  const lines = [snapshot, ...["..", ".", "a/b", "", "x".repeat(2000), "good"].map(node), "junk"];
  const file = join(folder.path, "lines");
  Deno.writeTextFileSync(file, `${lines.join("\n")}\n`);
  const odd = new FakeRestic(folder.path, { verbs: { ls: `cat '${file}'` } });
  const agent = agentIn(folder.path, { path: odd.path, version: "0.18.0" });
  const { entries, end } = await list(agent, id, "/");
  assert.deepEqual([entries.map(([, name]) => name), end.left_out], [["good"], 5]);
  Deno.writeTextFileSync(
    file,
    `${snapshot}\n${`${node("n")}\n`.repeat(TREE_ENTRIES_LIMIT + 5)}`,
  );
  const many = await list(agent, id, "/");
  assert.deepEqual([many.entries.length, many.end.cut], [TREE_ENTRIES_LIMIT, true]);
  // Bytes are counted and not letters, as the server does.
  Deno.writeTextFileSync(file, `${snapshot}\n${`${node("字".repeat(85))}\n`.repeat(100_000)}`);
  const wide = await list(agent, id, "/");
  const bytes = wide.entries.reduce(
    (sum, entry) => sum + encoder.encode(`${JSON.stringify(entry)}\n`).length,
    0,
  );
  assert.ok(
    wide.end.cut && bytes <= TREE_BYTES_LIMIT && bytes > 0.99 * TREE_BYTES_LIMIT,
    `${bytes}`,
  );
});
