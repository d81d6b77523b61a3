// Hooks as real shells around a restic that writes down how it was started.
import assert from "node:assert/strict";
import { HOOK_LINES, LAST_LINES } from "../../../agent/jobs/hook_output.ts";
import type { Hooks } from "../../../shared/protocol.ts";
import { eventually } from "../../support/eventually.ts";
import { SNAPSHOT_ID } from "../../support/fake_restic.ts";
import type { FakeServer } from "../../support/fake_server.ts";
import { BACKUP, hookedAgent } from "../../support/hooked_agent.ts";
import { jobId, order } from "../../support/start_agent.ts";

Deno.test("both hooks run around the backup, know their job, and know nothing of the repository", async () => {
  await using all = await hookedAgent();
  Deno.env.set("AWS_SECRET_ACCESS_KEY", "of-the-agent");
  const end = await all.run({
    pre_hook: "echo before; pwd; env; cat",
    post_hook: "echo after 1>&2; env | grep ^RM_JOB_STATUS; env | grep ^RM_SNAPSHOT_ID",
  });
  Deno.env.delete("AWS_SECRET_ACCESS_KEY");
  assert.equal(end.status, "succeeded", end.reason ?? "");
  assert.equal(end.warnings, 0);
  const lines = [...all.server.lines(end.job_id).values()];
  const hook = lines.filter(({ stream }) => stream === "hook").map(({ text }) => text);
  assert.ok(hook.every((text) => text.startsWith("hook: ")), hook.join("\n"));
  assert.deepEqual(hook.slice(0, 2), ["hook: before", "hook: /"]);
  for (
    const expected of [
      `RM_JOB_ID=${end.job_id}`,
      "RM_JOB_KIND=backup",
      "RM_HOST=alpha",
      "RM_SOURCE_GROUP=documents",
      "RM_JOB_STATUS=succeeded",
      `RM_SNAPSHOT_ID=${SNAPSHOT_ID}`,
      "after",
    ]
  ) assert.ok(hook.includes(`hook: ${expected}`), `${expected} in\n${hook.join("\n")}`);
  const names = hook.map((text) => /^hook: ([A-Z_a-z]+)=/.exec(text)?.[1]).filter(Boolean);
  const allowed = /^(PATH|HOME|TMPDIR|TZ|LANG|PWD|OLDPWD|SHLVL|_|RM_\w+)$/;
  assert.deepEqual(names.filter((name) => !allowed.test(name!)), []);
  const whole = lines.map(({ text }) => text).join("\n");
  assert.doesNotMatch(whole, /secret-of-the-repository|of-the-agent|RESTIC_/);
  const before = lines.findIndex(({ text }) => text === "hook: before");
  const restic = lines.findIndex(({ text }) => text.includes(": backup "));
  const after = lines.findIndex(({ text }) => text === "hook: after");
  assert.ok(before < restic && restic < after, whole);
});

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

for (const [code, command] of [[1, "exit 1"], [127, "no-such-command-anywhere"]] as const) {
  Deno.test(`a pre hook that exits ${code} keeps the backup from being made, and the post hook still runs`, async () => {
    await using all = await hookedAgent();
    const end = await all.run({ pre_hook: command, post_hook: "echo $RM_JOB_STATUS" });
    assert.deepEqual([end.status, end.reason, end.reason_code, end.exit_code], [
      "failed",
      `pre_hook failed (exit ${code})`,
      "pre_hook_failed",
      code,
    ]);
    assert.equal(all.backups(), 0);
    assert.ok(all.server.texts(end.job_id).includes("hook: failed"));
  });
}

Deno.test("a pre hook that a signal ended is named so", async () => {
  await using all = await hookedAgent();
  const end = await all.run({ pre_hook: "kill -9 $$" });
  assert.equal(end.reason, "pre_hook failed (signal SIGKILL)");
  assert.equal(all.backups(), 0);
});

