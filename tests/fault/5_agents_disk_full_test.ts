import assert from "node:assert/strict";
import { join } from "node:path";
import { eventually } from "../support/eventually.ts";
import { FakeServer, REPOSITORY_ID } from "../support/fake_server.ts";
import { missingNamespace } from "../support/left_out.ts";
import { restics } from "../support/restic.ts";
import { access, jobId, order, startAgent, testFolder } from "../support/start_agent.ts";
import { fault } from "../support/trial.ts";

const missing = missingNamespace(["--mount"], "mount -t tmpfs -o size=1m tmpfs /mnt");

function run(program: string, ...args: string[]): boolean {
  return new Deno.Command(program, { args, stdout: "null", stderr: "null" }).outputSync().success;
}

function smallDisk(at: string, size = "3m"): Disposable {
  Deno.mkdirSync(at, { recursive: true });
  assert.ok(run("mount", "-t", "tmpfs", "-o", `size=${size}`, "tmpfs", at));
  return { [Symbol.dispose]: () => run("umount", "-l", at) };
}

function fill(path: string): void {
  const file = Deno.openSync(path, { create: true, append: true });
  try {
    for (const size of [65_536, 4096, 1]) {
      try {
        for (;;) file.writeSync(new Uint8Array(size));
      } catch {
        // Full for that size.
      }
    }
  } finally {
    file.close();
  }
}

if (!missing) {
  for (const restic of restics) {
    fault({
      id: "5",
      promise: `with a full state folder a good backup ends within seconds (restic ${
        restic.version.slice(0, 4)
      })`,
      done:
        "a backup with restic's cache; then the disk is full before the next one, and fills in the pre hook of the one after; between them there is room again",
      expected:
        "all succeed, within 15 s; their ends come at once; the agent reports the folder, and takes that back by itself",
    }, async (see) => {
      using folder = testFolder();
      const state = join(folder.path, "state");
      using _disk = smallDisk(state);
      const data = join(folder.path, "data");
      Deno.mkdirSync(data);
      await using server = new FakeServer({
        config: { repository: access(join(folder.path, "repository")) },
      });
      await using all = await startAgent(server, { directory: folder.path, restic: restic.path });
      const init = jobId();
      server.run({ job_id: init, kind: "init", may_create: true });
      assert.equal((await server.finished(init, 30_000)).status, "succeeded");
      const backup = async (name: string, more: Record<string, unknown> = {}) => {
        Deno.writeFileSync(join(data, name), crypto.getRandomValues(new Uint8Array(60_000)));
        const id = jobId();
        const began = performance.now();
        server.run({ job_id: id, source_group: { ...order([data]), ...more } });
        const end = await server.finished(id, 60_000);
        assert.equal(end.status, "succeeded", `${end.reason}\n${server.texts(id).join("\n")}`);
        const ms = Math.round(performance.now() - began);
        assert.ok(ms < 15_000, `${name} took ${ms} ms`);
        return ms;
      };
      await backup("first");
      const ballast = join(state, "ballast");
      const ways: [string, () => Promise<number>][] = [
        ["full before", () => {
          fill(ballast);
          return backup("second");
        }],
        ["full meanwhile", () =>
          backup("third", {
            hooks: {
              pre_hook: `head -c 9000000 /dev/zero >>${ballast} 2>/dev/null; true`,
              timeout_seconds: 60,
            },
          })],
      ];
      for (const [words, act] of ways) {
        const before = server.of("problems").length;
        const ms = await act();
        const problem = await eventually(
          "the agent reports it",
          () =>
            server.of("problems").slice(before).flatMap(({ problems }) => problems)
              .find(({ kind }) => kind === "state_not_writable"),
        );
        Deno.removeSync(ballast);
        await eventually(
          "it takes that back",
          () => server.of("problems").at(-1)?.problems.length === 0,
        );
        see(`${words}: ${ms} ms; "${problem.text}"; taken back by itself`);
      }
      assert.ok(!all.agent.ledger.mayHoldLock(REPOSITORY_ID));
    });
  }

  fault({
    id: "5",
    promise: "an agent starts and works on a disk that takes nothing, also beside damaged files",
    done:
      "jobs.json is damaged and the disk is made full, then read-only (with another damaged file): the agent is started and makes a backup",
    expected: "a good backup; the damaged file is still there as it was; with room it is put aside",
  }, async (see) => {
    using folder = testFolder();
    const state = join(folder.path, "state");
    using _disk = smallDisk(state, "1m");
    Deno.writeTextFileSync(join(state, "jobs.json"), "damaged");
    fill(join(state, "ballast"));
    for (const how of ["full", "read-only"]) {
      if (how === "read-only") {
        Deno.writeTextFileSync(join(state, "timers.json"), "");
        Deno.truncateSync(join(state, "timers.json"), 0);
        assert.ok(run("mount", "-o", "remount,ro", state));
      }
      const restic = restics[0]!.path;
      await using server = new FakeServer({
        config: { repository: access(join(folder.path, `repository-${how}`)) },
      });
      await using _all = await startAgent(server, { directory: folder.path, restic });
      const init = jobId();
      server.run({ job_id: init, kind: "init", may_create: true });
      await server.finished(init, 30_000);
      const id = jobId();
      server.run({ job_id: id, source_group: order(["/etc/hostname"]) });
      const end = await server.finished(id, 30_000);
      assert.equal(end.status, "succeeded", end.reason ?? "");
      const hello = server.of("hello")[0]!;
      assert.ok(hello.ledger_lost);
      assert.equal(Deno.readTextFileSync(join(state, "jobs.json.bad-1")), "damaged");
      const texts = [...hello.problems!, ...server.of("problems").flatMap((each) => each.problems)]
        .map(({ text }) => text).join("\n");
      assert.match(texts, /cannot be written/);
      if (how === "read-only") {
        assert.match(texts, /timers\.json could not be put aside and stays as it is/);
        assert.equal(Deno.readTextFileSync(join(state, "timers.json")), "");
      }
      if (how === "read-only") {
        assert.ok(run("mount", "-o", "remount,rw", state));
        Deno.removeSync(join(state, "ballast"));
        await eventually("the ledger is written", () => {
          const text = Deno.readTextFileSync(join(state, "jobs.json"));
          return text.includes(id);
        });
      }
    }
    see("full and read-only: a good backup each; the damaged file kept");
  });
}
