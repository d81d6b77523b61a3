// Retention and the green light with the real restics: forged snapshots, sources that are not there, groups that are renamed.
import assert from "node:assert/strict";
import { join } from "node:path";
import { RealPair } from "../support/real_pair.ts";
import { type RealRestic, resticByHand, restics } from "../support/restic.ts";

const PASSWORD = "secret-of-the-repository";

function each(name: string, test: (restic: RealRestic) => Promise<void>): void {
  for (const restic of restics) Deno.test(`${name} (restic ${restic.version})`, () => test(restic));
}

async function setUp(restic: RealRestic) {
  const pair = await RealPair.start();
  const source = join(pair.folder, "source");
  await Deno.mkdir(source);
  await Deno.writeTextFile(join(source, "file"), "content");
  const repository = join(pair.folder, "repository");
  const host = await pair.join("alpha", {
    restic: restic.path,
    repository: { url: repository, password: PASSWORD, is_new: true },
    paths: [source],
  });
  const groups = `/api/hosts/${host.hostId}/source-groups`;
  const [group] = (await pair.api("GET", groups)).items;
  const save = (more: Record<string, unknown>) =>
    pair.api("PUT", `${groups}/${group.id}`, { name: "default", includes: [source], ...more });
  const listed = async () =>
    JSON.parse(await resticByHand(restic, repository, ["snapshots", "--json"], PASSWORD)) as {
      id: string;
      tags: string[] | null;
      hostname: string;
    }[];
  const byHand = (...args: string[]) => resticByHand(restic, repository, args, PASSWORD);
  const forget = (more: Record<string, unknown> = {}) =>
    pair.maintain(host.repositoryId, { kind: "forget", ...more });
  return { pair, host, group, groups, source, repository, save, listed, byHand, forget };
}

each(
  "whoever adds snapshots with any host, tag and time pushes none of ours out",
  async (restic) => {
    const all = await setUp(restic);
    await using pair = all.pair;
    await all.save({ retention: { keep_last: 2 } });
    const honest: string[] = [];
    for (let n = 0; n < 3; n++) {
      await Deno.writeTextFile(join(all.source, "file"), `content ${n}`);
      honest.push((await pair.backup(all.host)).summary.snapshot_id);
    }
    for (const time of ["2001-01-01 00:00:00", "2040-01-01 00:00:00"]) {
      for (const more of [["--tag=default"], ["--tag=default", "--tag=other"], []]) {
        await all.byHand("backup", "-q", "--host=alpha", `--time=${time}`, ...more, all.source);
      }
    }
    await all.byHand("backup", "-q", "--host=alpha", "--tag=default", all.source);
    const forgot = await all.forget();
    assert.equal(forgot.status, "succeeded", forgot.reason);
    const left = await all.listed();
    // keep_last 2 keeps the two newest of ours, and the seven others are not ours to remove.
    assert.deepEqual(
      left.map(({ id }) => id).filter((id) => honest.includes(id)).sort(),
      honest.slice(1).sort(),
    );
    assert.equal(left.length, 2 + 7);
    const { items } = await pair.api("GET", `/api/hosts/${all.host.hostId}/snapshots`);
    assert.equal(items.filter(({ ours }: { ours: boolean }) => !ours).length, 7);
    const ungoverned = await pair.api(
      "GET",
      `/api/repositories/${all.host.repositoryId}/ungoverned-snapshots`,
    );
    assert.deepEqual(ungoverned.items.map((item: { count: number }) => item.count).sort(), [
      2,
      2,
      3,
    ]);
  },
);

each(
  "a source that is a link, an empty folder or content that went away takes no good backup's place",
  async (restic) => {
    const all = await setUp(restic);
    await using pair = all.pair;
    await all.save({ retention: { keep_last: 2 } });
    const good = await pair.backup(all.host);
    assert.deepEqual([good.status, good.warnings], ["succeeded", 0]);
    await Deno.rename(all.source, `${all.source}.away`);
    const empty = async (how: () => Promise<void>, words: RegExp) => {
      await how();
      const job = await pair.backup(all.host);
      assert.deepEqual([job.status, job.reason_code, job.withheld], [
        "failed",
        "nothing_saved",
        "nothing_saved",
      ], job.reason);
      assert.match(job.reason, words);
      await Deno.remove(all.source, { recursive: true });
      return job;
    };
    await empty(
      () => Deno.symlink(`${all.source}.away`, all.source),
      /is a link, .* name \S+source\.away instead/,
    );
    await empty(() => Deno.mkdir(all.source), /is an empty folder/);
    const last = await empty(
      () => Deno.mkdir(join(all.source, "only", "folders"), { recursive: true }),
      /no files with content/,
    );
    assert.equal((await pair.api("GET", `/api/hosts/${all.host.hostId}`)).state, "bad");
    const forgot = await all.forget();
    assert.equal(forgot.status, "succeeded", forgot.reason);
    assert.ok((await all.listed()).some(({ id }) => id === good.summary.snapshot_id));
    assert.equal((await all.listed()).length, 4);
    // A person says that it is right: then it counts, and the agent is not told the same again.
    await pair.api("POST", `/api/jobs/${last.id}/accept`);
    assert.equal((await pair.api("GET", `/api/hosts/${all.host.hostId}`)).state, "ok");
    await Deno.mkdir(join(all.source, "only", "folders"), { recursive: true });
    const again = await pair.backup(all.host);
    assert.deepEqual(
      [again.status, again.warnings, again.withheld],
      ["succeeded", 0, null],
      again.reason,
    );
  },
);

