// Restores with the real restics: exactly what was chosen, in every attribute, and what is said when it is not whole.
import assert from "node:assert/strict";
import { join } from "node:path";
import { writeSnapshotPath } from "../../../shared/snapshot_path.ts";
import { locksIn } from "../../support/backing_up.ts";
import { restics } from "../../support/restic.ts";
import { listed, saved, sh } from "../../support/restoring.ts";

for (const restic of restics) {
  Deno.test(`everything of a snapshot comes back as it was: bytes, times, modes, owners, links, pipes, holes (restic ${restic.version})`, async () => {
    await using all = await saved(restic, (source) =>
      void sh(
        `cd "$1"; mkdir -p d/deep "two
lines" '[ab]*?' ; echo one > d/one; ln d/one d/hard; ln -s one d/link; ln -s /nowhere d/gone; mkfifo d/pipe
        echo x > '[ab].txt'; echo y > a.txt; echo z > '-n'; echo q > "qu'o\\"te"; echo b > 'back\\slash'; echo s > 'blank '; echo d > '\$HOME'
        printf raw > "$(printf 'caf\\351')"; truncate -s 3M holes; echo e >> holes; chmod 6755 d/deep; chmod 0 ./-n; chown 1234:4321 d/one a.txt
        touch -h -d '2001-02-03 04:05:06.123456789 UTC' d/link a.txt; touch -d '1999-01-01 UTC' d "two
lines"`,
        source,
      ));
    const end = await all.restore([all.all.source]);
    assert.equal(end.status, "succeeded", end.reason ?? "");
    const there = join(all.target, all.all.source);
    assert.equal(listed(there), listed(all.all.source));
    const { entries, written, failed, failures, opened_for } = end.restored!;
    assert.deepEqual([failed, failures, opened_for], [0, [], 0]);
    assert.equal(written, entries);
    assert.equal(Number(sh(`find "$1" -printf x | wc -c`, there)), entries);
    assert.equal(locksIn(all.all.repository), 0);
  });

  Deno.test(`exactly the chosen items come, whatever their names hold (restic ${restic.version})`, async () => {
    const names = ["a.txt", "b.txt", "[ab].txt", "*", "?", "**", "a*", "\\", "back\\slash", "-n"];
    const more = [
      "two\nlines",
      "blank ",
      " lead",
      "$HOME",
      "#x",
      "!x",
      "{a,b}",
      "q'\"",
      "..x",
      "é",
    ];
    const all = [...names, ...more];
    const bytes = (name: string) => new TextEncoder().encode(name);
    await using world = await saved(restic, (source) => {
      for (const name of all) {
        Deno.mkdirSync(join(source, "f", name), { recursive: true });
        Deno.writeTextFileSync(join(source, "f", name, name), name);
      }
      sh(
        `cd "$1/f"; for c in 341 342; do n=$(printf "raw\\\\$c"); mkdir "$n"; echo $c > "$n/x"; done`,
        source,
      );
    });
    const { source } = world.all;
    const prefix = source.split("/").filter(Boolean).map(bytes);
    const path = (...parts: Uint8Array[]) => writeSnapshotPath([...prefix, bytes("f"), ...parts]);
    const found = (target: string) =>
      sh(`cd "$1"; find . -type f -printf '%P\\0'`, target).split("\0").filter(Boolean).sort();
    const latin = (text: string) => new TextDecoder("latin1").decode(bytes(text));
    for (const odd of [0, 1]) {
      // Folders of one half, files of the other; none of its neighbours comes along.
      const chosen = all.filter((_, n) => n % 2 === odd);
      const items = chosen.map((name) => odd ? path(bytes(name)) : path(bytes(name), bytes(name)));
      if (odd) items.push(path(Uint8Array.of(...bytes("raw"), 0o341)));
      const target = join(world.all.folder, `half ${odd}`);
      const end = await world.restore(items, { kind: "folder", path: target });
      assert.equal(end.status, "succeeded", end.reason ?? "");
      const wanted = [
        ...chosen.map((name) => latin(`${name}/${name}`)),
        ...odd ? ["raw\xe1/x"] : [],
      ];
      assert.deepEqual(found(join(target, source, "f")), wanted.sort());
    }
  });
}
