// The agent on Windows as its users meet it: the compiled program, NSSM, restic.exe, a Linux server over loopback. Runs in
// Wine, where deno task test prepares it; `deno task test:windows` runs only this.
import assert from "node:assert/strict";
import { testUnless } from "../support/left_out.ts";
import { join } from "node:path";
import { build } from "../support/compiled.ts";
import { eventually } from "../support/eventually.ts";
import { Fleet } from "../support/programs.ts";
import { resticByHand, restics } from "../support/restic.ts";
import { missingForWindows, PROGRAM_FILES, WindowsMachine } from "../support/windows.ts";

const PASSWORD = "secret-of-the-repository";
const STATE = "C:\\ProgramData\\restic-manager";
const SOURCE = "C:\\Users\\Zoë Müller\\Dokumente & 日本";
const REPOSITORY = "C:\\Backup Ziel\\repo";
const STOP_SECONDS = 15;

const missing = await missingForWindows();

/** A machine that is switched on, and a server. */
async function setUp() {
  await using stack = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir({ prefix: "rm-windows-" });
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  await build("windows-x64", folder);
  const fleet = stack.use(await Fleet.start());
  const machine = stack.use(await WindowsMachine.start(folder));
  return Object.assign(stack.move(), { fleet, machine, folder });
}

type All = Awaited<ReturnType<typeof setUp>>;

const FILES: Record<string, Uint8Array> = {
  "Übersicht.txt": new TextEncoder().encode("Grüße\r\n"),
  "with space\\日本語 ファイル.bin": crypto.getRandomValues(new Uint8Array(60_000)),
  "emoji 🦦.txt": new TextEncoder().encode("otter"),
  "skip me.tmp": new TextEncoder().encode("excluded"),
};

async function writeFiles({ machine }: All): Promise<void> {
  for (const [name, bytes] of Object.entries(FILES)) {
    const path = machine.path(`${SOURCE}\\${name}`);
    await Deno.mkdir(join(path, ".."), { recursive: true });
    await Deno.writeFile(path, bytes);
  }
}

/** What does not compress, so that a limit decides how long its upload takes. */
async function writeNoise({ machine }: All, bytes = 6_000_000): Promise<void> {
  const noise = new Uint8Array(bytes);
  for (let at = 0; at < noise.length; at += 60_000) {
    crypto.getRandomValues(noise.subarray(at, Math.min(at + 60_000, bytes)));
  }
  await Deno.writeFile(machine.path(`${SOURCE}\\noise`), noise);
}

async function online({ fleet }: All, hostId: string, is = true): Promise<void> {
  await eventually(
    is ? "the host is online" : "the host is offline",
    async () => (await fleet.api("GET", `/api/hosts/${hostId}`)).online === is,
    60_000,
  );
}

async function texts({ fleet }: All, job: string): Promise<string[]> {
  return (await fleet.lines(job)).map(({ text }) => text);
}

async function locks({ machine }: All): Promise<string[]> {
  const folder = machine.path(`${REPOSITORY}\\locks`);
  // Whole ones: while restic writes a lock, it lies under another name.
  return (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name)
    .filter((name) => /^[0-9a-f]{64}$/.test(name));
}

/** A backup that its limit holds up for seven seconds, less than the grace of a stop, far enough to hold its lock. */
async function slowBackup(all: All, hostId: string): Promise<string> {
  await writeNoise(all);
  const job = await all.fleet.run(hostId, { kind: "backup", bandwidth_up_kbps: 800 });
  const holds = async () => (await locks(all)).length > 0;
  const status = async () => (await all.fleet.api("GET", `/api/jobs/${job}`)).status;
  await eventually(
    "restic holds its lock, or has ended",
    async () => await holds() || !["queued", "running"].includes(await status()),
    90_000,
  );
  assert.ok(await holds(), `${await status()}: ${(await texts(all, job)).join("\n")}`);
  return job;
}

