// What files of a snapshot hold as the agent sends it: real repositories, real restic, names as bad as a file system takes them, packs that are
// gone, and readers that stop or leave.
import assert from "node:assert/strict";
import { join } from "node:path";
import type { Agent } from "../../../agent/agent.ts";
import { NO_BRAKE } from "../../../agent/brake/brake.ts";
import { TIMEOUTS } from "../../../agent/restic/context.ts";
import { dumpItems } from "../../../agent/streams/dump.ts";
import { RunningStreams, StreamProblem } from "../../../agent/streams/running.ts";
import { type DumpFormat, DumpHeader } from "../../../shared/dump.ts";
import { writeSnapshotPath } from "../../../shared/snapshot_path.ts";
import { heldIn, hexOf } from "../../support/archives.ts";
import { eventually } from "../../support/eventually.ts";
import { FakeRestic } from "../../support/fake_restic.ts";
import { placeRepository, type RealRestic, resticByHand, restics } from "../../support/restic.ts";
import { access, testFolder } from "../../support/start_agent.ts";

const PASSWORD = "secret-of-the-repository";
const encoder = new TextEncoder();

function agentIn(folder: string, restic: { path: string; version: string }, config = {}): Agent {
  const repository = { ...access(join(folder, "repository")), id: "r1", password: PASSWORD };
  return {
    brake: NO_BRAKE,
    settings: { stateDir: folder, configDir: folder },
    state: undefined,
    environment: (name: string) => name === "HOME" ? folder : undefined,
    timeouts: { ...TIMEOUTS, graceMs: 3000 },
    timers: { now: Date.now() },
    plan: {
      config: {
        repository,
        snapshot_host: "alpha",
        bandwidth_windows: [],
        time_zone: "UTC",
        ...config,
      },
    },
    restic: { find: () => Promise.resolve(restic) },
    log: { debug: () => {}, error: () => {} },
  } as unknown as Agent;
}

interface Asked {
  snapshot: string;
  paths: string[];
  format: DumpFormat;
}

const request = (asked: Asked) => ({ kind: "dump", repository_id: "r1", ...asked }) as const;

async function fetchAll(agent: Agent, asked: Asked) {
  const parts: Uint8Array[] = [];
  for await (const piece of dumpItems(agent, request(asked), new AbortController().signal)) {
    parts.push(piece.slice());
  }
  const header = DumpHeader.parse(JSON.parse(new TextDecoder().decode(parts.shift())));
  return { header, bytes: await new Blob(parts as Uint8Array<ArrayBuffer>[]).bytes() };
}

async function held(folder: string, agent: Agent, asked: Asked & { format: "zip" | "tar" }) {
  const { header, bytes } = await fetchAll(agent, asked);
  assert.equal(header.size, null);
  const path = join(folder, `out.${asked.format}`);
  await Deno.writeFile(path, bytes);
  return await heldIn(asked.format, path);
}

const code = (expected: string, words = /./) => (error: unknown) =>
  error instanceof StreamProblem && error.code === expected && words.test(error.message) ||
  assert.fail(`${error instanceof StreamProblem ? error.code : ""} ${error}`);

const NAMES: Uint8Array[] = [
  ..."a*b?c|[ab].txt|back\\slash|-rf|--json|two\nlines|ends with\n|trail |...|$HOME|$(id)|'quote\"|\u001b[31m|\ufffd|caf\ufffd|bytes:|ü|u\u0308|\u202egnp|#c|a\rb"
    .split("|").map((name) => encoder.encode(name)),
  Uint8Array.of(0x63, 0x61, 0x66, 0xe9),
  Uint8Array.of(0xe9),
  Uint8Array.of(0xff, 0x0a, 0xfe),
  Uint8Array.of(0xef, 0xbf, 0xbd, 0xff),
  encoder.encode("x".repeat(200)),
];

/** Files of these names, each with its own number in it, beside a folder that has the same again. */
function makeTree(root: string): void {
  const octal = (bytes: Uint8Array) =>
    [...bytes].map((byte) => `\\0${byte.toString(8).padStart(3, "0")}`).join("");
  const lines = NAMES.map((name, n) =>
    `f="$(printf '%b.' '${
      octal(name)
    }')"; f="\${f%.}"; printf ${n} > "./$f"; printf s${n} > "sub/$f"; chmod ${
      n % 2 ? 4711 : 640
    } -- "./$f"`
  );
  const script = `set -e; LC_ALL=C; mkdir sub empty; ${lines.join("\n")}
ln -s -- "ü [a]" link; mkfifo fifo; chmod 2750 sub; touch -d @5 empty; : > nothing
find . -exec touch -h -d @1234567890 {} +`;
  const { success, stderr } = new Deno.Command("bash", { args: ["-c", script], cwd: root })
    .outputSync();
  assert.ok(success, new TextDecoder().decode(stderr));
}