each(
  "one of several paths that is a link or empty warns and waits; the rest is saved",
  async (restic) => {
    const all = await setUp(restic);
    await using pair = all.pair;
    const other = join(pair.folder, "other");
    await all.save({ includes: [all.source, other] });
    await Deno.mkdir(other);
    const job = await pair.backup(all.host);
    assert.deepEqual(
      [job.status, job.warnings, job.withheld],
      ["succeeded", 1, "source_empty"],
      job.reason,
    );
    assert.match(job.reason, /other is an empty folder/);
    await pair.api("POST", `/api/jobs/${job.id}/accept`);
    assert.deepEqual((await pair.api("GET", `/api/jobs/${job.id}`)).warnings, 0);
    const next = await pair.backup(all.host);
    assert.deepEqual([next.warnings, next.withheld], [0, null], next.reason);
    await Deno.remove(other);
    await Deno.symlink(all.source, other);
    assert.equal((await pair.backup(all.host)).withheld, "source_link");
    await Deno.remove(other);
    const missing = await pair.backup(all.host);
    assert.deepEqual([missing.status, missing.withheld], ["succeeded", "source_missing"]);
  },
);

each(
  "a disk that is not mounted is noticed also where its folder holds something else",
  async (restic) => {
    const all = await setUp(restic);
    await using pair = all.pair;
    const mount = (...args: string[]) =>
      new Deno.Command(args[0]!, { args: args.slice(1) }).output();
    const mounted = await mount("mount", "-t", "tmpfs", "disk-of-the-test", all.source);
    assert.ok(mounted.success, "this needs root, to mount a file system");
    try {
      await Deno.writeTextFile(join(all.source, "file"), "on the disk");
      const good = await pair.backup(all.host);
      assert.deepEqual([good.status, good.warnings], ["succeeded", 0], good.reason);
    } finally {
      await mount("umount", all.source);
    }
    // Below it lies a file of another time.
    for (let n = 0; n < 2; n++) {
      const away = await pair.backup(all.host);
      assert.deepEqual(
        [away.warnings, away.withheld],
        [1, "source_other_file_system"],
        away.reason,
      );
      assert.match(
        away.reason,
        /lies on another file system than before \(.*it was tmpfs disk-of-the-test/,
      );
      if (n === 1) await pair.api("POST", `/api/jobs/${away.id}/accept`);
    }
    const accepted = await pair.backup(all.host);
    assert.deepEqual([accepted.warnings, accepted.withheld], [0, null], accepted.reason);
  },
);

each(
  "a disk whose folder was missing for a night is noticed when the folder is there without the disk",
  async (restic) => {
    const all = await setUp(restic);
    await using pair = all.pair;
    const disk = join(pair.folder, "disk");
    await all.save({ includes: [all.source, `${disk}/`] });
    await Deno.mkdir(disk);
    const run = (...args: string[]) => new Deno.Command(args[0]!, { args: args.slice(1) }).output();
    const mounted = await run("mount", "-t", "tmpfs", "disk-of-the-test", disk);
    assert.ok(mounted.success, "this needs root, to mount a file system");
    try {
      await Deno.writeTextFile(join(disk, "file"), "on the disk");
      const good = await pair.backup(all.host);
      assert.deepEqual([good.status, good.warnings], ["succeeded", 0], good.reason);
    } finally {
      await run("umount", disk);
    }
    await Deno.remove(disk);
    const missing = await pair.backup(all.host);
    assert.deepEqual([missing.status, missing.withheld], ["succeeded", "source_missing"]);
    await Deno.mkdir(disk);
    await Deno.writeTextFile(join(disk, "README"), "mount the disk here");
    const away = await pair.backup(all.host);
    assert.equal(away.withheld, "source_other_file_system", away.reason);
  },
);

each("what is excluded by size, marker, cache tag and case stays out", async (restic) => {
  const all = await setUp(restic);
  await using pair = all.pair;
  const put = async (path: string, text: string) => {
    await Deno.mkdir(join(all.source, path, ".."), { recursive: true });
    await Deno.writeTextFile(join(all.source, path), text);
  };
  await put("big", "x".repeat(5000));
  await put("DISK.ISO", "x");
  await put("marked/.nobackup", "x");
  await put("marked/inside", "x");
  await put("cache/CACHEDIR.TAG", "Signature: 8a477f597d28d172789f06886806bc55\n");
  await put("cache/inside", "x");
  await all.save({
    iexcludes: ["*.iso"],
    exclude_larger_than: "4k",
    exclude_if_present: [".nobackup"],
    exclude_caches: true,
    one_file_system: true,
  });
  const job = await pair.backup(all.host);
  assert.equal(job.status, "succeeded", job.reason);
  const names = (await all.byHand("ls", job.summary.snapshot_id)).split("\n")
    .filter((line) => line.startsWith(all.source)).map((line) => line.slice(all.source.length + 1));
  assert.ok(names.includes("file"));
  for (const gone of ["big", "DISK.ISO", "marked/inside", "cache/inside"]) {
    assert.ok(!names.includes(gone), gone);
  }
});

each(
  "a renamed group keeps governing what it made, and removes nothing of a repository's other hosts",
  async (restic) => {
    const all = await setUp(restic);
    await using pair = all.pair;
    await all.byHand("backup", "-q", "--host=beta", "--tag=default", all.source);
    const first = await pair.backup(all.host);
    await all.save({ name: "documents", retention: { keep_last: 1 } });
    const second = await pair.backup(all.host);
    const forgot = await all.forget();
    assert.equal(forgot.status, "succeeded", forgot.reason);
    const left = await all.listed();
    assert.deepEqual(left.map(({ hostname, tags }) => [hostname, tags]), [["beta", ["default"]], [
      "alpha",
      ["default"],
    ]]);
    assert.ok(left.some(({ id }) => id === second.summary.snapshot_id));
    assert.ok(!left.some(({ id }) => id === first.summary.snapshot_id));
  },
);
