import assert from "node:assert/strict";
import { HOOK_LINES, LAST_LINES } from "../../agent/jobs/hook_output.ts";
import { eventually } from "../support/eventually.ts";
import { SNAPSHOT_ID } from "../support/fake_restic.ts";
import type { FakeServer } from "../support/fake_server.ts";
import { hookedAgent } from "../support/hooked_agent.ts";
import { memoryOf } from "../support/proc.ts";
import { fault } from "../support/trial.ts";

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

fault({
  id: "F72",
  promise: "a pre hook that fails keeps the backup from being made",
  done: "pre hooks that exit 1, that do not exist (127), that kill themselves",
  expected: "no backup, the reason with the code, and the post hook runs",
}, async (see) => {
  const ends: [hook: string, reason: string, code: number | null][] = [
    ["exit 1", "pre_hook failed (exit 1)", 1],
    ["no-such-command-anywhere", "pre_hook failed (exit 127)", 127],
    ["kill -9 $$", "pre_hook failed (signal SIGKILL)", null],
  ];
  for (const [pre_hook, reason, code] of ends) {
    await using all = await hookedAgent();
    const end = await all.run({ pre_hook, post_hook: "echo $RM_JOB_STATUS" });
    assert.deepEqual([end.status, end.reason, end.reason_code], [
      "failed",
      reason,
      "pre_hook_failed",
    ]);
    if (code !== null) assert.equal(end.exit_code, code);
    assert.equal(all.backups(), 0);
    assert.ok(all.server.texts(end.job_id).includes("hook: failed"));
    see(`${pre_hook}: ${end.reason}`);
  }
});

fault({
  id: "F73",
  promise: "a hook that hangs is ended with all that it started",
  done: "a pre hook and its child ignore SIGTERM and sleep for ten minutes; its limit is a second",
  expected: "failed with its time limit, no backup, its child is gone",
}, async (see) => {
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
  see(end.reason!);
});

fault({
  id: "F75",
  promise: "a hook that prints without an end costs a bounded log and bounded memory",
  done: "a hook prints 300 MB of short lines, another one a line of 1 GB",
  expected: "10,000 lines and the last 200 are kept and the cut is told; nothing hangs",
}, async (see) => {
  await using all = await hookedAgent();
  const before = memoryOf(Deno.pid);
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
  const grown = memoryOf(Deno.pid) - before;
  see(`${texts.length} lines kept of 150 million; memory grew by ${Math.round(grown)} MiB`);
  // The fake server and the test itself live in this process too.
  assert.ok(grown < 150, `${grown} MiB`);
});

fault({
  id: "F77",
  promise: "a hook has the documented variables, no input and no secret",
  done:
    "a hook prints its environment, its folder, its input and the repository's password, and changes umask and folder",
  expected:
    "its folder is /, its input is empty, only allowed variables, the password is masked, the backup as usual",
}, async (see) => {
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
  const secret = await all.run({
    pre_hook: "echo it is secret-of-the-repository; umask 0; cd /tmp",
  });
  assert.equal(secret.status, "succeeded");
  assert.doesNotMatch(all.server.texts(secret.job_id).join("\n"), /secret-of-the-repository/);
  see(`variables: ${[...new Set(names)].join(", ")}; the password is masked`);
});

fault({
  id: "F78",
  promise: "a post hook that fails or hangs takes nothing from a good backup",
  done: "post hooks exit 3, and ignore SIGTERM for ten minutes with a limit of a second",
  expected: "succeeded with one warning each",
}, async (see) => {
  await using all = await hookedAgent();
  const end = await all.run({ post_hook: "exit 3" });
  assert.deepEqual([end.status, end.warnings, end.reason], [
    "succeeded",
    1,
    "post_hook failed (exit 3).",
  ]);
  assert.equal(end.summary?.snapshot_id, SNAPSHOT_ID);
  assert.ok(all.server.texts(end.job_id).includes("Warning: post_hook failed (exit 3)."));
  see(`${end.status}: ${end.reason}`);
  const hanging = await all.run({ post_hook: "trap '' TERM; sleep 600", timeout_seconds: 1 });
  assert.deepEqual([hanging.status, hanging.warnings], ["succeeded", 1]);
  see(`${hanging.status}: ${hanging.reason}`);
});

fault({
  id: "F74",
  promise: "a hook that leaves a daemon with its output open holds up neither backup nor job",
  done:
    "a pre hook starts a sleep of ten minutes in the background, which keeps its standard output",
  expected: "the backup is made at once and the job ends",
}, async (see) => {
  await using all = await hookedAgent();
  const began = performance.now();
  const end = await all.run({ pre_hook: "sleep 600 & echo child $!" });
  const seconds = (performance.now() - began) / 1000;
  assert.equal(end.status, "succeeded", end.reason ?? "");
  see(`${end.status} after ${seconds.toFixed(1)} s`);
  assert.ok(seconds < 15, `${seconds} s`);
});
