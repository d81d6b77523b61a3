// What is said of a restore that is not whole: a pack that is gone, a full disk, rights that are missing, an agent that dies.
import assert from "node:assert/strict";
import { join } from "node:path";
import { STATE } from "../../../agent/service/traces.ts";
import { LISTINGS, removeOldListings } from "../../../agent/restore/expected.ts";
import { RESTORES_FILE } from "../../../agent/restore/unfinished.ts";
import { judgeOf } from "../../../agent/restore/names.ts";
import { backingUp, writeNoise } from "../../support/backing_up.ts";
import { eventually } from "../../support/eventually.ts";
import { FakeServer } from "../../support/fake_server.ts";
import { testUnless } from "../../support/left_out.ts";
import { placeRepository, type RealRestic, restics } from "../../support/restic.ts";
import { listed, saved, sh } from "../../support/restoring.ts";
import { missingSmallDisk, smallDisk } from "../../support/small_disk.ts";
import { access, jobId, order, spawnAgent, testFolder } from "../../support/start_agent.ts";

const noDisk = await missingSmallDisk();

function each(name: string, test: (restic: RealRestic) => Promise<void>): void {
  for (const restic of restics) {
    Deno.test(`${name} (restic ${restic.version})`, () => test(restic));
  }
}

each(
  "with a damaged repository the files that are whole come, and the others are named",
  async (restic) => {
    await using all = await saved(restic, (source) => writeNoise(join(source, "first"), 3_000_000));
    const { source, repository } = all.all;
    const packs = sh(`find "$1"/data -type f -size +500k`, repository).trim().split("\n");
    writeNoise(join(source, "second"), 3_000_000);
    const made = await all.all.run({ source_group: order([source]) });
    for (const pack of packs) {
      Deno.chmodSync(pack, 0o600);
      sh(`head -c 200000 /dev/zero | dd of="$1" bs=1000 seek=1000 conv=notrunc status=none`, pack);
    }
    const restore = { ...all.orderOf([source]), snapshot: made.summary!.snapshot_id! };
    const end = await all.all.run({ kind: "restore", restore });
    assert.deepEqual([end.status, end.reason_code], ["failed", "not_whole"], end.reason ?? "");
    const { failed, failures, written, entries } = end.restored!;
    assert.deepEqual(failures.map(({ path }) => path), [join(source, "first")]);
    assert.deepEqual([failed, written + failed], [1, entries]);
    assert.match(end.reason ?? "", new RegExp(`^Not whole: 1 of ${entries} .*first`));
    for (const name of ["a file", "second"]) {
      const path = join(source, name);
      assert.deepEqual(Deno.readFileSync(join(all.target, path)), Deno.readFileSync(path), name);
    }
    assert.equal(sh(`stat -c '%a' "$1"`, all.target).trim(), "700");
  },
);

testUnless(
  noDisk,
  "a disk that has no room is told before anything is written, and one that fills on the way afterwards",
  async () => {
    for (const restic of restics) {
      await using all = await saved(restic, (source) => {
        writeNoise(join(source, "large"), 3_000_000);
        sh(`mkdir "$1/small"; cd "$1/small"; for n in $(seq 400); do echo $n > $n; done`, source);
      });
      await using disk = await smallDisk(2);
      const { source } = all.all;
      const to = { kind: "folder", path: join(disk.folder, "restored") } as const;
      const none = await all.restore([source], to);
      assert.deepEqual([none.status, none.reason_code], ["failed", "no_space"], none.reason ?? "");
      assert.match(none.reason ?? "", /^Nothing was written: it needs/);
      assert.deepEqual([...Deno.readDirSync(disk.folder)], []);
      // Of 400 files of some bytes each takes a page: by its bytes there is room for all.
      sh(`head -c 1200000 /dev/zero > "$1/filler"`, disk.folder);
      const full = await all.restore([join(source, "small")], to);
      assert.deepEqual([full.status, full.reason_code], ["failed", "not_whole"], full.reason ?? "");
      assert.match(full.reason ?? "", /no space left on device|bytes instead of|not there/);
      const { failed, written, entries, failures } = full.restored!;
      assert.ok(failed > 0 && failures.length > 0, JSON.stringify(full.restored));
      assert.equal(failed + written, entries);
      // Room is made: the same restore goes on.
      Deno.removeSync(join(disk.folder, "filler"));
      const rest = await all.restore([join(source, "small")], to);
      assert.equal(rest.status, "succeeded", rest.reason ?? "");
      assert.equal(rest.restored?.continued, true);
      assert.equal(listed(join(to.path, source, "small")), listed(join(source, "small")));
    }
  },
);

