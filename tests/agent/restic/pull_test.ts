// restic for a stream: run without a job, its output read as fast as its reader likes.
import assert from "node:assert/strict";
import { join } from "node:path";
import { JobControl } from "../../../agent/jobs/control.ts";
import type { ResticContext } from "../../../agent/restic/context.ts";
import { prepareRestic } from "../../../agent/restic/prepare.ts";
import { type RunOptions, runRestic } from "../../../agent/restic/run.ts";
import { TIMEOUTS } from "../../../agent/restic/context.ts";
import type { Agent } from "../../../agent/agent.ts";
import { type RealRestic, restics } from "../../support/restic.ts";
import { access, testFolder } from "../../support/start_agent.ts";

const SIZE = 40_000_000;

/** A repository with one file of 40 MB, and what runs restic on it. */
async function setUp(restic: RealRestic, folder: string) {
  const agent = {
    settings: { stateDir: folder, configDir: folder },
    state: undefined,
    environment: (name: string) => name === "HOME" ? folder : undefined,
    timeouts: { ...TIMEOUTS, graceMs: 3000 },
  } as unknown as Agent;
  const context = prepareRestic(agent, {
    program: restic,
    repository: access(join(folder, "repository")),
    snapshotHost: "alpha",
    limits: { bandwidth_up_kib_per_s: null, bandwidth_down_kib_per_s: null },
    mark: {},
  }) as ResticContext;
  const lines: string[] = [];
  const run = (options: RunOptions) =>
    runRestic({
      ...context,
      lines: { add: (_stream, text) => lines.push(text) },
      control: new JobControl({ onStart: () => {}, onProcess: () => {}, onLock: () => {} }),
    }, options);
  const file = join(folder, "file");
  const content = new Uint8Array(SIZE);
  for (let at = 0; at < SIZE; at += 65_536) {
    crypto.getRandomValues(content.subarray(at, at + 65_536));
  }
  await Deno.writeFile(file, content);
  for (const args of [["init"], ["backup", "--", file]]) {
    const { failure } = await run({ args });
    assert.equal(failure, undefined);
  }
  return { run, file, content, lines };
}

for (const restic of restics) {
  Deno.test(`a file is dumped whole to a reader, and one who leaves ends restic (restic ${restic.version})`, async () => {
    using folder = testFolder();
    const { run, file, content, lines } = await setUp(restic, folder.path);
    const got = new Uint8Array(SIZE);
    let at = 0;
    const whole = await run({
      args: ["dump", "latest", file],
      pull: async (out) => {
        for await (const piece of out) {
          got.set(piece, at);
          at += piece.length;
        }
      },
    });
    assert.deepEqual([whole.failure, at], [undefined, SIZE]);
    assert.ok(got.every((byte, n) => byte === content[n]));
    // One that leaves.
    const left = await run({
      args: ["dump", "latest", file],
      pull: async (out) => {
        for await (const _ of out) return;
      },
    });
    assert.equal(left.exit.stop, "cancelled");
    // One that fails, after restic has ended.
    const failing = run({
      args: ["dump", "latest", file],
      pull: async (out) => {
        for await (const _ of out) throw new Error("the reader's own");
      },
    });
    await assert.rejects(failing, /the reader's own/);
    // The words of restic are its supervisor's, and no output is among them.
    assert.ok(lines.some((line) => line.startsWith(`restic ${restic.version}: dump latest`)));
    assert.ok(lines.every((line) => line.length < 1000));
    const locks: string[] = [];
    await run({ args: ["list", "locks", "--no-lock"], onOut: (line) => locks.push(line) });
    // 0.14 may forget a lock that it was just making; a plain unlock removes it.
    assert.ok(locks.length <= 2, locks.join());
  });
}