async function setUp(restic: RealRestic, make: (root: string) => void | Promise<void>) {
  const folder = testFolder();
  const root = join(folder.path, "data");
  await Deno.mkdir(root);
  await make(root);
  const repository = join(folder.path, "repository");
  await placeRepository(restic, repository);
  await resticByHand(restic, repository, ["backup", "--host", "alpha", "--", root]);
  const [{ id }] = JSON.parse(await resticByHand(restic, repository, ["snapshots", "--json"]));
  const locks = () => [...Deno.readDirSync(join(repository, "locks"))].length;
  const names = root.split("/").filter(Boolean).map((name) => encoder.encode(name));
  const at = (...more: Uint8Array[]) => writeSnapshotPath([...names, ...more]);
  return {
    folder: folder.path,
    root,
    repository,
    snapshot: id as string,
    locks,
    at,
    agent: agentIn(folder.path, restic),
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  };
}

for (const restic of restics) {
  Deno.test(`files, folders and selections with names of any bytes come exactly (restic ${restic.version})`, async () => {
    using all = await setUp(restic, makeTree);
    const { agent, snapshot, at, folder, root } = all;
    for (const [n, name] of [...NAMES.entries()].filter(([n]) => n === 5 || n >= 20)) {
      const { header, bytes } = await fetchAll(agent, {
        snapshot,
        paths: [at(name)],
        format: "raw",
      });
      const text = new TextDecoder().decode(bytes);
      assert.deepEqual([header.size, text], [String(n).length, String(n)], at(name));
    }
    const nothing = await fetchAll(agent, {
      snapshot,
      paths: [at(encoder.encode("nothing"))],
      format: "raw",
    });
    assert.deepEqual([nothing.header.size, nothing.bytes.length], [0, 0]);
    // A pipe has nothing that could be sent, and is an empty file in both; the folder itself comes first.
    const original = (await heldIn("folder", root)).map((each) =>
      each[1] === "other" ? [each[0], "file", each[2], each[3], ""] : each
    );
    const prefix = hexOf(`${root.slice(1)}/`);
    const bare = (rows: unknown[][]) =>
      rows.filter(([path]) => String(path).startsWith(prefix)).map((row) =>
        String(row[0]) === prefix + hexOf("fifo") ? [...row.slice(0, 4), ""] : row
      );
    for (const format of ["tar", "zip"] as const) {
      const whole = await held(folder, agent, { snapshot, paths: [at()], format });
      assert.deepEqual(bare(whole), original, `the folder as ${format}`);
      const chosen = [
        ...NAMES.filter((_, n) => n % 4 === 0 || n >= 21),
        encoder.encode("empty"),
        encoder.encode("sub"),
      ];
      const paths = chosen.map((name) => at(name));
      // Twice the same, and what lies in a chosen folder, add nothing.
      paths.push(paths[0]!, at(encoder.encode("sub"), NAMES[0]!));
      const some = await held(folder, agent, { snapshot, paths, format });
      const wanted = new Set(chosen.map((name) => prefix + name.toHex()));
      const expected = original.filter(([path]) =>
        wanted.has(String(path)) || String(path).startsWith(`${prefix}${hexOf("sub/")}`)
      );
      assert.deepEqual(some, expected, `a selection as ${format}`);
    }
    const top = await held(folder, agent, { snapshot, paths: ["/"], format: "tar" });
    // restic 0.18 leaves pipes out of a dump of the root.
    const real = (rows: unknown[][]) => rows.filter(([path]) => path !== prefix + hexOf("fifo"));
    assert.deepEqual(real(bare(top)), real(original));
    assert.equal(all.locks(), 0);
  });

  Deno.test(`what is not there, or is no file, is said before the first byte, and which item it is (restic ${restic.version})`, async () => {
    using all = await setUp(restic, makeTree);
    const { agent, snapshot, at } = all;
    const ask = (paths: string[], format: DumpFormat) =>
      fetchAll(agent, { snapshot, paths, format });
    const file = at(encoder.encode("-rf"));
    const link = at(encoder.encode("link"));
    await assert.rejects(ask([at(encoder.encode("a*b"))], "raw"), code("not_found", /^item 0: /));
    await assert.rejects(
      ask([file, at(encoder.encode("missing"))], "tar"),
      code("not_found", /^item 1: /),
    );
    await assert.rejects(
      ask([at(encoder.encode("-rf"), encoder.encode("x"))], "zip"),
      code("not_found"),
    );
    await assert.rejects(ask([at(encoder.encode("sub"))], "raw"), code("not_a_file"));
    await assert.rejects(ask(["/"], "raw"), code("not_a_file"));
    await assert.rejects(ask([link], "raw"), code("not_a_file"));
    await assert.rejects(ask([file, link], "zip"), code("not_a_file", /^item 1: /));
    await assert.rejects(ask([at(encoder.encode("fifo"))], "tar"), code("not_a_file"));
    await assert.rejects(ask(["relative"], "raw"), code("not_absolute"));
    await assert.rejects(
      fetchAll(agent, { snapshot: "0".repeat(64), paths: [file], format: "raw" }),
      code("no_snapshot"),
    );
    await assert.rejects(async () => {
      const other = { ...request({ snapshot, paths: [file], format: "raw" }), repository_id: "r2" };
      for await (const _ of dumpItems(agent, other, new AbortController().signal));
    }, code("no_credential"));
  });

  Deno.test(`a damaged pack ends each format with an error and never with an end (restic ${restic.version})`, async () => {
    using all = await setUp(restic, async (root) => {
      for (const name of ["one", "two", "three"]) {
        await Deno.writeFile(join(root, name), random(8));
      }
    });
    const { agent, snapshot, at, repository } = all;
    const packs = [...Deno.readDirSync(join(repository, "data"))].flatMap(({ name }) =>
      [...Deno.readDirSync(join(repository, "data", name))].map((file) =>
        join(repository, "data", name, file.name)
      )
    ).map((path) => ({ path, size: Deno.statSync(path).size })).sort((a, b) => b.size - a.size);
    // The last file's: what comes before it is there.
    // One that is gone is looked for again and again, for minutes.
    for (const { path, size } of packs.slice(0, Math.ceil(packs.length / 2))) damage(path, size);
    for (const format of ["tar", "zip"] as const) {
      await assert.rejects(
        fetchAll(agent, { snapshot, paths: [at()], format }),
        code("failed"),
        format,
      );
    }
    const results = [];
    for (const name of ["one", "two", "three"]) {
      const asked = { snapshot, paths: [at(encoder.encode(name))], format: "raw" as const };
      results.push(
        await fetchAll(agent, asked).then(({ bytes }) => bytes.length, (error) => error.code),
      );
    }
    assert.ok(results.includes("failed"), String(results));
    assert.ok(
      results.every((each) => each === "failed" || each === 8 * 1_048_576),
      String(results),
    );
  });

  Deno.test(`a reader that stops holds restic, and one that leaves ends it and leaves no lock (restic ${restic.version})`, async () => {
    using all = await setUp(restic, (root) => Deno.writeFile(join(root, "large"), random(60)));
    const { agent, snapshot, at } = all;
    for (const format of ["raw", "tar", "zip"] as const) {
      const abort = new AbortController();
      const running = new RunningStreams((asked, signal) =>
        dumpItems(agent, asked as never, signal)
      );
      const asked = request({ snapshot, paths: [at(encoder.encode("large"))], format });
      const pieces = running.start(asked, abort.signal);
      for (let n = 0; n < 5; n++) assert.ok(!(await pieces.next()).done);
      assert.equal(running.count, 1);
      abort.abort();
      await pieces.return(undefined);
      await eventually(`${format}: restic has ended`, () => running.count === 0);
      assert.equal(all.locks(), 0);
    }
  });
}