each(
  "where rights are missing the content is whole, and what could not be set is counted by itself",
  async (restic) => {
    using folder = testFolder();
    // As within a service without these rights.
    const path = join(folder.path, "confined");
    Deno.writeTextFileSync(
      path,
      `#!/bin/sh\nexec setpriv --bounding-set -chown,-fowner --inh-caps -chown,-fowner ${restic.path} "$@"\n`,
    );
    Deno.chmodSync(path, 0o755);
    await using all = await saved(
      { ...restic, path },
      (source) => void sh(`cd "$1"; echo 1 > one; echo 2 > two; chown 1234 one`, source),
    );
    const { source } = all.all;
    const end = await all.restore([source]);
    assert.deepEqual(
      [end.status, end.reason_code, end.warnings],
      ["succeeded", "attributes", 1],
      end.reason ?? "",
    );
    const { failed, attributes, failures } = end.restored!;
    assert.deepEqual([failed, attributes, failures[0]?.path], [0, 1, join(source, "one")]);
    assert.match(end.reason ?? "", /content is whole.*one: .*operation not permitted/);
    assert.equal(Deno.readTextFileSync(join(all.target, source, "one")), "1\n");
  },
);

each("after kill -9 of the agent the same restore goes on where it was", async (restic) => {
  using folder = testFolder();
  const [repository, source] = [join(folder.path, "repository"), join(folder.path, "source")];
  Deno.mkdirSync(source);
  for (const n of [1, 2, 3, 4, 5, 6]) writeNoise(join(source, `${n}`), 8_000_000);
  await placeRepository(restic, repository);
  await using server = new FakeServer({ config: { repository: access(repository) } });
  Deno.mkdirSync(join(folder.path, "config"));
  Deno.writeTextFileSync(
    join(folder.path, "config/agent.yaml"),
    `server: ${server.url}\nbearer: b\n`,
  );
  const [backup, first, second] = [jobId(), jobId(), jobId()];
  const target = join(folder.path, "restored");
  let restore;
  {
    await using agent = spawnAgent(folder.path, { RM_RESTIC: restic.path });
    await server.hello();
    server.run({ job_id: backup, source_group: order([source]) });
    const made = await server.finished(backup, 60_000);
    restore = {
      snapshot: made.summary!.snapshot_id!,
      items: [source],
      target: { kind: "folder", path: target } as const,
      within: null,
      overwrite: "always" as const,
      dry_run: false,
      verify: true,
      undo: false,
    };
    server.run({ job_id: first, kind: "restore", restore, bandwidth_down_kib_per_s: 6000 });
    await eventually("it is at work", () => {
      const ended = server.of("job.finished").find((each) => each.job_id === first);
      if (ended) assert.fail(JSON.stringify([ended, server.texts(first)]));
      return [...Deno.readDirSync(join(target, source))].length > 0;
    });
    agent.child.kill("SIGKILL");
    await agent.child.status;
  }
  await using _agent = spawnAgent(folder.path, { RM_RESTIC: restic.path });
  assert.equal((await server.finished(first)).status, "interrupted");
  assert.equal(sh(`stat -c '%a' "$1"`, target).trim(), "700");
  await server.hello(2);
  server.run({ job_id: second, kind: "restore", restore });
  const end = await server.finished(second, 60_000);
  assert.equal(end.status, "succeeded", end.reason ?? "");
  assert.deepEqual([end.restored?.continued, end.restored?.verified], [true, true]);
  assert.equal(listed(join(target, source)), listed(source));
});

