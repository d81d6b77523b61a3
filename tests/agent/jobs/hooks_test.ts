// Hooks as real shells around a restic that writes down how it was started.
import assert from "node:assert/strict";
import { eventually } from "../../support/eventually.ts";
import type { FakeServer } from "../../support/fake_server.ts";
import { BACKUP, hookedAgent } from "../../support/hooked_agent.ts";
import { jobId, order } from "../../support/start_agent.ts";
import type { Hooks } from "../../../shared/hook_order.ts";

Deno.test("a hook's text stands in no process's arguments and in no environment of what it starts", async () => {
  await using all = await hookedAgent();
  const end = await all.run({
    pre_hook: `tr '\\0' ' ' < /proc/$$/cmdline; sh -c 'env; cat /proc/$PPID/cmdline'; : pass""word`,
  });
  assert.equal(end.status, "succeeded", end.reason ?? "");
  const printed = all.server.texts(end.job_id).filter((text) => text.startsWith("hook: "));
  assert.match(printed.join("\n"), /\/bin\/sh -c/);
  assert.doesNotMatch(printed.join("\n"), /pass""word|RM_HOOK=/);
});

Deno.test("the post hook cleans up also after a backup for which restic could not even be started", async () => {
  await using all = await hookedAgent();
  const end = await all.run({
    pre_hook: `rm '${all.restic.path}'`,
    post_hook: "echo cleaned up, $RM_JOB_STATUS",
  });
  assert.deepEqual([end.status, end.reason_code], ["failed", "agent_error"]);
  assert.ok(all.server.texts(end.job_id).includes("hook: cleaned up, failed"));
});

Deno.test("a failed backup tells its post hook so", async () => {
  await using all = await hookedAgent({ ...BACKUP, backup: "exit 1" });
  const end = await all.run({ post_hook: 'echo "$RM_JOB_STATUS [$RM_SNAPSHOT_ID]"' });
  assert.equal(end.reason_code, "restic_failed");
  assert.ok(all.server.texts(end.job_id).includes("hook: failed []"));
});

const isAlive = (pid: number) =>
  new Deno.Command("kill", { args: ["-0", `${pid}`], stderr: "null" })
    .outputSync().success;

async function pidFrom(server: FakeServer, job: string): Promise<number> {
  const line = await eventually(
    "the hook tells its child",
    () => server.texts(job).find((text) => text.startsWith("hook: child ")),
  );
  return Number(line.split(" ")[2]);
}

Deno.test("cancel ends a pre hook; the post hook still cleans up and is not cut short by the same cancel", async () => {
  await using all = await hookedAgent();
  const job = all.begin({
    pre_hook: "sleep 600 & echo child $!; wait",
    post_hook: "sleep 0.3; echo cleaned up, $RM_JOB_STATUS",
  });
  const child = await pidFrom(all.server, job);
  all.server.send({ type: "command.cancel", job_id: job });
  const end = await all.server.finished(job);
  assert.deepEqual([end.status, end.reason_code], ["cancelled", "cancelled"]);
  assert.equal(all.backups(), 0);
  assert.ok(all.server.texts(job).includes("hook: cleaned up, failed"));
  await eventually("its child is gone", () => !isAlive(child));
});

Deno.test("cancel during the post hook ends it; what was saved stays saved", async () => {
  await using all = await hookedAgent();
  const job = all.begin({ post_hook: "sleep 600 & echo child $!; wait" });
  const child = await pidFrom(all.server, job);
  all.server.send({ type: "command.cancel", job_id: job });
  const end = await all.server.finished(job);
  assert.deepEqual([end.status, end.warnings, end.reason], [
    "succeeded",
    1,
    "post_hook was cancelled.",
  ]);
  await eventually("its child is gone", () => !isAlive(child));
});

Deno.test("a hook that the server could not unseal fails the job before anything runs; a post hook learns of it", async () => {
  await using all = await hookedAgent();
  const end = await all.run({ cannot_decrypt: "pre_hook", post_hook: "echo $RM_JOB_STATUS" });
  assert.deepEqual([end.status, end.reason_code], ["failed", "hook_cannot_decrypt"]);
  assert.match(end.reason!, /^The pre_hook could not be decrypted/);
  assert.equal(all.backups(), 0);
  assert.deepEqual(all.printed(end.job_id), ["failed"]);
  const other = await all.run({ cannot_decrypt: "post_hook", pre_hook: "echo ran" });
  assert.equal(other.reason_code, "hook_cannot_decrypt");
  assert.deepEqual(all.printed(other.job_id), []);
});

Deno.test("other kinds run no hooks", async () => {
  await using all = await hookedAgent({ stats: `echo '{"total_size":1}'` });
  const job_id = jobId();
  const hooks = { pre_hook: "echo ran", timeout_seconds: 60 };
  all.server.run({ job_id, kind: "stats", source_group: { ...order([all.folder]), hooks } });
  await all.server.finished(job_id);
  assert.ok(!all.server.texts(job_id).includes("hook: ran"));
});

Deno.test("a hook is tried alone: nothing is backed up, and its failure is the job's", async () => {
  await using all = await hookedAgent();
  const attempt = async (name: "pre_hook" | "post_hook", hooks: Partial<Hooks>) => {
    const job_id = jobId();
    all.server.run({
      job_id,
      kind: "hook",
      hook: { name, hooks: { timeout_seconds: 60, ...hooks }, source_group_name: "documents" },
    });
    return await all.server.finished(job_id);
  };
  const good = await attempt("pre_hook", { pre_hook: "echo $RM_JOB_KIND $RM_SOURCE_GROUP" });
  assert.equal(good.status, "succeeded", good.reason ?? "");
  assert.ok(all.server.texts(good.job_id).includes("hook: hook documents"));
  const bad = await attempt("post_hook", { pre_hook: "exit 0", post_hook: "exit 4" });
  assert.deepEqual([bad.status, bad.reason], ["failed", "post_hook failed (exit 4)"]);
  assert.equal(all.backups(), 0);
});

Deno.test("the longest hook runs, and one whose shell cannot be started has failed: before, no backup; after, a warning", async () => {
  await using all = await hookedAgent();
  // Linux takes no variable of 128 KiB.
  const longest = await all.run({ pre_hook: `: ${"€".repeat(32_766)}` });
  assert.equal(longest.status, "succeeded", longest.reason ?? "");
  const { environment } = all.agent;
  // No program starts with a zero byte in its environment.
  all.agent.environment = (name) => all.backups() === 2 ? "\0" : environment(name);
  const after = await all.run({ post_hook: "echo ran" });
  assert.deepEqual([after.status, after.warnings], ["succeeded", 1], after.reason ?? "");
  assert.match(after.reason!, /^post_hook could not be run: /);
  all.agent.environment = (name) => name === "HOME" ? "\0" : environment(name);
  const before = await all.run({ pre_hook: "echo ran" });
  assert.deepEqual([before.status, before.reason_code], ["failed", "pre_hook_failed"]);
  assert.equal(all.backups(), 2);
});