testUnless(
  missing,
  "Windows: the agent installs itself, joins by token, backs up, obeys, stops, comes back, and leaves nothing",
  async (t) => {
    await using all = await setUp();
    const { fleet, machine } = all;
    await writeFiles(all);
    let host = "";

    await t.step("install joins by the token and starts with the machine", async () => {
      const made = await fleet.api("POST", "/api/enrollment-tokens", {
        hostname: "winbox",
        initial_paths: [SOURCE],
        repository: { name: "r", url: REPOSITORY, password: PASSWORD, is_new: true },
      });
      const installed = await machine.agent("install", {
        RM_SERVER: fleet.url,
        RM_TOKEN: made.token,
      });
      assert.equal(installed.code, 0, installed.text);
      assert.ok(!installed.text.includes(made.token));
      const started = await machine.agent("start");
      assert.equal(started.code, 0, started.text);
      const { items } = await fleet.api("GET", "/api/hosts?search=winbox");
      host = items[0].id;
      await online(all, host);
      await fleet.repositoryReady(host);
      const { code, text } = await machine.agent("status");
      assert.equal(code, 0, text);
      assert.match(text, /^service {10}running$/m);
      const again = await machine.agent("start");
      assert.equal(again.code, 0, again.text);
    });

    await t.step(
      "a folder with unicode names is backed up around its hooks; the Linux restic restores the same bytes",
      async () => {
        const groups = await fleet.api("GET", `/api/hosts/${host}/source-groups`);
        const { id, name } = groups.items[0];
        await fleet.api("PUT", `/api/hosts/${host}/source-groups/${id}`, {
          name,
          includes: [SOURCE],
          excludes: ["*.tmp"],
          pre_hook: 'echo before "a b" & echo group=%RM_SOURCE_GROUP%',
          post_hook:
            'echo one\nif "%RM_JOB_STATUS%"=="succeeded" (\n  echo it was %RM_JOB_STATUS%\n)',
        });
        const job = await fleet.jobIs(await fleet.run(host), "succeeded", "failed");
        assert.equal(
          job.status,
          "succeeded",
          `${job.reason}\n${(await texts(all, job.id)).join("\n")}`,
        );
        assert.equal(job.warnings, 0, job.reason);
        const hooks = (await texts(all, job.id)).filter((text) => text.startsWith("hook: "));
        assert.deepEqual(hooks.map((text) => text.trimEnd()), [
          'hook: before "a b"',
          `hook: group=${name}`,
          "hook: one",
          "hook: it was succeeded",
        ]);
        await restoreAndCompare(all, job.summary.snapshot_id);
      },
    );

    await t.step(
      "what was saved is restored into a folder, with and without its path, and to where it was",
      async () => await restoreThere(all, host),
    );

    await t.step(
      "names that Windows cannot hold are reported, and the rest comes",
      async () => await restoreOddNames(all, host),
    );

    await t.step(
      "a pre hook that fails or takes too long keeps the backup from being made",
      async () => {
        const groups = await fleet.api("GET", `/api/hosts/${host}/source-groups`);
        const { id, name } = groups.items[0];
        const input = { name, includes: [SOURCE], excludes: ["*.tmp"], post_hook: null };
        await fleet.api("PUT", `/api/hosts/${host}/source-groups/${id}`, {
          ...input,
          pre_hook: "exit /b 300",
        });
        const job = await fleet.jobIs(await fleet.run(host), "succeeded", "failed");
        assert.equal(job.reason, "pre_hook failed (exit 300)");
        await fleet.api("PUT", `/api/hosts/${host}/source-groups/${id}`, {
          ...input,
          pre_hook: "ping -n 60 127.0.0.1",
          hook_timeout_seconds: 1,
        });
        const slow = await fleet.jobIs(await fleet.run(host), "succeeded", "failed");
        assert.equal(slow.reason, "pre_hook was ended after 1 s, its time limit.");
        const put = (hooks: Record<string, unknown>) =>
          fleet.api("PUT", `/api/hosts/${host}/source-groups/${id}`, {
            ...input,
            hook_timeout_seconds: 60,
            ...hooks,
          });
        // A step in the middle that fails: seen, unless the box is unticked.
        const steps = "echo one\nif 1==1 (\n  echo in a block\n)\ncmd /c exit 5\necho two";
        await put({ pre_hook: steps, post_hook: 'echo it was "%RM_JOB_STATUS%: %RM_JOB_REASON%"' });
        const stopped = await fleet.jobIs(await fleet.run(host), "succeeded", "failed");
        assert.equal(stopped.reason, "pre_hook failed (exit 5)");
        const said = (await texts(all, stopped.id)).map((text) => text.trimEnd());
        assert.ok(
          said.includes("hook: in a block") && !said.includes("hook: two"),
          said.join("\n"),
        );
        assert.ok(said.includes(`hook: it was "failed: ${stopped.reason}"`), said.join("\n"));
        await put({ pre_hook: steps, post_hook: null, hook_stop_at_error: false });
        const gone = await fleet.jobIs(await fleet.run(host), "succeeded", "failed");
        assert.ok((await texts(all, gone.id)).some((text) => text.trimEnd() === "hook: two"));
        await put({ pre_hook: "echo not today\nexit /b 75", hook_stop_at_error: true });
        const skipped = await fleet.jobIs(await fleet.run(host), "succeeded", "failed", "skipped");
        assert.deepEqual([skipped.status, skipped.reason], ["skipped", "not today"]);
        await fleet.api("PUT", `/api/hosts/${host}/source-groups/${id}`, {
          ...input,
          pre_hook: null,
        });
      },
    );

    await t.step("a group that asks for it is read from a volume shadow copy", async () => {
      const groups = await fleet.api("GET", `/api/hosts/${host}/source-groups`);
      const { id, name } = groups.items[0];
      const input = { name, includes: [SOURCE], excludes: ["*.tmp"] };
      const path = `/api/hosts/${host}/source-groups/${id}`;
      await fleet.api("PUT", path, { ...input, use_fs_snapshot: true });
      // The restic of these tests is built without it and fails.
      const job = await fleet.jobIs(await fleet.run(host), "succeeded", "failed");
      assert.ok((await texts(all, job.id)).some((text) => text.includes("--use-fs-snapshot")));
      await fleet.api("PUT", path, input);
    });

    await t.step("a limit on the bandwidth is obeyed", async () => {
      await writeNoise(all, 2_000_000);
      const id = await fleet.run(host, { kind: "backup", bandwidth_up_kbps: 400 });
      const job = await fleet.jobIs(id, "succeeded", "failed");
      assert.equal(job.status, "succeeded", job.reason);
      // Without a limit it takes a fraction of a second.
      const { seconds } = job.summary;
      assert.ok(seconds > 3 && seconds < 20, `2 MB at 400 KiB/s in ${seconds} s`);
    });

    await t.step(
      "cancel ends restic and removes its lock",
      async () => {
        const job = await slowBackup(all, host);
        await eventually(
          "the log shows the limit",
          async () => (await texts(all, job)).some((text) => text.includes("--limit-upload 800")),
        );
        await fleet.api("POST", `/api/jobs/${job}/cancel`);
        const ended = await fleet.jobIs(job, "cancelled", "failed", "succeeded");
        assert.equal(ended.status, "cancelled", "six megabytes at 800 KiB/s had not ended before");
        assert.deepEqual(await locks(all), []);
      },
    );

    await t.step(
      "stop within 15 s lets restic remove its lock, and the job is interrupted",
      async () => {
        const job = await slowBackup(all, host);
        const began = performance.now();
        const stopped = await machine.agent("stop");
        assert.equal(stopped.code, 0, stopped.text);
        const seconds = (performance.now() - began) / 1000;
        console.log(`stopped in ${seconds.toFixed(1)} s`);
        assert.ok(seconds < STOP_SECONDS, `${seconds} s`);
        // restic sends what it holds before it ends; one that was not given the time ends within three seconds.
        assert.ok(seconds > 4, `${seconds} s`);
        assert.deepEqual(await locks(all), []);
        assert.match((await machine.agent("status")).text, /^service {10}stopped$/m);
        assert.equal((await machine.agent("start")).code, 0);
        const ended = await fleet.jobIs(job, "interrupted", "failed", "succeeded");
        assert.equal(ended.status, "interrupted", ended.reason);
        assert.equal(ended.reason, "The agent was stopped.");
      },
    );

    await t.step(
      "after a power cut in mid-backup it comes back by itself, and the next backup works",
      async () => {
        await online(all, host);
        const job = await slowBackup(all, host);
        await machine.powerOff();
        await online(all, host, false);
        await machine.boot();
        await online(all, host);
        const ended = await fleet.jobIs(job, "interrupted", "failed", "succeeded");
        assert.equal(ended.status, "interrupted", ended.reason);
        const next = await fleet.jobIs(await fleet.run(host), "succeeded", "failed");
        assert.equal(next.status, "succeeded", next.reason);
        // Its lock may stay: another process may have got the number of the one that held it.
      },
    );

    await t.step(
      "install again is an upgrade: the same host with the settings of before",
      async () => {
        assert.equal((await machine.agent("stop")).code, 0);
        const exe = `${PROGRAM_FILES}\\restic-manager-agent.exe`;
        await Deno.remove(machine.path(exe));
        await machine.place(join(all.folder, "restic-manager-agent-windows-x64.exe"), exe);
        const restic = `${PROGRAM_FILES}\\my restic.exe`;
        await Deno.rename(machine.path(`${PROGRAM_FILES}\\restic.exe`), machine.path(restic));
        const again = await machine.agent("install", { RM_RESTIC: restic });
        assert.equal(again.code, 0, again.text);
        assert.equal((await machine.agent("install")).code, 0);
        assert.equal((await machine.agent("start")).code, 0);
        await online(all, host);
        const job = await fleet.jobIs(await fleet.run(host), "succeeded", "failed");
        assert.equal(job.status, "succeeded", job.reason);
        assert.equal((await fleet.api("GET", "/api/hosts")).items.length, 1);
      },
    );

    await t.step("an agent that dies is started again", async () => {
      const pid = await pidOfAgent(machine);
      Deno.kill(pid, "SIGKILL");
      await eventually("another process serves", async () => {
        const now = await pidOfAgent(machine);
        return now !== pid;
      }, 60_000);
      await online(all, host);
    });

    await t.step("uninstall leaves nothing", async () => {
      const { code, text } = await machine.agent("uninstall");
      assert.equal(code, 0, text);
      assert.doesNotMatch(text, /^Left/m);
      assert.equal(await machine.exists(STATE), false);
      assert.match((await machine.agent("status")).text, /^service {10}not installed$/m);
      const registry = await Deno.readTextFile(join(machine.prefix, "system.reg")).catch(() => "");
      assert.ok(registry.length > 1000, "the registry was read");
      await machine.powerOff();
      const saved = await Deno.readTextFile(join(machine.prefix, "system.reg"));
      assert.ok(!/Services\\\\restic-manager-agent\]/.test(saved));
    });
  },
);

