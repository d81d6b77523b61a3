// What is seen of the paths of a group before and after they are backed up.
import assert from "node:assert/strict";
import { join } from "node:path";
import { readMount } from "../../../agent/file_systems.ts";
import { lookAgain, lookAtSources } from "../../../agent/restic/sources.ts";
import { order, testFolder } from "../../support/start_agent.ts";

Deno.test("a link is seen in every spelling that restic shortens to it, and only there", async () => {
  using folder = testFolder();
  const at = (...parts: string[]) => [folder.path, ...parts].join("/");
  Deno.mkdirSync(at("real/inner"), { recursive: true });
  Deno.writeTextFileSync(at("real/inner/file"), "content");
  Deno.symlinkSync(at("real"), at("link"));
  for (
    const spelling of [
      "link",
      "link/",
      "link//",
      "link/.",
      "./link",
      "real/../link",
      "link/inner/..",
    ]
  ) {
    const { problems } = await lookAtSources(order([at(spelling)]), {});
    assert.deepEqual(problems.map(({ problem }) => problem), ["link"], spelling);
  }
  for (const spelling of ["link/inner", "link/inner/file", "real", "real/.", "."]) {
    assert.deepEqual((await lookAtSources(order([at(spelling)]), {})).problems, [], spelling);
  }
  assert.deepEqual((await lookAtSources(order(["/"]), {})).problems, []);
});

Deno.test("a file system that goes away while it is read is seen after the run", async () => {
  using folder = testFolder();
  const path = join(folder.path, "disk");
  Deno.mkdirSync(path);
  Deno.writeTextFileSync(join(path, "file"), "content");
  const group = order([path]);
  const before = await lookAtSources(group, {});
  const same = await lookAgain(group, before);
  assert.deepEqual([same.problems, same.sentences], [[], []]);
  const first = { ...before, fileSystems: { [path]: `ext4 UUID=a-disk at ${path}` } };
  const { problems, sentences } = await lookAgain(group, first);
  assert.deepEqual(problems, [{ path, problem: "other_file_system" }]);
  assert.match(sentences.join(), /disk went away or changed while it was read/);
  const accepted = await lookAgain({ ...group, accepted: problems }, first);
  assert.deepEqual(accepted.sentences, []);
});

Deno.test("a file system has one name however the kernel counts its disks and a hook its snapshots", () => {
  const name = (root: string, type: string, source: string, disks: [string, string][] = []) =>
    readMount(`36 35 98:0 ${root} /data rw - ${type} ${source} rw`, new Map(disks))?.name;
  const same = (one: string | undefined, other: string | undefined) => assert.equal(one, other);
  const uuid = "UUID=2c5ab6f1-0000-4444-8888-123456789012";
  same(
    name("/", "ext4", "/dev/sdb1", [["/dev/sdb1", uuid], ["/dev/sda1", "UUID=other"]]),
    name("/", "ext4", "/dev/sdc1", [["/dev/sdc1", uuid]]),
  );
  assert.notEqual(
    name("/", "ext4", "/dev/sdb1", [["/dev/sdb1", uuid]]),
    name("/", "ext4", "/dev/sdb1", [["/dev/sdb1", "UUID=other"]]),
  );
  same(
    name("/.snapshots/431/snapshot", "btrfs", "/dev/vda2"),
    name("/.snapshots/432/snapshot", "btrfs", "/dev/vda2"),
  );
  same(
    name("/@home-20261125", "btrfs", "/dev/vda2"),
    name("/@home-20261126", "btrfs", "/dev/vda2"),
  );
  same(
    name("/", "zfs", "tank/home@2026-11-25T03:00:01Z"),
    name("/", "zfs", "tank/home@2026-11-26T14:30:59Z"),
  );
  same(name("/", "ext4", "/dev/loop3"), name("/", "ext4", "/dev/loop14"));
  assert.notEqual(name("/@home", "btrfs", "/dev/vda2"), name("/@", "btrfs", "/dev/vda2"));
  assert.notEqual(name("/", "ext4", "/dev/sda1"), name("/", "ext4", "/dev/sdb1"));
});
