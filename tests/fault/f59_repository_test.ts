import assert from "node:assert/strict";
import { join } from "node:path";
import { backingUp, locksIn, writeNoise } from "../support/backing_up.ts";
import { eventually } from "../support/eventually.ts";
import { faultPerRestic } from "../support/fault_per_restic.ts";
import { fill, smallDisk } from "../support/small_disk.ts";
import { access, jobId, order } from "../support/start_agent.ts";

faultPerRestic({
  id: "F59, config",
  promise: "nothing is ever made over a repository whose config is gone",
  done: "the config of a repository is removed, then init with leave to make one",
  expected: "refused as damaged, nothing is written",
}, async (restic, see) => {
  await using all = await backingUp(restic);
  Deno.removeSync(join(all.repository, "config"));
  const end = await all.run({ kind: "init", may_create: true });
  assert.equal(end.status, "failed");
  assert.equal(end.reason_code, "damaged", end.reason ?? "");
  assert.match(end.reason ?? "", /keys .* damaged repository, nothing was made/);
  assert.throws(() => Deno.statSync(join(all.repository, "config")), Deno.errors.NotFound);
  see(end.reason ?? "");
});

faultPerRestic({
  id: "F59, password",
  promise: "a wrong password is told as such, whatever the exit code of that version",
  done: "backup and init with another password",
  expected: "failed as wrong_password",
}, async (restic, see) => {
  await using all = await backingUp(restic, { config: { password: "not the right one" } });
  for (const kind of ["backup", "init"] as const) {
    const end = await all.run({ kind, may_create: true, source_group: order([all.source]) });
    assert.equal(end.reason, "Wrong repository password.");
    assert.equal(end.reason_code, "wrong_password");
  }
  see("both: Wrong repository password.");
});

faultPerRestic({
  id: "F59, missing",
  promise: "a repository that is not there is told as such",
  done: "a backup to an empty place",
  expected: "failed as no_repository",
}, async (restic, see) => {
  await using all = await backingUp(restic, { made: false });
  const end = await all.run({ source_group: order([all.source]) });
  assert.equal(end.reason, `No repository at ${all.repository}`);
  assert.equal(end.reason_code, "no_repository");
  see(end.reason ?? "");
});

faultPerRestic({
  id: "F61, silent",
  promise: "a repository server that never answers is given up after our own deadline",
  done: "a port that takes connections and says nothing; the deadline is three seconds",
  expected: "failed as unreachable, with the address",
}, async (restic, see) => {
  using listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  await using all = await backingUp(restic, { made: false, contactMs: 3000 });
  all.agent.plan.setConfig({
    ...all.agent.plan.config!,
    repository: access(`rest:http://127.0.0.1:${listener.addr.port}/`),
  });
  const end = await all.run({ source_group: order([all.source]) });
  assert.equal(end.reason_code, "unreachable");
  assert.match(end.reason ?? "", /did not answer within 3 s: rest:http/);
  see(end.reason ?? "");
});

faultPerRestic({
  id: "F61, closed",
  promise: "a closed port is told at once",
  done: "init at a port on which nobody listens",
  expected: "failed as unreachable, long before restic gives up",
}, async (restic, see) => {
  await using all = await backingUp(restic, { made: false, contactMs: 3000 });
  all.agent.plan.setConfig({
    ...all.agent.plan.config!,
    repository: access("rest:http://127.0.0.1:9/alpha/"),
  });
  const end = await all.run({ kind: "init", may_create: true });
  assert.equal(end.reason_code, "unreachable", end.reason ?? "");
  assert.match(end.reason ?? "", /cannot be reached \(connection refused\)/);
  see(end.reason ?? "");
});

faultPerRestic({
  id: "F62",
  promise:
    "a full disk under the repository fails the backup with its reason, and nothing after it",
  done: "the disk of the repository is filled in mid-life and emptied again",
  expected: "failed and said why; the next backup succeeds without anybody's help",
}, async (restic, see) => {
  await using disk = await smallDisk(12);
  if (!disk.isSmall) return see("left out: a small disk cannot be mounted here");
  await using all = await backingUp(restic, { repositoryAt: join(disk.folder, "repository") });
  const good = await all.run({ source_group: order([all.source]) });
  assert.equal(good.status, "succeeded", good.reason ?? "");
  await fill(disk.folder);
  writeNoise(join(all.source, "big"), 20_000_000);
  const began = performance.now();
  const job_id = jobId();
  all.server.run({ job_id, source_group: order([all.source]) });
  const end = await all.server.finished(job_id, 120_000);
  const seconds = Math.round((performance.now() - began) / 1000);
  see(`${end.status} (${end.reason_code}) after ${seconds} s: ${end.reason}`);
  assert.equal(end.status, "failed");
  assert.match(end.reason ?? "", /no space left/i);
  await Deno.remove(join(disk.folder, "filler"));
  await Deno.remove(join(all.source, "big"));
  const next = await all.run({ source_group: order([all.source]) });
  assert.equal(next.status, "succeeded", next.reason ?? "");
  see("with room again the next backup succeeds");
});

faultPerRestic({
  id: "F63",
  promise: "a source that is missing is never plain success",
  done: "one of two paths does not exist, then both",
  expected: "a warning with the path, then a failure",
}, async (restic, see) => {
  await using all = await backingUp(restic);
  const one = await all.run({ source_group: order([all.source, "/nowhere/at all"]) });
  assert.equal(one.status, "succeeded", one.reason ?? "");
  assert.equal(one.warnings, 1);
  assert.match(one.reason ?? "", /the source path \/nowhere\/at all does not exist\./);
  const none = await all.run({ source_group: order(["/nowhere/a", "/nowhere/b"]) });
  assert.equal(none.status, "failed");
  assert.equal(none.reason_code, "source_missing");
  see(`${one.reason} | ${none.reason}`);
});

faultPerRestic({
  id: "F63, unreadable",
  promise: "a file that cannot be read is a warning",
  done: "a source whose reading is an input/output error",
  expected: "succeeded with one warning",
}, async (restic, see) => {
  await using all = await backingUp(restic);
  // Reading it is an input/output error, for root too.
  const end = await all.run({ source_group: order([all.source, "/proc/self/mem"]) });
  assert.equal(end.status, "succeeded", end.reason ?? "");
  assert.equal(end.exit_code, 3);
  assert.equal(end.warnings, 1);
  assert.match(end.reason ?? "", /one file or folder could not be read/);
  const line = "error: /proc/self/mem: input/output error";
  assert.ok(all.server.texts(end.job_id).includes(line), all.server.texts(end.job_id).join("\n"));
  see(end.reason ?? "");
});

faultPerRestic({
  id: "F64",
  promise: "a cancelled backup in mid-upload ends and leaves no lock",
  done: "cancel while restic uploads 30 MB at 4,000 KiB/s",
  expected: "cancelled within 30 s, no lock",
}, async (restic, see) => {
  await using all = await backingUp(restic);
  writeNoise(join(all.source, "big"), 30_000_000);
  const id = jobId();
  all.server.run({ job_id: id, source_group: order([all.source]), bandwidth_up_kib_per_s: 4000 });
  await eventually("it is at work", () => all.server.of("job.progress").length > 0);
  assert.equal(locksIn(all.repository), 1);
  all.server.send({ type: "command.cancel", job_id: id });
  const end = await all.server.finished(id, 30_000);
  assert.equal(end.status, "cancelled");
  assert.equal(end.reason, "Cancelled.");
  assert.equal(locksIn(all.repository), 0);
  see(end.reason ?? "");
});