function damage(path: string, size: number): void {
  Deno.chmodSync(path, 0o600);
  using file = Deno.openSync(path, { write: true });
  for (let at = 1000; at < size - 65_536; at += 100_000) {
    file.seekSync(at, Deno.SeekMode.Start);
    file.writeSync(new Uint8Array(1000));
  }
}

function random(mebibytes: number): Uint8Array {
  const bytes = new Uint8Array(mebibytes * 1_048_576);
  for (let at = 0; at < bytes.length; at += 65_536) {
    crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  }
  return bytes;
}

const node = (name: string, size: number) =>
  JSON.stringify({
    struct_type: "node",
    type: "file",
    name,
    path: `/${name}`,
    size,
    mode: 420,
    mtime: "2026-01-01T00:00:00Z",
  });

Deno.test("a restic that lies about a file, or fails after its last byte, ends with an error; both limits of the host hold for it", async () => {
  using folder = testFolder();
  const id = "ab".repeat(32);
  const restic = new FakeRestic(folder.path, {
    verbs: {
      ls: `printf '%s\\n' '{"struct_type":"snapshot","id":"${id}"}' '${node("x", 5)}'`,
      dump: `cat ${folder.path}/says; exit $(cat ${folder.path}/code)`,
    },
  });
  const agent = agentIn(folder.path, { path: restic.path, version: "0.18.0" }, {
    bandwidth_up_kib_per_s: 300,
    bandwidth_down_kib_per_s: 500,
  });
  const ask = (says: string, exit: number, format: DumpFormat = "raw") => {
    Deno.writeTextFileSync(join(folder.path, "says"), says);
    Deno.writeTextFileSync(join(folder.path, "code"), String(exit));
    return fetchAll(agent, { snapshot: id, paths: ["/x"], format });
  };
  assert.equal((await ask("12345", 0)).bytes.length, 5);
  for (const format of ["raw", "zip", "tar"] as const) {
    await assert.rejects(ask("1234", 0, format), code("failed", /4 of the 5/));
    await assert.rejects(ask("123456", 0, format), code("failed", /more than/));
    await assert.rejects(ask("12345", 1, format), code("failed"));
    await assert.rejects(ask("12345", 3, format), code("failed"));
  }
  const { args } = restic.starts.findLast(({ args }) => args.startsWith("dump "))!;
  assert.match(args, / --limit-download[= ]300 /);
  assert.match(args, / --no-lock /);
});