each(
  "a repository that is another host's is read with the credential of that one order, which is nowhere on the disk",
  async (restic) => {
    await using all = await saved(
      restic,
      (source) => Deno.writeTextFileSync(join(source, "f"), "theirs"),
    );
    await using other = await backingUp(restic);
    const theirs = access(all.all.repository, {
      id: "99999999-9999-4999-8999-999999999999",
      password: "secret-of-the-repository",
    });
    const run = (more: Record<string, unknown>) =>
      other.run({
        kind: "restore",
        repository_id: theirs.id,
        restore: all.orderOf([all.all.source], {
          kind: "folder",
          path: join(other.folder, "restored"),
        }),
        ...more,
      });
    assert.equal((await run({})).reason_code, "no_credential");
    // That of another repository than the order is about opens nothing.
    const wrong = await run({
      reader_access: { ...theirs, id: "88888888-8888-4888-8888-888888888888" },
    });
    assert.equal(wrong.reason_code, "no_credential");
    const end = await run({
      reader_access: { ...theirs, username: "u", rest_password: "secret-of-one-order" },
    });
    assert.equal(end.status, "succeeded", end.reason ?? "");
    assert.equal(
      Deno.readTextFileSync(join(other.folder, "restored", all.all.source, "f")),
      "theirs",
    );
    assert.equal(
      sh(`grep -rl secret-of-one-order "$1/state" "$1/config" || true`, other.folder),
      "",
    );
  },
);

Deno.test("names that Windows cannot hold, and those that one file system takes for one, are found before they are lost", () => {
  const windows = judgeOf({ isWindows: true, isBlind: true });
  const bad = [
    "a:b",
    "con",
    "NUL.txt",
    "x.",
    "x ",
    "a?b",
    'q"',
    "l\nf",
    "com1.log",
    "b\\s",
    "<",
    "LPT³",
  ];
  for (const name of bad) assert.match(windows(`/C/d/${name}`) ?? "", /Windows cannot/, name);
  for (const name of ["console", "a b", "ünï", ".hidden", "com10"]) {
    assert.equal(windows(`/C/d/${name}`), undefined, name);
  }
  assert.equal(windows("/C"), undefined);
  const blind = judgeOf({ isWindows: false, isBlind: true });
  // As a listing comes: a folder, what is in it, and on with the folder above.
  const paths = ["/d", "/d/A", "/d/A/x", "/d/A/X", "/d/a", "/d/b", "/e", "/e/a"];
  const told = paths.filter((path) => blind(path));
  assert.deepEqual(told, ["/d/A/X", "/d/a"]);
  const seeing = judgeOf({ isWindows: false, isBlind: false });
  assert.deepEqual(paths.filter((path) => seeing(path)), []);
});

Deno.test("what an agent that was killed left of a listing is removed after a week, and an uninstall removes all of it", () => {
  using folder = testFolder();
  const listings = join(folder.path, LISTINGS);
  Deno.mkdirSync(listings);
  for (const [name, days] of [["old", 8], ["new", 6]] as const) {
    const at = Date.now() / 1000 - days * 86_400;
    Deno.writeTextFileSync(join(listings, name), "x");
    Deno.utimeSync(join(listings, name), at, at);
  }
  const warned: string[] = [];
  removeOldListings({ path: folder.path, log: { warn: (text) => warned.push(text) } });
  assert.deepEqual([...Deno.readDirSync(listings)].map(({ name }) => name), ["new"]);
  removeOldListings({
    path: join(folder.path, "nowhere"),
    log: { warn: (text) => warned.push(text) },
  });
  assert.deepEqual(warned, []);
  for (const name of [LISTINGS, RESTORES_FILE]) assert.ok(STATE.includes(name), name);
});
