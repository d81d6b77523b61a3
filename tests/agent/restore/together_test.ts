// Restores beside each other and beside backups, and ends that are not what they look like.
import assert from "node:assert/strict";
import { join } from "node:path";
import { writeNoise } from "../../support/backing_up.ts";
import { eventually } from "../../support/eventually.ts";
import { type RealRestic, resticByHand, restics } from "../../support/restic.ts";
import { saved, sh } from "../../support/restoring.ts";
import { jobId, order, testFolder } from "../../support/start_agent.ts";

const modern = restics.filter(({ version }) => !version.startsWith("0.14"));

function each(name: string, test: (restic: RealRestic) => Promise<void>, which = restics): void {
  for (const restic of which) {
    Deno.test(`${name} (restic ${restic.version})`, () => test(restic));
  }
}

function noise(source: string): void {
  for (const n of [1, 2, 3, 4, 5]) writeNoise(join(source, `${n}`), 8_000_000);
}

/** A restic that is the real one but for a verb. */
function wrapped(folder: string, restic: RealRestic, verb: string, script: string): RealRestic {
  const path = join(folder, "wrapped");
  Deno.writeTextFileSync(
    path,
    `#!/bin/sh\nif [ "$1" = ${verb} ]; then\n${
      script.replaceAll("RESTIC", restic.path)
    }\nfi\nexec ${restic.path} "$@"\n`,
  );
  Deno.chmodSync(path, 0o755);
  return { ...restic, path };
}

each(
  "the same restore twice at once, or into a folder in one that is written to, is refused while the first runs",
  async (restic) => {
    await using all = await saved(restic, noise);
    const { source, server } = all.all;
    const first = jobId();
    const restore = all.orderOf([source]);
    server.run({ job_id: first, kind: "restore", restore, bandwidth_down_kib_per_s: 5000 });
    await eventually(
      "it is at work",
      () => [...Deno.readDirSync(join(all.target, source))].length > 0,
    );
    for (const path of [all.target, join(all.target, "in it")]) {
      const second = await all.restore([source], { kind: "folder", path });
      assert.match(second.reason ?? "", /another restore writes to/, path);
    }
    // A backup leaves out what is half there, and says so.
    const backup = await all.all.run({ source_group: order([all.all.folder]) });
    assert.equal(backup.status, "succeeded", backup.reason ?? "");
    assert.ok(
      server.texts(backup.job_id).some((text) => text.includes(`being restored: ${all.target}`)),
    );
    const held = await resticByHand(restic, all.all.repository, [
      "ls",
      backup.summary!.snapshot_id!,
    ]);
    assert.ok(!held.includes(all.target));
    const end = await server.finished(first, 60_000);
    assert.equal(end.status, "succeeded", end.reason ?? "");
    assert.equal(
      sh(`cd "$1"; sha256sum *`, join(all.target, source)),
      sh(`cd "$1"; sha256sum *`, source),
    );
  },
);

each("a restore that was given up leaves its folder to the backups", async (restic) => {
  await using all = await saved(restic, noise);
  const { source, server } = all.all;
  const target = join(source, "precious");
  const job_id = jobId();
  const restore = all.orderOf([source], { kind: "folder", path: target });
  server.run({ job_id, kind: "restore", restore, bandwidth_down_kib_per_s: 3000 });
  await eventually(
    "it is at work",
    () => [...Deno.readDirSync(join(target, source))].length > 0,
  );
  server.send({ type: "command.cancel", job_id });
  const end = await server.finished(job_id);
  assert.equal(end.status, "cancelled", end.reason ?? "");
  // Nothing was looked at: nothing is said to be there.
  assert.deepEqual([end.restored?.checked, end.restored?.written], [false, 0]);
  Deno.removeSync(target, { recursive: true });
  Deno.mkdirSync(target);
  Deno.writeTextFileSync(join(target, "thesis"), "years");
  const backup = await all.all.run({ source_group: order([source]) });
  const held = await resticByHand(restic, all.all.repository, ["ls", backup.summary!.snapshot_id!]);
  assert.ok(held.includes(join(target, "thesis")), held);
});

each("where what is there cannot be saved whole, nothing is written over it", async (restic) => {
  using folder = testFolder();
  const partial = wrapped(
    folder.path,
    restic,
    "backup",
    `for each; do case $each in --tag=before-restore) RESTIC "$@"; exit 3;; esac; done`,
  );
  await using all = await saved(
    partial,
    (source) => Deno.writeTextFileSync(join(source, "f"), "old"),
  );
  const file = join(all.all.source, "f");
  Deno.writeTextFileSync(file, "new");
  const end = await all.restore([file], { kind: "original" }, { undo: true });
  assert.deepEqual([end.status, end.reason_code], ["failed", "not_saved"], end.reason ?? "");
  assert.match(end.reason ?? "", /^Nothing was written/);
  assert.equal(Deno.readTextFileSync(file), "new");
}, modern);

each("a restic that dies after it told of one item has not told of all", async (restic) => {
  using folder = testFolder();
  const told = JSON.stringify({
    message_type: "error",
    error: { message: "lchown /x: operation not permitted" },
    during: "restore",
    item: "/x",
  });
  const dying = wrapped(
    folder.path,
    restic,
    "restore",
    `RESTIC "$@" >/dev/null; echo '${told}' >&2; echo 'Fatal: failed to refresh lock in time' >&2; exit 1`,
  );
  await using all = await saved(dying, (source) => Deno.writeTextFileSync(join(source, "f"), "f"));
  const end = await all.restore([all.all.source]);
  assert.equal(end.status, "failed", end.reason ?? "");
  assert.match(end.reason ?? "", /failed to refresh lock/);
  assert.equal(end.restored?.checked, false);
}, modern);

each("files that were left as they were are not said to be verified", async (restic) => {
  await using all = await saved(
    restic,
    (source) => Deno.writeTextFileSync(join(source, "f"), "old"),
  );
  const file = join(all.all.source, "f");
  Deno.writeTextFileSync(file, "newer");
  const kept = await all.restore([file], { kind: "original" }, {
    overwrite: "never",
    verify: true,
  });
  assert.equal(kept.status, "succeeded", kept.reason ?? "");
  assert.deepEqual([kept.restored?.kept, kept.restored?.verified, kept.restored?.checked], [
    1,
    false,
    true,
  ]);
}, modern);

Deno.test("another user's empty folder is taken only where he cannot put a link in its place", async () => {
  const [restic] = restics;
  await using all = await saved(
    restic!,
    (source) => Deno.writeTextFileSync(join(source, "f"), "f"),
  );
  const { folder, source } = all.all;
  sh(
    `cd "$1"; mkdir sticky closed; chmod 1777 sticky; mkdir sticky/his closed/his; chown 1234 sticky/his closed/his`,
    folder,
  );
  const sticky = await all.restore([source], { kind: "folder", path: join(folder, "sticky/his") });
  assert.match(sticky.reason ?? "", /another user's/);
  assert.equal(sh(`stat -c '%u %a' "$1"`, join(folder, "sticky/his")).trim(), "1234 755");
  const closed = await all.restore([source], { kind: "folder", path: join(folder, "closed/his") });
  assert.equal(closed.status, "succeeded", closed.reason ?? "");
  assert.equal(sh(`stat -c '%u %a' "$1"`, join(folder, "closed/his")).trim(), "1234 755");
});
