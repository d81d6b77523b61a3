// Where a restore goes, and where it never goes.
import assert from "node:assert/strict";
import { join } from "node:path";
import { locksIn } from "../../support/backing_up.ts";
import { eventually } from "../../support/eventually.ts";
import { type RealRestic, restics } from "../../support/restic.ts";
import { saved, sh } from "../../support/restoring.ts";
import { jobId } from "../../support/start_agent.ts";

function each(name: string, test: (restic: RealRestic) => Promise<void>): void {
  for (const restic of restics) {
    Deno.test(`${name} (restic ${restic.version})`, () => test(restic));
  }
}

const isOld = ({ version }: RealRestic) => version.startsWith("0.14");

function fill(source: string): void {
  sh(
    `cd "$1"; mkdir -p a/b other; echo 1 > a/one; echo 2 > a/b/two; echo 3 > other/one; chown -R 1234 a`,
    source,
  );
}

each(
  "nothing is written to a folder that is a link, full, a repository's, the agent's own, a file, a user's or written with ..",
  async (restic) => {
    await using all = await saved(restic, fill);
    const { source, folder, repository } = all.all;
    const inside = (name: string) => join(folder, name);
    Deno.mkdirSync(inside("real"));
    Deno.symlinkSync(inside("real"), inside("link"));
    sh(
      `cd "$1"; mkdir -p full users sticky/theirs; echo x > full/x; echo f > file; chown 1234 users; chmod 1777 sticky; mkdir open; chmod 777 open`,
      folder,
    );
    const refused: [string, RegExp][] = [
      [inside("link"), /is a link/],
      [inside("full"), /is not empty/],
      [join(repository, "data"), /is a repository/],
      [join(repository, "new"), /is a repository/],
      [repository, /is a repository/],
      [inside("state/x"), /agent's own/],
      [`${folder}/link/../../x`, /without "\.\."/],
      [inside("file"), /no folder/],
      [inside("file/x"), /cannot be|is there and is no folder|Not a directory/i],
      [inside("users/x"), /user with the number 1234 can change/],
      [inside("open/deep/er"), /Every user can change/],
      ["/", /root of a file system/],
      ["/proc/x", /cannot be (made|looked at)/],
    ];
    const before = sh(`cd "$1"; find real full file users open repository/data | sort`, folder);
    for (const [path, why] of refused) {
      const end = await all.restore([source], { kind: "folder", path });
      assert.equal(end.status, "failed", path);
      assert.match(end.reason ?? "", why, path);
      assert.match(end.reason ?? "", /^Nothing was written/, path);
    }
    assert.equal(
      sh(`cd "$1"; find real full file users open repository/data | sort`, folder),
      before,
    );
    // A link above is followed, as root made it; the result says where it came to.
    const through = await all.restore([source], { kind: "folder", path: inside("link/new/er") });
    assert.equal(through.status, "succeeded", through.reason ?? "");
    assert.equal(through.restored?.target, inside("real/new/er"));
    // Others may pass through what was made above it.
    assert.equal(sh(`stat -c %a "$1"`, inside("real/new")).trim(), "755");
    // In a folder in which nobody can rename what is root's.
    const sticky = await all.restore([source], { kind: "folder", path: inside("sticky/new") });
    assert.equal(sticky.status, "succeeded", sticky.reason ?? "");
  },
);

each(
  "a folder is closed to others while it is written to, and then open for the owner of what was chosen, or as it was before",
  async (restic) => {
    await using all = await saved(restic, fill);
    const { source, folder } = all.all;
    const made = await all.restore([join(source, "a")]);
    assert.equal(made.restored?.opened_for, 1234, made.reason ?? "");
    assert.equal(sh(`stat -c '%a %u' "$1"`, all.target).trim(), "700 1234");
    const empty = join(folder, "empty");
    sh(`mkdir "$1"; chown 77:78 "$1"; chmod 750 "$1"`, empty);
    const kept = await all.restore([join(source, "a")], { kind: "folder", path: empty });
    assert.equal(kept.restored?.opened_for, 77, kept.reason ?? "");
    assert.equal(sh(`stat -c '%a %u %g' "$1"`, empty).trim(), "750 77 78");
  },
);

each("an operator's folder lies in an approved one, with links resolved", async (restic) => {
  await using all = await saved(restic, fill);
  const { source, folder } = all.all;
  sh(`cd "$1"; mkdir approved elsewhere; ln -s ../elsewhere approved/out`, folder);
  const to = (path: string) =>
    all.restore([source], { kind: "folder", path: join(folder, path) }, {
      within: [join(folder, "approved")],
    });
  for (const path of ["elsewhere/x", "approved/out/x", "approved-too"]) {
    const end = await to(path);
    assert.match(end.reason ?? "", /an admin approved/, path);
  }
  assert.equal((await to("approved/x")).status, "succeeded");
  assert.deepEqual([...Deno.readDirSync(join(folder, "elsewhere"))], []);
});

each(
  "items alone come without the folders above them, and two of one name are refused",
  async (restic) => {
    await using all = await saved(restic, fill);
    const { source } = all.all;
    const alone = { kind: "folder", path: all.target, keep_paths: false } as const;
    const twins = await all.restore([join(source, "a/one"), join(source, "other/one")], alone);
    assert.match(twins.reason ?? "", /one and the same/);
    assert.throws(() => Deno.lstatSync(all.target), Deno.errors.NotFound);
    const end = await all.restore([join(source, "a"), join(source, "other/one")], alone);
    if (isOld(restic)) return assert.match(end.reason ?? "", /whole paths only/);
    assert.equal(end.status, "succeeded", end.reason ?? "");
    assert.deepEqual(sh(`cd "$1"; find . | sort`, all.target).trim().split("\n"), [
      ".",
      "./a",
      "./a/b",
      "./a/b/two",
      "./a/one",
      "./one",
    ]);
  },
);

each(
  "an item that the snapshot does not hold: nothing is written, and the folder is not left behind",
  async (restic) => {
    await using all = await saved(restic, fill);
    const end = await all.restore([
      join(all.all.source, "a"),
      join(all.all.source, "other/nothing"),
    ]);
    assert.equal(end.reason_code, "not_in_snapshot");
    assert.match(end.reason ?? "", /other\/nothing/);
    assert.throws(() => Deno.lstatSync(all.target), Deno.errors.NotFound);
    const gone = await all.all.run({
      kind: "restore",
      restore: { ...all.orderOf([all.all.source]), snapshot: "0".repeat(64) },
    });
    assert.equal(gone.reason_code, "no_snapshot", gone.reason ?? "");
    assert.throws(() => Deno.lstatSync(all.target), Deno.errors.NotFound);
  },
);

each("a dry run says what would come and writes nothing", async (restic) => {
  await using all = await saved(restic, fill);
  const { source } = all.all;
  const end = await all.restore([join(source, "a")], undefined, { dry_run: true });
  assert.equal(end.status, "succeeded", end.reason ?? "");
  assert.deepEqual([end.restored?.entries, end.restored?.written, end.restored?.bytes], [4, 4, 4]);
  assert.throws(() => Deno.lstatSync(all.target), Deno.errors.NotFound);
});

each(
  "what was cancelled in the middle stays closed, and the same restore alone goes on there",
  async (restic) => {
    await using all = await saved(restic, (source) =>
      void sh(
        `cd "$1"; for n in 1 2 3 4 5 6; do head -c 8000000 /dev/urandom > $n; done; chown -R 1234 .`,
        source,
      ));
    const { source, server } = all.all;
    const job_id = jobId();
    server.run({
      job_id,
      kind: "restore",
      restore: all.orderOf([source]),
      bandwidth_down_kib_per_s: 6000,
    });
    await eventually("something has come", () => {
      const there = [...Deno.readDirSync(join(all.target, source))];
      return there.some(({ name }) => Deno.statSync(join(all.target, source, name)).size > 0);
    });
    server.send({ type: "command.cancel", job_id });
    const end = await server.finished(job_id);
    assert.deepEqual([end.status, end.reason_code], ["cancelled", "cancelled"], end.reason ?? "");
    assert.match(end.reason ?? "", /stays closed/);
    assert.equal(sh(`stat -c '%a %u' "$1"`, all.target).trim(), `700 ${Deno.uid()}`);
    const other = await all.restore([join(source, "1")]);
    assert.match(other.reason ?? "", /another restore that did not come to its end/);
    const rest = await all.restore([source]);
    assert.equal(rest.status, "succeeded", rest.reason ?? "");
    assert.equal(rest.restored?.continued, true);
    assert.equal(
      sh(`cd "$1"; sha256sum *`, join(all.target, source)),
      sh(`cd "$1"; sha256sum *`, source),
    );
    assert.equal(sh(`stat -c '%a %u' "$1"`, all.target).trim(), "700 1234");
    assert.equal(locksIn(all.all.repository), 0);
    // It has come to its end: what is there now is somebody's.
    assert.match((await all.restore([source])).reason ?? "", /is not empty/);
  },
);
