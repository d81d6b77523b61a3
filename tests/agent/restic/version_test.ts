import assert from "node:assert/strict";
import { join } from "node:path";
import { isAtLeast, ResticFinder } from "../../../agent/restic/version.ts";
import { eventually } from "../../support/eventually.ts";
import { FakeRestic } from "../../support/fake_restic.ts";
import { testFolder } from "../../support/start_agent.ts";

Deno.test("versions are compared number by number", () => {
  assert.ok(isAtLeast("0.18.0", "0.16.1"));
  assert.ok(isAtLeast("0.16.1", "0.16.1"));
  assert.ok(isAtLeast("1.0.0", "0.99.9"));
  assert.ok(!isAtLeast("0.9.6", "0.14.0"));
  assert.ok(!isAtLeast("0.16.0", "0.16.1"));
});

Deno.test("a restic that is replaced between two jobs is asked again", async () => {
  using folder = testFolder();
  const { path } = new FakeRestic(folder.path, { version: "0.16.4" });
  const finder = new ResticFinder(path);
  assert.deepEqual(await finder.find(), { path, version: "0.16.4" });
  Deno.removeSync(path);
  await assert.rejects(finder.find(), /No restic was found at .*package manager.*RM_RESTIC/);
  new FakeRestic(folder.path, { version: "0.18.0" });
  assert.equal((await finder.find()).version, "0.18.0");
});

Deno.test("restic is looked for on the search path", async () => {
  using folder = testFolder();
  const { path } = new FakeRestic(folder.path);
  Deno.renameSync(path, join(folder.path, "restic"));
  const found = await new ResticFinder(undefined, `/nowhere:${folder.path}`).find();
  assert.equal(found.path, join(folder.path, "restic"));
  await assert.rejects(new ResticFinder(undefined, "/nowhere:").find(), { code: "restic_missing" });
});

Deno.test("what is too old, is no restic or cannot be started is refused with what to do", async () => {
  using folder = testFolder();
  const { path } = new FakeRestic(folder.path, { version: "0.12.1" });
  await assert.rejects(new ResticFinder(path).find(), {
    code: "restic_too_old",
    message: /0\.12\.1 .* is too old\. Install restic 0\.14\.0 or newer/,
  });
  Deno.writeTextFileSync(path, "#!/bin/sh\necho something else\n");
  await assert.rejects(new ResticFinder(path).find(), /does not answer as restic does/);
  Deno.chmodSync(path, 0o600);
  await assert.rejects(new ResticFinder(path).find(), { code: "restic_missing" });
});

Deno.test("a restic that hangs, with something that holds its output and heeds no signal, is given up in seconds", async () => {
  using folder = testFolder();
  const path = join(folder.path, "restic");
  const pids = join(folder.path, "pids");
  const hang =
    `trap "" TERM INT; echo $$ >>${pids}; sleep 300 & echo $! >>${pids}; wait; sleep 300`;
  Deno.writeTextFileSync(path, `#!/bin/sh\n${hang}\n`, { mode: 0o755 });
  const began = performance.now();
  await assert.rejects(new ResticFinder(path).find(), /no answer within 8 s/);
  assert.ok(performance.now() - began < 12_000);
  const [shell, child] = Deno.readTextFileSync(pids).trim().split("\n").map(Number);
  await eventually("it is killed", () => !existsProcess(shell!));
  Deno.kill(child!, "SIGKILL");
});

Deno.test("a restic that prints without end is refused at once, and nothing of it goes on", async () => {
  using folder = testFolder();
  const path = join(folder.path, "restic");
  const pid = join(folder.path, "pid");
  Deno.writeTextFileSync(path, `#!/bin/sh\necho $$ >${pid}\nexec yes\n`, { mode: 0o755 });
  const began = performance.now();
  await assert.rejects(new ResticFinder(path).find(), /does not answer as restic does/);
  assert.ok(performance.now() - began < 8000, "not only when its time is over");
  await eventually("it is killed", () => !existsProcess(Number(Deno.readTextFileSync(pid))));
});

function existsProcess(pid: number): boolean {
  try {
    Deno.kill(pid, "SIGCONT");
    return true;
  } catch {
    return false;
  }
}
