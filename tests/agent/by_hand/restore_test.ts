// `restic-manager-agent restore` as somebody at the machine uses it: a program of its own, beside an agent that runs or after the server is gone.
import assert from "node:assert/strict";
import { join } from "node:path";
import { chooseSnapshot } from "../../../agent/by_hand/choose.ts";
import { readRestoreArguments } from "../../../agent/by_hand/arguments.ts";
import { locksIn, writeNoise } from "../../support/backing_up.ts";
import { eventually } from "../../support/eventually.ts";
import { type RealRestic, restics } from "../../support/restic.ts";
import { listed, saved, sh } from "../../support/restoring.ts";
import { spawnAgent } from "../../support/start_agent.ts";

function each(name: string, test: (restic: RealRestic) => Promise<void>): void {
  for (const restic of restics) {
    Deno.test(`${name} (restic ${restic.version})`, () => test(restic));
  }
}

/** A host with a snapshot, its server gone, and what its people type. */
async function machine(restic: RealRestic, fill: (source: string) => void) {
  await using stack = new AsyncDisposableStack();
  const all = stack.use(await saved(restic, fill));
  const { folder } = all.all;
  Deno.mkdirSync(join(folder, "config"), { recursive: true });
  const type = async (...args: string[]) => {
    await using agent = spawnAgent(folder, { RM_RESTIC: restic.path }, ["restore", ...args]);
    return await agent.end();
  };
  return Object.assign(stack.move(), { ...all, folder, source: all.all.source, type });
}

each(
  "snapshots are listed and files restored with nothing but the sealed plan, beside an agent that runs and without one",
  async (restic) => {
    await using all = await machine(
      restic,
      (source) =>
        void sh(
          `cd "$1"; mkdir -p d "[x]*"; echo 1 > d/one; echo 2 > "[x]*/two"; printf raw > "$(printf 'caf\\351')"`,
          source,
        ),
    );
    const { source, folder, snapshot, type } = all;
    const list = await type("--list");
    assert.equal(list.code, 0, list.stderr);
    assert.match(
      list.stdout,
      new RegExp(
        `^${snapshot.slice(0, 8)}  \\d{4}-.* UTC \\(\\d+ s ago\\)  documents  ${source}$`,
        "m",
      ),
    );
    const target = join(folder, "beside");
    const beside = await type(
      "--path",
      `${source}/[x]*`,
      "--path",
      join(source, "d"),
      "--target",
      target,
    );
    assert.equal(beside.code, 0, beside.stderr + beside.stdout);
    assert.match(beside.stdout, /Whole: /);
    assert.equal(listed(join(target, source, "d")), listed(join(source, "d")));
    assert.equal(sh(`ls -A "$1"`, join(target, source)), "[x]*\nd\n");
    await all.all.agent.stop();
    await all.all.server[Symbol.asyncDispose]();
    const again = await type("--path", join(source, "d"), "--target", target);
    assert.equal(again.code, 1);
    assert.match(again.stderr, /is not empty/);
    const raw = await type(
      "--snapshot",
      snapshot.slice(0, 10),
      "--path",
      `bytes:${source}/caf%E9`,
      "--target",
      join(folder, "alone"),
      "--verify",
    );
    assert.equal(raw.code, 0, raw.stderr);
    assert.equal(sh(`cat "$1"/*`, join(folder, "alone", source)), "raw");
    // What opens the repository is in no word of it.
    for (const { stdout, stderr } of [list, beside, again, raw]) {
      assert.ok(!`${stdout}${stderr}`.includes("secret-of-the-repository"));
    }
    assert.equal(locksIn(all.all.repository), 0);
  },
);

each(
  "what cannot be meant is refused with what is accepted, and nothing is written",
  async (restic) => {
    await using all = await machine(
      restic,
      (source) => Deno.writeTextFileSync(join(source, "f"), "f"),
    );
    const { source, folder, type } = all;
    const target = join(folder, "restored");
    const wrong: [string[], number, RegExp][] = [
      [[], 2, /--path is missing/],
      [["--path", "/a"], 2, /--target is missing/],
      [["--path", "a", "--target", target], 2, /--path must be a path/],
      [["--path", "/a", "--target", "here"], 2, /absolute/],
      [["--path", "/a", "--target", target, "--in-place"], 2, /exclude each other/],
      [["--path", "/a", "--target", target, "--snapshot", "new"], 2, /--snapshot must be/],
      [["--path", "/a", "--target", target, "--overwrite", "never"], 2, /goes with --in-place/],
      [["--path", "/a", "--in-place", "--overwrite", "x"], 2, /must be one of/],
      [["--nonsense"], 2, /nonsense/],
      [["--path", "/nowhere", "--target", target], 1, /was made of \/nowhere/],
      [["--path", join(source, "none"), "--target", target], 1, /does not hold/],
      [["--path", source, "--target", target, "--snapshot", "0123456789"], 1, /No snapshot/],
      [["--path", source, "--in-place"], 1, /say --yes/],
    ];
    for (const [args, code, why] of wrong) {
      const end = await type(...args);
      assert.equal(end.code, code, `${args.join(" ")}: ${end.stdout}${end.stderr}`);
      assert.match(end.stderr, why, args.join(" "));
    }
    assert.throws(() => Deno.lstatSync(target), Deno.errors.NotFound);
    const help = await type("--help");
    assert.deepEqual([help.code, /--without-paths/.test(help.stdout)], [0, true]);
    // The owner's own word holds for himself too, and says where it stands.
    Deno.writeTextFileSync(
      join(folder, "config/agent.yaml"),
      "allow_restore_in_place: false\nroots: [/srv]\n",
    );
    Deno.chmodSync(join(folder, "config/agent.yaml"), 0o600);
    const braked = await type("--path", source, "--target", target);
    assert.match(braked.stderr, /Not allowed, by .*agent\.yaml: .*roots: \/srv/);
    const inPlace = await type("--path", source, "--in-place", "--yes");
    assert.match(inPlace.stderr, /Not allowed, by .*agent\.yaml/);
    // A plan that cannot be read is said, and so is a machine that never had one.
    Deno.removeSync(join(folder, "config/agent.yaml"));
    await all.all.agent.stop();
    Deno.writeTextFileSync(join(folder, "state/plan.sealed"), "damaged");
    const damaged = await type("--list");
    assert.equal(damaged.code, 1);
    assert.match(damaged.stderr, /There is no plan/);
  },
);

