// Over what is there now: what comes, what stays, what can be undone, and where it never goes.
import assert from "node:assert/strict";
import { join } from "node:path";
import { type RealRestic, restics } from "../../support/restic.ts";
import { listed, saved, sh } from "../../support/restoring.ts";

const HERE = { kind: "original" } as const;
const modern = restics.filter(({ version }) => !version.startsWith("0.14"));
const old = restics.filter(({ version }) => version.startsWith("0.14"));

function each(name: string, test: (restic: RealRestic) => Promise<void>): void {
  for (const restic of modern) {
    Deno.test(`${name} (restic ${restic.version})`, () => test(restic));
  }
}

function fill(source: string): void {
  sh(
    `cd "$1"; mkdir -p d/sub keep; for n in one two three; do echo $n > d/$n; done; echo k > keep/k; chmod 640 d/one; chown 5:6 d/two`,
    source,
  );
}

for (const restic of old) {
  Deno.test(`an old restic writes through links: it restores nothing in place (restic ${restic.version})`, async () => {
    await using all = await saved(restic, fill);
    sh(
      `cd "$1"; mkdir ../victim; echo v > ../victim/one; rm -r d; ln -s ../victim d`,
      all.all.source,
    );
    const end = await all.restore([join(all.all.source, "d")], HERE);
    assert.equal(end.reason_code, "restic_too_old", end.reason ?? "");
    assert.equal(Deno.readTextFileSync(join(all.all.folder, "victim/one")), "v\n");
  });
}

each(
  "the chosen items are as they were; their neighbours and the folders above are as they are now",
  async (restic) => {
    await using all = await saved(restic, fill);
    const { source } = all.all;
    const was = listed(join(source, "d"));
    sh(
      `cd "$1"; echo changed > d/one; rm d/two; echo changed > d/three; echo new > d/new; echo changed > keep/k
     chmod 711 . d; chown 9:9 .; touch -d '2011-11-11 UTC' .`,
      source,
    );
    const neighbours = () =>
      sh(`cd "$1"; stat -c '%n %a %U %G %y' . keep keep/k d/three d/new; cat keep/k`, source);
    const before = neighbours();
    const end = await all.restore([join(source, "d/one"), join(source, "d/two")], HERE);
    assert.equal(end.status, "succeeded", end.reason ?? "");
    assert.equal(neighbours(), before);
    assert.equal(
      sh(`cat "$1"/one "$1"/two; stat -c '%a %u %g' "$1"/one "$1"/two`, join(source, "d")),
      "one\ntwo\n640 0 0\n644 5 6\n",
    );
    assert.equal(sh(`stat -c '%a' "$1"`, join(source, "d")).trim(), "711");
    // The folder itself: all of it, and what is new in it stays.
    assert.equal((await all.restore([join(source, "d")], HERE)).status, "succeeded");
    assert.equal(sh(`cat "$1"`, join(source, "d/new")), "new\n");
    Deno.removeSync(join(source, "d/new"));
    sh(`touch -r "$1"/d "$1"/d`, source);
    const strip = (text: string) => text.replaceAll(/^(d \d+ \S+ )\S+/gm, "$1");
    assert.equal(strip(listed(join(source, "d"))), strip(was));
    assert.equal(
      sh(`stat -c '%a %u %y' "$1"`, source),
      "711 9 2011-11-11 00:00:00.000000000 +0000\n",
    );
  },
);

each("a folder that is gone is made again as it was", async (restic) => {
  await using all = await saved(
    restic,
    (source) =>
      void sh(`cd "$1"; mkdir -p x/y/z; echo f > x/y/z/f; chmod 750 x/y; chown 3:4 x/y`, source),
  );
  const { source } = all.all;
  sh(`rm -r "$1"/x`, source);
  const end = await all.restore([join(source, "x/y/z/f")], HERE);
  assert.equal(end.status, "succeeded", end.reason ?? "");
  assert.equal(sh(`cd "$1"; stat -c '%n %a %u:%g' x/y; cat x/y/z/f`, source), "x/y 750 3:4\nf\n");
});

