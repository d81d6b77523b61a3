// A restore at the machine itself that is cut short, comes twice, or meets an agent that starts: with a restic that takes its time.
import assert from "node:assert/strict";
import { join } from "node:path";
import { markedAs } from "../../../agent/by_hand/alone.ts";
import { findMarked } from "../../../agent/jobs/marked.ts";
import { locksIn, writeNoise } from "../../support/backing_up.ts";
import { eventually } from "../../support/eventually.ts";
import { type RealRestic, restics } from "../../support/restic.ts";
import { listed, saved } from "../../support/restoring.ts";
import { spawnAgent, startAgent } from "../../support/start_agent.ts";

function each(name: string, test: (restic: RealRestic) => Promise<void>): void {
  for (const restic of restics) {
    Deno.test(`${name} (restic ${restic.version})`, () => test(restic));
  }
}

/** A host with a snapshot of 2 MB and no agent at work, whose restic restores so many KiB a second. */
async function slowMachine(restic: RealRestic, pace = "400") {
  await using stack = new AsyncDisposableStack();
  const all = stack.use(
    await saved(restic, (source) => {
      for (const n of [1, 2, 3, 4]) writeNoise(join(source, `${n}`), 500_000);
    }),
  );
  const { folder, source, agent, repository } = all.all;
  await agent.stop();
  const slow = join(folder, "slow restic");
  Deno.writeTextFileSync(
    slow,
    `#!/bin/sh\n[ "$1" = restore ] && exec ${restic.path} "$@" --limit-download ${pace}\nexec ${restic.path} "$@"\n`,
    { mode: 0o755 },
  );
  const target = join(folder, "restored");
  const begin = (path = slow, to = target) =>
    spawnAgent(folder, { RM_RESTIC: path }, ["restore", "--path", source, "--target", to]);
  const marked = () => findMarked(markedAs(join(folder, "state")));
  const underWay = () =>
    eventually(
      "restic writes there",
      async () => [...Deno.readDirSync(target)].length > 0 && (await marked()).length > 0,
    );
  const more = { folder, source, target, repository, begin, marked, underWay };
  return Object.assign(stack.move(), { ...more, server: all.all.server });
}

for (const signal of ["SIGHUP", "SIGTERM", "SIGINT"] as const) {
  each(`${signal} ends restic too, and the same command goes on`, async (restic) => {
    await using all = await slowMachine(restic);
    {
      await using first = all.begin();
      await all.underWay();
      first.child.kill(signal);
      const { code, stderr } = await first.end();
      assert.equal(code, 1);
      assert.match(stderr, /stays closed; the same restore goes on there/);
    }
    assert.deepEqual(await all.marked(), []);
    await using again = all.begin(restic.path);
    const end = await again.end();
    assert.equal(end.code, 0, end.stderr);
    assert.equal(listed(join(all.target, all.source)), listed(all.source));
    assert.equal(locksIn(all.repository), 0);
  });
}

each("what a killed one left at work is ended before the next one writes there", async (restic) => {
  await using all = await slowMachine(restic, "100 >/dev/null 2>&1");
  {
    await using first = all.begin();
    await all.underWay();
    first.child.kill("SIGKILL");
    await first.child.status;
  }
  // No pipe tells it that nobody is left.
  assert.equal((await all.marked()).length, 1);
  await using again = all.begin(restic.path);
  const end = await again.end();
  assert.equal(end.code, 0, end.stderr);
  assert.match(end.stdout, /restic of an earlier restore was still at work/);
  assert.deepEqual(await all.marked(), []);
  assert.equal(listed(join(all.target, all.source)), listed(all.source));
});

each(
  "a second one is refused while one runs, and an agent that starts leaves it alone",
  async (restic) => {
    await using all = await slowMachine(restic);
    await using first = all.begin();
    await all.underWay();
    for (const to of [all.target, join(all.folder, "elsewhere")]) {
      await using second = all.begin(restic.path, to);
      const refused = await second.end();
      assert.equal(refused.code, 1);
      assert.match(refused.stderr, /^Another restore by hand is running on this machine/m);
    }
    await using started = await startAgent(all.server, {
      directory: all.folder,
      restic: restic.path,
    });
    assert.ok(!started.logged.some((line) => line.includes("outlived an earlier agent")));
    const end = await first.end();
    assert.equal(end.code, 0, end.stderr);
    assert.equal(listed(join(all.target, all.source)), listed(all.source));
  },
);

each("a reader that leaves does not leave the restore half done", async (restic) => {
  await using all = await slowMachine(restic);
  const child = new Deno.Command("/bin/sh", {
    args: [
      "-c",
      `{ "$@"; echo "ended with $?" >&3; } 3>&2 2>&1 | head -n 1`,
      "sh",
      Deno.execPath(),
      "run",
      "-A",
      "--no-check",
      new URL("../../../agent/main.ts", import.meta.url).pathname,
      "restore",
      "--path",
      all.source,
      "--target",
      all.target,
    ],
    env: {
      RM_CONFIG_DIR: join(all.folder, "config"),
      RM_STATE_DIR: join(all.folder, "state"),
      RM_RESTIC: restic.path,
    },
    stdout: "piped",
    stderr: "piped",
  });
  const { stderr } = await child.output();
  assert.match(new TextDecoder().decode(stderr), /ended with 0/);
  assert.equal(listed(join(all.target, all.source)), listed(all.source));
});