/** The number by which Linux knows the service's process. */
async function pidOfAgent({ prefix }: WindowsMachine): Promise<number> {
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const line = await Deno.readTextFile(`/proc/${name}/cmdline`);
      if (!/restic-manager-agent\.exe"?[\0 ]run/.test(line)) continue;
      const environment = await Deno.readTextFile(`/proc/${name}/environ`);
      if (environment.split("\0").includes(`WINEPREFIX=${prefix}`)) return Number(name);
    } catch {
      // It has ended.
    }
  }
  throw new Error("no agent runs");
}

const PATH = `/${SOURCE.replace(":", "").replaceAll("\\", "/")}`;

async function restored({ fleet }: All, hostId: string, input: Record<string, unknown>) {
  return await fleet.jobIs(
    await fleet.run(hostId, { kind: "restore", ...input }),
    "succeeded",
    "failed",
  );
}

async function compare({ machine }: All, folder: string): Promise<void> {
  for (const [name, bytes] of Object.entries(FILES).filter(([name]) => !name.endsWith(".tmp"))) {
    assert.deepEqual(await Deno.readFile(machine.path(`${folder}\\${name}`)), bytes, name);
  }
}

async function newestSnapshot({ fleet }: All, hostId: string): Promise<string> {
  return (await fleet.api("GET", `/api/hosts/${hostId}/snapshots`)).items[0].id;
}

