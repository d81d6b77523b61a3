// Which snapshot is "latest" for somebody who lost a file, and what the list says of each.
import assert from "node:assert/strict";
import { join } from "node:path";
import { chooseSnapshot, detailsOf } from "../../../agent/by_hand/choose.ts";
import { readKnownWarnings } from "../../../agent/by_hand/known.ts";
import { Journal } from "../../../agent/journal/journal.ts";
import { createLog } from "../../../shared/log.ts";
import type { NewReport } from "../../../shared/protocol.ts";
import { type RealRestic, restics } from "../../support/restic.ts";
import { saved } from "../../support/restoring.ts";
import { jobId, order, spawnAgent, testFolder } from "../../support/start_agent.ts";

function each(name: string, test: (restic: RealRestic) => Promise<void>): void {
  for (const restic of restics) {
    Deno.test(`${name} (restic ${restic.version})`, () => test(restic));
  }
}

async function machine(restic: RealRestic, fill: (source: string) => void) {
  await using stack = new AsyncDisposableStack();
  const all = stack.use(await saved(restic, fill));
  const { folder, source, run } = all.all;
  const type = async (...args: string[]) => {
    await using agent = spawnAgent(folder, { RM_RESTIC: restic.path }, ["restore", ...args]);
    return await agent.end();
  };
  const backup = async () => {
    const end = await run({ source_group: order([source]) });
    assert.equal(end.status, "succeeded", end.reason ?? "");
    return end.summary!.snapshot_id!;
  };
  return Object.assign(stack.move(), { folder, source, type, backup, snapshot: all.snapshot });
}