each("in place it saves what is there first and says what it writes over", async (restic) => {
  await using all = await machine(
    restic,
    (source) => Deno.writeTextFileSync(join(source, "f"), "old"),
  );
  const { source, type } = all;
  Deno.writeTextFileSync(join(source, "f"), "new");
  const end = await type("--path", join(source, "f"), "--in-place", "--yes");
  if (restic.version.startsWith("0.14")) {
    assert.match(end.stderr, /Update restic to 0.17/);
    return assert.equal(Deno.readTextFileSync(join(source, "f")), "new");
  }
  assert.equal(end.code, 0, end.stderr);
  assert.match(end.stdout, /written over:\n {2}\/.*\/f\n/);
  assert.equal(Deno.readTextFileSync(join(source, "f")), "old");
  assert.match((await type("--list")).stdout, /before-restore/);
  const kept = await type(
    "--path",
    join(source, "f"),
    "--in-place",
    "--yes",
    "--no-undo",
    "--overwrite",
    "never",
    "--dry-run",
  );
  assert.match(kept.stdout, /1 kept as they were/);
});

each("Ctrl-C ends it, and the same command goes on", async (restic) => {
  await using all = await machine(restic, (source) => {
    // Packs of 16 MiB come one by one, so that some are there before others.
    for (const n of [1, 2, 3, 4, 5, 6]) writeNoise(join(source, `${n}`), 9_000_000);
  });
  const { source, folder, type } = all;
  const target = join(folder, "restored");
  const args = ["--path", source, "--target", target];
  {
    await using agent = spawnAgent(folder, { RM_RESTIC: restic.path }, ["restore", ...args]);
    await eventually(
      "it has begun",
      () => [...Deno.readDirSync(join(target, source))].length > 0,
    );
    agent.child.kill("SIGINT");
    const { code, stderr, stdout } = await agent.end();
    // It may have come to its end in that moment.
    if (code === 0) return assert.match(stdout, /Whole/);
    assert.equal(code, 1);
    assert.match(stderr, /stays closed; the same restore goes on there/);
  }
  const end = await type(...args);
  assert.equal(end.code, 0, end.stderr);
  assert.equal(listed(join(target, source)), listed(source));
  assert.equal(locksIn(all.all.repository), 0);
});

Deno.test("latest is the newest that was made of the path, and what was passed over is said", () => {
  const snapshot = (id: string, time: number, ...paths: string[]) => ({
    id: id.repeat(16),
    time,
    tags: [],
    paths,
    hostname: "h",
    username: null,
    parent: null,
    files: null,
    bytes: null,
    bytes_added: null,
  });
  const all = [
    snapshot("aaaa", 1, "/home", "/etc"),
    snapshot("bbbb", 3, "/srv"),
    snapshot("cccc", 2, "/home/anna"),
  ];
  const nothing = { id: undefined, warnings: () => undefined, lacking: new Map() };
  const chosen = (path: string, id?: string) => {
    const found = chooseSnapshot(all, { ...nothing, id, paths: [path] });
    return typeof found === "string" ? found : [found.snapshot.id[0], found.said.length];
  };
  assert.deepEqual(chosen("/home/anna/x"), ["c", 1]);
  assert.deepEqual(chosen("/home/berta"), ["a", 2]);
  assert.deepEqual(chosen("/homeless".slice(0, 5)), ["a", 2]);
  assert.match(String(chosen("/homeless")), /None of the 3/);
  assert.deepEqual(chosen("/anything", "bbbbbbbb"), ["b", 0]);
  assert.match(String(chosen("/x", "dddddddd")), /No snapshot/);
  assert.match(String(chooseSnapshot([], { ...nothing, paths: ["/x"] })), /holds no snapshot/);
  assert.equal(readRestoreArguments(["--path", "/a", "--target", "/b"]).overwrite, "always");
});