async function restoreThere(all: All, host: string): Promise<void> {
  const snapshot_id = await newestSnapshot(all, host);
  const items = [{ path: PATH }];
  const whole = await restored(all, host, {
    snapshot_id,
    items,
    target: { kind: "folder", path: "C:\\restored\\whole" },
    verify: true,
  });
  assert.equal(whole.status, "succeeded", whole.reason);
  assert.deepEqual([whole.restore.result.failed, whole.restore.result.opened_for], [0, null]);
  await compare(all, `C:\\restored\\whole\\C\\${SOURCE.slice(3)}`);
  const again = await restored(all, host, {
    snapshot_id,
    items,
    target: { kind: "folder", path: "C:\\restored\\whole" },
  });
  assert.match(again.reason, /is not empty/);
  const alone = await restored(all, host, {
    snapshot_id,
    items,
    target: { kind: "folder", path: "C:\\restored\\alone", keep_paths: false },
  });
  assert.equal(alone.status, "succeeded", alone.reason);
  await compare(all, `C:\\restored\\alone\\${SOURCE.split("\\").at(-1)}`);
  const changed = all.machine.path(`${SOURCE}\\emoji 🦦.txt`);
  await Deno.writeTextFile(changed, "changed since");
  const { name } = await all.fleet.api("GET", `/api/hosts/${host}`);
  const there = await restored(all, host, {
    snapshot_id,
    items: [{ path: `${PATH}/emoji 🦦.txt` }],
    target: { kind: "original", confirm_hostname: name },
  });
  assert.equal(
    there.status,
    "succeeded",
    `${there.reason}\n${(await texts(all, there.id)).join("\n")}`,
  );
  assert.match(there.restore.result.undo_snapshot, /^[0-9a-f]{64}$/);
  await compare(all, SOURCE);
}

