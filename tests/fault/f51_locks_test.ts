import assert from "node:assert/strict";
import { join } from "node:path";
import { eventually } from "../support/eventually.ts";
import { faultPerRestic } from "../support/fault_per_restic.ts";
import { maintainedPair, PASSWORD } from "../support/maintained_pair.ts";
import { realRepository, sevenOracles } from "../support/oracles.ts";
import { anyRestic } from "../support/restic.ts";
import { fault } from "../support/trial.ts";

fault({
  id: "F51",
  promise: "a prune and another host's backup do not meet in one repository",
  done: "a prune is ordered while another host is at a slow backup",
  expected: "it waits, says so, and begins after the backup; both succeed",
}, async (see) => {
  const restic = anyRestic()!;
  const all = await maintainedPair(restic);
  await using pair = all.pair;
  await pair.api("PUT", `/api/repositories/${all.repositoryId}/admin-credential`, {
    everyday: true,
  });
  await pair.name(all.host);
  const beta = await pair.join("beta", {
    restic: restic.path,
    repository: { id: all.repositoryId },
    paths: [all.source],
  });
  const noise = new Uint8Array(2_000_000);
  for (let at = 0; at < noise.length; at += 50_000) {
    crypto.getRandomValues(noise.subarray(at, at + 50_000));
  }
  await Deno.writeFile(join(all.source, "noise"), noise);
  const slow = (await pair.api("POST", `/api/hosts/${beta.hostId}/jobs`, {
    kind: "backup",
    bandwidth_up_kbps: 500,
  })).job_id;
  await eventually(
    "the backup runs",
    async () => (await pair.api("GET", `/api/jobs/${slow}`)).status === "running",
  );
  const prune = (await pair.api("POST", `/api/repositories/${all.repositoryId}/jobs`, {
    kind: "prune",
    host_id: all.host.hostId,
  })).job_id;
  assert.equal((await pair.api("GET", `/api/jobs/${prune}`)).waiting, true);
  const backup = await pair.ended(slow);
  assert.equal(backup.status, "succeeded", backup.reason);
  const pruned = await pair.ended(prune);
  assert.equal(pruned.status, "succeeded", pruned.reason);
  assert.ok(Date.parse(pruned.started_at) >= Date.parse(backup.finished_at) - 1000);
  const real = realRepository(restic, all.repository, PASSWORD);
  await sevenOracles({ dataDir: pair.test.dataDir, repositories: [real] }, see);
  see("the prune waited for the backup");
});

faultPerRestic({
  id: "F57",
  promise: "a lock of a live process is named and left, one of a dead process goes",
  done: "restic is killed with a lock, another one holds a lock; then stats and unlock",
  expected:
    "both are shown with their holder, the dead one is removed, the job says whose the other is",
}, async (restic, see) => {
  const all = await maintainedPair(restic);
  await using pair = all.pair;
  await all.backups(1);
  const hold = () =>
    new Deno.Command(restic.path, {
      args: ["backup", "-q", "--stdin"],
      env: { RESTIC_REPOSITORY: all.repository, RESTIC_PASSWORD: PASSWORD },
      stdin: "piped",
      stdout: "null",
      stderr: "null",
    }).spawn();
  // Whole ones: while restic writes a lock, it lies under another name.
  const locks = async () =>
    (await Array.fromAsync(Deno.readDir(join(all.repository, "locks"))))
      .filter(({ name }) => /^[0-9a-f]{64}$/.test(name)).length;
  const dead = hold();
  await eventually("the first holds its lock", async () => await locks() === 1);
  dead.kill("SIGKILL");
  await dead.stdin.close().catch(() => {});
  await dead.status;
  const live = hold();
  await eventually("the second holds its lock", async () => await locks() === 2);
  const seen = async () => {
    assert.equal((await pair.maintain(all.repositoryId, { kind: "stats" })).status, "succeeded");
    return (await pair.api("GET", `/api/repositories/${all.repositoryId}/maintenance`)).locks as {
      pid: number;
      hostname: string;
    }[];
  };
  assert.deepEqual((await seen()).map((lock) => lock.pid).sort(), [dead.pid, live.pid].sort());
  const unlocked = await pair.maintain(all.repositoryId, { kind: "unlock" });
  assert.deepEqual([unlocked.status, unlocked.reason_code], ["failed", "locked"]);
  assert.match(unlocked.reason, /^1 lock left: shared lock of .* old\.$/);
  const left = await seen();
  assert.deepEqual(left.map((lock) => lock.pid), [live.pid]);
  assert.equal(left[0]!.hostname, Deno.hostname());
  await live.stdin.close();
  await live.status;
  see(unlocked.reason);
});

faultPerRestic({
  id: "F58",
  promise: "a lock that a killed restic left does not stop retention for ever",
  done: "restic is killed with kill -9 in mid-backup; then forget",
  expected: "it succeeds, after a plain unlock",
}, async (restic, see) => {
  const all = await maintainedPair(restic);
  await using pair = all.pair;
  await all.backups(2);
  const before = (await all.listed()).map(({ id }) => id);
  await all.keep({ keep_last: 1 });
  const noise = new Uint8Array(3_000_000);
  for (let at = 0; at < noise.length; at += 50_000) {
    crypto.getRandomValues(noise.subarray(at, at + 50_000));
  }
  await Deno.writeFile(join(all.source, "noise"), noise);
  const victim = new Deno.Command(restic.path, {
    args: ["backup", "-q", "--limit-upload=100", all.source],
    env: { RESTIC_REPOSITORY: all.repository, RESTIC_PASSWORD: PASSWORD },
    stdout: "null",
    stderr: "null",
  }).spawn();
  await eventually(
    "it holds a lock",
    async () => (await Array.fromAsync(Deno.readDir(join(all.repository, "locks")))).length > 0,
  );
  victim.kill("SIGKILL");
  await victim.status;
  const forgot = await pair.maintain(all.repositoryId, { kind: "forget" });
  assert.equal(forgot.status, "succeeded", forgot.reason);
  const real = realRepository(restic, all.repository, PASSWORD, before);
  await sevenOracles({ dataDir: pair.test.dataDir, repositories: [real] }, see);
  see(forgot.status);
});