each("a file that was deleted comes from the newest snapshot that holds it", async (restic) => {
  await using all = await machine(restic, (source) => {
    Deno.mkdirSync(join(source, "d"));
    for (const name of ["gone", "kept", "*"]) Deno.writeTextFileSync(join(source, "d", name), name);
  });
  const { folder, source, type, backup, snapshot } = all;
  for (const name of ["gone", "*"]) Deno.removeSync(join(source, "d", name));
  const newer = [await backup(), await backup()];
  const from = async (target: string, ...paths: string[]) => {
    const args = paths.flatMap((path) => ["--path", path]);
    const end = await type(...args, "--target", join(folder, target), "--dry-run");
    assert.equal(end.code, 0, end.stderr);
    return end.stdout;
  };
  const gone = join(source, "d/gone");
  const old = await from("a", gone);
  assert.match(old, new RegExp(`^From ${snapshot.slice(0, 8)} `, "m"));
  for (const id of newer) {
    assert.match(old, new RegExp(`Passed over, since it does not hold ${gone}: ${id.slice(0, 8)}`));
  }
  const newest = new RegExp(`^From ${newer[1]!.slice(0, 8)} `, "m");
  assert.match(await from("b", join(source, "d/kept")), newest);
  // A folder above what the snapshots were made of is whole in none of them.
  const above = await type("--path", "/", "--target", join(folder, "c"));
  assert.match(above.stderr, /None of the 3 snapshots of this machine was made of \//);
  // One that holds all of them; and a star is a name, not anything.
  const both = await from("d", join(source, "d/kept"), gone);
  assert.match(both, new RegExp(`^From ${snapshot.slice(0, 8)} `, "m"));
  const star = await from("e", join(source, "d/*"));
  assert.match(star, new RegExp(`^From ${snapshot.slice(0, 8)} `, "m"));
  // What is nowhere is said, with what was looked into.
  const none = await type("--path", join(source, "d/never"), "--target", join(folder, "f"));
  assert.equal(none.code, 1);
  assert.match(none.stderr, /None of the 3 snapshots .* does not hold .*never/);
});

each(
  "what a restore wrote over is not the latest, and a dry run writes nothing",
  async (restic) => {
    await using all = await machine(
      restic,
      (source) => Deno.writeTextFileSync(join(source, "f"), "good"),
    );
    const { folder, source, type, snapshot } = all;
    const file = join(source, "f");
    const target = join(folder, "restored");
    const dry = await type("--path", file, "--target", target, "--dry-run");
    assert.equal(dry.code, 0, dry.stderr);
    assert.match(dry.stdout, /would be written/);
    assert.match(dry.stdout, /Nothing was written: this was a dry run/);
    assert.doesNotMatch(dry.stdout, /Whole/);
    assert.throws(() => Deno.lstatSync(target), Deno.errors.NotFound);
    // Before 0.17 nothing is written over.
    if (restic.version.startsWith("0.14")) return;
    Deno.writeTextFileSync(file, "bad");
    assert.equal((await type("--path", file, "--in-place", "--yes")).code, 0);
    Deno.writeTextFileSync(file, "bad again");
    const again = await type("--path", file, "--in-place", "--yes");
    assert.equal(again.code, 0, again.stderr);
    assert.match(again.stdout, new RegExp(`^From ${snapshot.slice(0, 8)} `, "m"));
    assert.match(again.stdout, /Passed over, since it holds what a restore wrote over/);
    assert.equal(Deno.readTextFileSync(file), "good");
    assert.match((await type("--list")).stdout, /^ +.*1 files, holds what a restore wrote over/m);
  },
);

Deno.test(
  "a machine without a plan is told so, and nothing is touched there",
  async () => {
    using folder = testFolder();
    const state = join(folder.path, "state");
    Deno.mkdirSync(state, { mode: 0o700 });
    const names = () => [...Deno.readDirSync(state)].map(({ name }) => name).sort();
    const type = async (...args: string[]) => {
      await using agent = spawnAgent(folder.path, {}, ["restore", ...args]);
      return await agent.end();
    };
    const never = await type("--list");
    assert.equal(never.code, 1);
    assert.match(never.stderr, /There is no plan in .* that names a repository/);
    assert.deepEqual(names(), []);
    // Also one that is not whole stays where it is: a person may still mend it.
    Deno.writeTextFileSync(join(state, "plan.sealed"), "x".repeat(40));
    assert.match((await type("--list")).stderr, /There is no plan .* its key plan\.key is gone/);
    Deno.writeFileSync(join(state, "plan.key"), new Uint8Array(32));
    assert.match((await type("--list")).stderr, /There is no plan .* damaged/);
    assert.deepEqual(names(), ["plan.key", "plan.sealed"]);
  },
);

Deno.test("what the journal still holds of a backup decides what is taken for the latest", () => {
  using folder = testFolder();
  const state = join(folder.path, "state");
  Deno.mkdirSync(state);
  assert.equal(readKnownWarnings(state)("ab".repeat(32)), undefined);
  const journal = Journal.open(state, { log: createLog("error", () => {}) });
  const finished = (snapshot_id: string, status: "succeeded" | "failed", warnings: number) =>
    journal.append({
      type: "job.finished",
      job_id: jobId(),
      at: 1,
      status,
      exit_code: 0,
      reason: null,
      reason_code: null,
      warnings,
      summary: {
        snapshot_id,
        files_new: 1,
        files_changed: 0,
        files_unmodified: 0,
        bytes_added: 1,
        bytes_processed: 1,
        seconds: 1,
      },
    } as NewReport);
  const id = (letter: string) => letter.repeat(64);
  finished(id("a"), "succeeded", 0);
  finished(id("b").slice(0, 8), "succeeded", 3);
  finished(id("c"), "failed", 0);
  const known = readKnownWarnings(state);
  assert.deepEqual(["a", "b", "c", "d"].map((each) => known(id(each))), [0, 3, 1, undefined]);
  journal.close();

  const snapshot = (letter: string, time: number) => ({
    id: id(letter),
    time,
    tags: [],
    paths: ["/srv"],
    hostname: "h",
    username: null,
    parent: null,
    files: 2,
    bytes: 2048,
    bytes_added: null,
  });
  const all = [snapshot("a", 1), snapshot("b", 3), snapshot("c", 2)];
  const wanted = { id: undefined, paths: ["/srv/x"], warnings: known, lacking: new Map() };
  const chosen = chooseSnapshot(all, wanted);
  assert.ok(typeof chosen !== "string");
  assert.equal(chosen.snapshot.id, id("a"));
  assert.match(chosen.said[0]!, /since its backup had 3 warnings: bbbbbbbb/);
  assert.match(chosen.said[1]!, /since its backup had 1 warning: cccccccc/);
  const none = chooseSnapshot(all.slice(1), wanted);
  assert.match(String(none), /None of the 2 .*: not bbbbbbbb, since its backup had 3 warnings/);
  const one = chooseSnapshot(all, { ...wanted, id: "bbbbbbbb" });
  assert.ok(typeof one !== "string", "who names it has it");
  assert.equal(detailsOf(all[0]!, 0), "          2.0 KiB, 2 files, made without warnings");
  assert.equal(detailsOf({ ...all[0]!, files: null, bytes: null }, undefined), undefined);
});