async function restoreOddNames(all: All, host: string): Promise<void> {
  const folder = join(all.fleet.folder, "odd");
  await Deno.mkdir(folder);
  for (const name of ["good", "a:b", "con", "Case", "case"]) {
    await Deno.writeTextFile(join(folder, name), name);
  }
  const restic = restics.find(({ version }) => version.startsWith("0.18")) ?? restics[0]!;
  const { snapshot_host } = await all.fleet.api("GET", `/api/hosts/${host}`);
  await resticByHand(restic, all.machine.path(REPOSITORY), [
    "backup",
    "--host",
    snapshot_host,
    folder,
  ], PASSWORD);
  assert.equal(
    (await all.fleet.jobIs(await all.fleet.run(host), "succeeded", "failed")).status,
    "succeeded",
  );
  const { items } = await all.fleet.api("GET", `/api/hosts/${host}/snapshots`);
  const snapshot = items.find(({ paths }: { paths: string[] }) => paths.includes(folder));
  const job = await restored(all, host, {
    snapshot_id: snapshot.id,
    items: [{ path: folder }],
    target: { kind: "folder", path: "C:\\restored\\odd", keep_paths: false },
  });
  assert.deepEqual([job.status, job.reason_code], ["failed", "not_whole"], job.reason);
  const told = job.restore.result.failures.map(({ path }: { path: string }) =>
    path.split("/").at(-1)
  );
  assert.deepEqual(new Set(told), new Set(["a:b", "con", "case"]));
  assert.equal(await Deno.readTextFile(all.machine.path("C:\\restored\\odd\\odd\\good")), "good");
}

async function restoreAndCompare({ machine, fleet }: All, snapshot: string): Promise<void> {
  const restic = restics.find(({ version }) => version.startsWith("0.18")) ?? restics[0]!;
  const repository = machine.path(REPOSITORY);
  const target = join(fleet.folder, "restored");
  await resticByHand(restic, repository, ["restore", snapshot, "--target", target], PASSWORD);
  for (const [name, bytes] of Object.entries(FILES)) {
    const path = join(
      target,
      "C",
      SOURCE.slice(3).replaceAll("\\", "/"),
      name.replaceAll("\\", "/"),
    );
    const restored = await Deno.readFile(path).catch(() => undefined);
    if (name.endsWith(".tmp")) assert.equal(restored, undefined, `${name} is excluded`);
    else assert.deepEqual(restored, bytes, name);
  }
  await resticByHand(restic, repository, ["check", "--read-data"], PASSWORD);
}

testUnless(
  missing,
  "Windows: a machine without a token shows its fingerprint and works once it is accepted; rejected, it stays stopped",
  async () => {
    await using all = await setUp();
    const { fleet, machine } = all;
    await writeFiles(all);
    const installed = await machine.agent("install", { RM_SERVER: fleet.url });
    assert.equal(installed.code, 0, installed.text);
    const fingerprint = /^ {2}fingerprint {2}(SHA256:[0-9a-f]{64})$/m.exec(installed.text)?.[1];
    assert.ok(fingerprint, installed.text);
    assert.equal((await machine.agent("start")).code, 0);
    const waits = () =>
      eventually("it waits for approval", async () => {
        const { items } = await fleet.api("GET", "/api/pending-hosts");
        return items[0];
      }, 60_000);
    const pending = await waits();
    assert.equal(pending.fingerprint, fingerprint);
    assert.equal(pending.os, "windows");
    const { host_id } = await fleet.api("POST", `/api/pending-hosts/${pending.id}/accept`, {
      fingerprint,
      name: "winbox",
      initial_paths: [SOURCE],
      repository: { name: "r", url: REPOSITORY, password: PASSWORD, is_new: true },
    });
    await online(all, host_id);
    await fleet.repositoryReady(host_id);
    const job = await fleet.jobIs(await fleet.run(host_id), "succeeded", "failed");
    assert.equal(job.status, "succeeded", job.reason);

    // The same machine as someone that the admin does not know.
    assert.equal((await machine.agent("uninstall")).code, 0);
    assert.equal((await machine.agent("install", { RM_SERVER: fleet.url })).code, 0);
    assert.equal((await machine.agent("start")).code, 0);
    const stranger = await waits();
    assert.notEqual(stranger.fingerprint, fingerprint);
    await fleet.api("POST", `/api/pending-hosts/${stranger.id}/reject`);
    await eventually(
      "the service has stopped",
      async () => /^service {10}stopped$/m.test((await machine.agent("status")).text),
      60_000,
    );
    const { text } = await machine.agent("status");
    assert.match(text, /^approval {9}rejected/m);
    assert.equal((await machine.agent("uninstall")).code, 0);
  },
);