Deno.test("a post hook that fails is a warning and the backup stays succeeded", async () => {
  await using all = await hookedAgent();
  const end = await all.run({ post_hook: "exit 3" });
  assert.deepEqual([end.status, end.warnings, end.reason], [
    "succeeded",
    1,
    "post_hook failed (exit 3).",
  ]);
  assert.equal(end.summary?.snapshot_id, SNAPSHOT_ID);
  assert.ok(all.server.texts(end.job_id).includes("Warning: post_hook failed (exit 3)."));
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

Deno.test("after its time limit a hook ends with its whole tree, however little it cares, and the reason says so", async () => {
  await using all = await hookedAgent();
  const job = all.begin({
    pre_hook: `trap "" TERM; sh -c 'trap "" TERM; sleep 600' & echo child $!; wait; sleep 600`,
    timeout_seconds: 1,
  });
  const child = await pidFrom(all.server, job);
  const end = await all.server.finished(job);
  assert.deepEqual([end.status, end.reason], [
    "failed",
    "pre_hook was ended after 1 s, its time limit.",
  ]);
  assert.equal(all.backups(), 0);
  await eventually("its child is gone", () => !isAlive(child));
});

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

Deno.test("a hook that leaves a process behind with its output open does not hold up the backup", async () => {
  await using all = await hookedAgent();
  const job = all.begin({ pre_hook: "sleep 600 & echo child $!" });
  const child = await pidFrom(all.server, job);
  const end = await all.server.finished(job, 20_000);
  assert.equal(end.status, "succeeded", end.reason ?? "");
  assert.ok(isAlive(child), "what a hook leaves on purpose is left alone");
  Deno.kill(child, "SIGKILL");
});

Deno.test("a hook that prints a gigabyte, or a line without an end, costs a bounded log", async () => {
  await using all = await hookedAgent();
  const many = await all.run({ pre_hook: "yes | head -c 300000000" });
  assert.equal(many.status, "succeeded", many.reason ?? "");
  const texts = all.server.texts(many.job_id).filter((text) => text.startsWith("hook: "));
  assert.equal(texts.length, HOOK_LINES + 1 + LAST_LINES);
  const leftOut = 150_000_000 - HOOK_LINES - LAST_LINES;
  assert.match(
    texts[HOOK_LINES]!,
    new RegExp(`^hook: .cut: .*more.* ${leftOut} lines were left out`),
  );
  assert.equal(texts.at(-1), "hook: y");
  const endless = await all.run({
    pre_hook: "head -c 1000000000 /dev/zero | tr '\\0' x; echo; echo then",
  });
  assert.equal(endless.status, "succeeded", endless.reason ?? "");
  const [line, next] = all.server.texts(endless.job_id).filter((text) => text.startsWith("hook: "));
  assert.match(line!, /^hook: x+ \[cut: the line was longer/);
  assert.equal(next, "hook: then");
});

Deno.test("a hook's output is freed of the repository's password", async () => {
  await using all = await hookedAgent();
  const end = await all.run({ pre_hook: "echo it is secret-of-the-repository" });
  assert.equal(end.status, "succeeded");
  assert.doesNotMatch(all.server.texts(end.job_id).join("\n"), /secret-of-the-repository/);
});

Deno.test("a hook that the server could not unseal fails the job before anything runs; a post hook learns of it", async () => {
  await using all = await hookedAgent();
  const end = await all.run({ unsealable: "pre_hook", post_hook: "echo $RM_JOB_STATUS" });
  assert.deepEqual([end.status, end.reason_code], ["failed", "hook_unsealable"]);
  assert.match(end.reason!, /^The pre_hook could not be unsealed/);
  assert.equal(all.backups(), 0);
  assert.deepEqual(all.printed(end.job_id), ["failed"]);
  const other = await all.run({ unsealable: "post_hook", pre_hook: "echo ran" });
  assert.equal(other.reason_code, "hook_unsealable");
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