each(
  "what is there now is saved first and can be had back; without it nothing is written",
  async (restic) => {
    await using all = await saved(restic, fill);
    const { source, repository } = all.all;
    Deno.writeTextFileSync(join(source, "d/one"), "of today");
    const end = await all.restore([join(source, "d")], HERE, { undo: true });
    assert.equal(end.status, "succeeded", end.reason ?? "");
    assert.equal(Deno.readTextFileSync(join(source, "d/one")), "one\n");
    const undo = end.restored?.undo_snapshot;
    assert.match(undo ?? "", /^[0-9a-f]{64}$/);
    const back = await all.all.run({
      kind: "restore",
      restore: { ...all.orderOf([join(source, "d/one")], HERE), snapshot: undo! },
    });
    assert.equal(back.status, "succeeded", back.reason ?? "");
    assert.equal(Deno.readTextFileSync(join(source, "d/one")), "of today");
    // A repository that takes nothing more.
    sh(
      `cd "$1"; for each in data index snapshots; do chmod -R a-w $each; chattr -R +i $each 2>/dev/null || mv $each $each.off; done`,
      repository,
    );
    try {
      const none = await all.restore([join(source, "d")], HERE, { undo: true });
      assert.equal(none.status, "failed");
      assert.equal(Deno.readTextFileSync(join(source, "d/one")), "of today");
    } finally {
      sh(
        `cd "$1"; for each in data index snapshots; do chattr -R -i $each 2>/dev/null || true; done`,
        repository,
      );
    }
  },
);

each(
  "keep, overwrite what is older, what is changed: each says how many it kept",
  async (restic) => {
    await using all = await saved(restic, fill);
    const { source } = all.all;
    const change = () =>
      sh(
        `cd "$1"/d; echo changed > one; touch -d '2030-01-01 UTC' one; echo changed > two; touch -d '2001-01-01 UTC' two; rm -f three`,
        source,
      );
    const content = () => sh(`cd "$1"/d; cat one two three`, source);
    const items = ["one", "two", "three"].map((name) => join(source, "d", name));
    const wanted = {
      never: ["changed\nchanged\nthree\n", 2, 0],
      "if-newer": ["changed\ntwo\nthree\n", 1, 0],
      "if-changed": ["one\ntwo\nthree\n", 0, 0],
      always: ["one\ntwo\nthree\n", 0, 0],
    } as const;
    for (const [overwrite, [text, kept, same]] of Object.entries(wanted)) {
      change();
      const end = await all.restore(items, HERE, { overwrite: overwrite as "never" });
      assert.equal(end.status, "succeeded", `${overwrite} ${end.reason}`);
      assert.deepEqual(
        [content(), end.restored?.kept, end.restored?.same],
        [text, kept, same],
        overwrite,
      );
    }
    const again = await all.restore(items, HERE);
    assert.deepEqual([again.restored?.same, again.restored?.written], [3, 0]);
  },
);

each(
  "it goes through no link, and over nothing of the agent's or the repository's",
  async (restic) => {
    await using all = await saved(restic, (source) => {
      fill(source);
      Deno.mkdirSync(join(source, "deep/er"), { recursive: true });
      Deno.writeTextFileSync(join(source, "deep/er/f"), "f");
    });
    const { source, folder, repository } = all.all;
    sh(
      `cd "$1"; mkdir ../victim; echo v > ../victim/one; mv d d.old; ln -s ../victim d; rm deep/er/f; ln -s ../../../victim/one deep/er/f`,
      source,
    );
    const through = await all.restore([join(source, "d/one")], HERE);
    assert.match(through.reason ?? "", /is a link now/);
    // A link in the place of a file is replaced and not followed.
    const file = await all.restore([join(source, "deep/er/f")], HERE);
    assert.equal(file.status, "succeeded", file.reason ?? "");
    assert.ok(Deno.lstatSync(join(source, "deep/er/f")).isFile);
    assert.equal(Deno.readTextFileSync(join(folder, "victim/one")), "v\n");
    for (
      const path of [
        "/",
        folder,
        join(folder, "state"),
        join(folder, "state/cache/x"),
        repository,
        join(repository, "data"),
      ]
    ) {
      const end = await all.restore([path], HERE);
      assert.equal(end.reason_code, "target_refused", `${path}: ${end.reason}`);
      assert.match(end.reason ?? "", /^Nothing was written/);
    }
  },
);
