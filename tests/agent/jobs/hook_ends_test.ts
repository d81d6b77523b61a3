// Hooks surround the whole job: whatever ends it and however early, the post hook runs and learns how it ended.
import assert from "node:assert/strict";
import { join } from "node:path";
import { eventually } from "../../support/eventually.ts";
import { BACKUP, hookedAgent } from "../../support/hooked_agent.ts";
import { REPOSITORY_ID } from "../../support/fake_server.ts";
import { access } from "../../support/start_agent.ts";
import type { Hooks } from "../../../shared/hook_order.ts";
import type { AnyOrder } from "../../support/any_order.ts";

const TELLS = 'echo "$RM_JOB_STATUS|$RM_JOB_REASON|$RM_JOB_WARNINGS"';

Deno.test("after a cancelled backup the pre hook comes first, then the unlock that it makes possible, then the backup", async () => {
  const server =
    "[ -e $(dirname $0)/awake ] || { echo 'dial tcp: connection refused' >&2; exit 1; }";
  await using all = await hookedAgent({
    ...BACKUP,
    backup:
      `${server}; [ -e $(dirname $0)/second ] || { echo running; exec sleep 600; }\n${BACKUP.backup}`,
    unlock: server,
    list: server,
  });
  const hooks = {
    pre_hook: `echo wake; touch ${all.folder}/awake`,
    post_hook: `${TELLS}; rm ${all.folder}/awake`,
  };
  const first = all.begin(hooks);
  await eventually("restic runs", () => all.server.texts(first).includes("running"));
  all.server.send({ type: "command.cancel", job_id: first });
  assert.equal((await all.server.finished(first)).status, "cancelled");
  assert.equal(all.printed(first).at(-1), "failed|Cancelled.|0");
  Deno.writeTextFileSync(join(all.folder, "second"), "");
  const second = await all.run(hooks);
  assert.equal(second.status, "succeeded", second.reason ?? "");
  const texts = all.server.texts(second.job_id);
  const wake = texts.indexOf("hook: wake");
  const unlock = texts.findIndex((text) => / unlock/.test(text));
  const backup = texts.findIndex((text) => /: backup /.test(text));
  assert.ok(wake >= 0 && wake < unlock && unlock < backup, texts.join("\n"));
  assert.equal(all.printed(second.job_id).at(-1), "succeeded||0");
});

Deno.test("a server that stays away after a cancelled backup: both hooks run all the same", async () => {
  await using all = await hookedAgent({
    ...BACKUP,
    unlock: "echo 'Fatal: dial tcp 10.0.0.1:443: connection refused' >&2; exit 1",
  });
  all.agent.ledger.noteLock(REPOSITORY_ID);
  const end = await all.run({ pre_hook: "echo wake", post_hook: TELLS });
  assert.equal(end.reason_code, "unreachable");
  assert.equal(all.backups(), 0);
  assert.deepEqual(all.printed(end.job_id), ["wake", `failed|${end.reason}|0`]);
});

/** Ends before restic is started. */
const EARLY: [what: string, code: string, how: {
  config?: Parameters<typeof hookedAgent>[1];
  hooks?: Partial<Hooks>;
  order?: Partial<AnyOrder>;
}][] = [
  ["restic is missing", "restic_missing", { config: { restic: "/nowhere/restic" } }],
  ["there is no credential", "no_credential", { config: { config: { repository: null } } }],
  ["the credential is another repository's", "no_credential", {
    order: { repository_id: "99999999-2222-4222-8222-222222222222" },
  }],
  ["the address is refused", "bad_url", {
    config: { config: { repository: access("sftp:-oProxyCommand=id") } },
  }],
  ["the address was changed", "address_changed", { order: { leased_url: "/elsewhere" } }],
  ["the pre hook fails", "pre_hook_failed", { hooks: { pre_hook: "exit 9" } }],
  ["the pre hook takes too long", "pre_hook_overdue", {
    hooks: { pre_hook: "sleep 600", timeout_seconds: 1 },
  }],
  ["the pre hook cannot be opened", "hook_cannot_decrypt", {
    hooks: { cannot_decrypt: "pre_hook" },
  }],
];

for (const [what, code, { config, hooks, order }] of EARLY) {
  Deno.test(`the post hook runs when ${what}`, async () => {
    await using all = await hookedAgent(BACKUP, config);
    const end = await all.run({ post_hook: TELLS, ...hooks }, order);
    assert.deepEqual([end.status, end.reason_code], ["failed", code]);
    assert.deepEqual(all.printed(end.job_id), [`failed|${end.reason}|0`]);
    assert.equal(all.backups(), 0);
  });
}

Deno.test("the post hook runs when the agent itself breaks", async () => {
  await using all = await hookedAgent();
  // Whatever it is that breaks between the two hooks.
  Object.defineProperty(all.agent, "fileSystems", {
    get: () => {
      throw new Error("a fault of ours");
    },
  });
  const end = await all.run({ pre_hook: "echo pre", post_hook: TELLS });
  assert.equal(end.reason_code, "agent_error");
  const [pre, post] = all.printed(end.job_id);
  assert.equal(pre, "pre");
  assert.match(post!, /^failed\|The agent could not run this job: /);
});

Deno.test("a restic that the pre hook brings is used", async () => {
  await using all = await hookedAgent();
  const away = `${all.restic.path}.away`;
  Deno.renameSync(all.restic.path, away);
  const end = await all.run({ pre_hook: `mv '${away}' '${all.restic.path}'`, post_hook: TELLS });
  assert.equal(end.status, "succeeded", end.reason ?? "");
});

Deno.test("cancelled while the agent still asks restic for its version: no pre hook, no backup, and the post hook", async () => {
  await using all = await hookedAgent();
  const begun = join(all.folder, "asked");
  const go = join(all.folder, "go");
  const slow = `#!/bin/sh
touch ${begun}; until [ -e ${go} ]; do sleep 0.02; done; echo restic 0.18.0`;
  Deno.writeTextFileSync(all.restic.path, slow);
  const job = all.begin({ pre_hook: "echo pre", post_hook: TELLS });
  await eventually("restic is asked", () => {
    try {
      return Deno.statSync(begun).isFile;
    } catch {
      return false;
    }
  });
  all.server.send({ type: "command.cancel", job_id: job });
  // Orders are read one after another: when this one is known the cancel was, too.
  const next = all.begin({});
  await eventually("the cancel arrived", () => all.agent.queue.ids.includes(next));
  Deno.writeTextFileSync(go, "");
  assert.equal((await all.server.finished(job)).status, "cancelled");
  assert.deepEqual(all.printed(job), ["failed|Cancelled.|0"]);
});

Deno.test("the agent is stopped in mid-backup and in a pre hook: the post hook runs and learns that it failed", async () => {
  for (const hooks of [{}, { pre_hook: "echo running; sleep 600" }]) {
    await using all = await hookedAgent({ ...BACKUP, backup: "echo running; exec sleep 600" });
    const note = join(all.folder, "note");
    const job = all.begin({ ...hooks, post_hook: `${TELLS} > ${note}` });
    await eventually("it runs", () => all.server.texts(job).some((text) => /running$/.test(text)));
    await all.agent.queue.stop();
    assert.equal(Deno.readTextFileSync(note), "failed|The agent was stopped.|0\n");
  }
});

Deno.test("a pre hook that exits 75 skips the backup: no retry, its last line is the reason, and the post hook learns it", async () => {
  await using all = await hookedAgent();
  const end = await all.run({
    pre_hook: "echo looking; printf 'On battery\\r\\n\\n' >&2; exit 75",
    post_hook: `${TELLS}; echo [$RM_SNAPSHOT_ID]`,
  });
  assert.deepEqual([end.status, end.reason, end.reason_code, end.warnings, end.exit_code], [
    "skipped",
    "On battery",
    "pre_hook_skipped",
    0,
    75,
  ]);
  assert.equal(all.backups(), 0);
  assert.deepEqual(all.printed(end.job_id).slice(-2), ["skipped|On battery|0", "[]"]);
  const silent = await all.run({ pre_hook: "exit 75" });
  assert.deepEqual([silent.status, silent.reason], [
    "skipped",
    "The pre_hook asked to skip this backup (exit 75).",
  ]);
  const secret = await all.run({ pre_hook: "echo secret-of-the-repository; exit 75" });
  assert.equal(secret.reason, "***");
});

Deno.test("75 is no skip of a post hook, nor of a pre hook that we ended ourselves", async () => {
  await using all = await hookedAgent();
  const post = await all.run({ post_hook: "exit 75" });
  assert.deepEqual([post.status, post.warnings], ["succeeded", 1]);
  const overdue = await all.run({
    pre_hook: "trap 'exit 75' TERM; sleep 600 & wait",
    timeout_seconds: 1,
  });
  assert.deepEqual([overdue.status, overdue.reason_code], ["failed", "pre_hook_overdue"]);
});

Deno.test("the post hook learns counts of the backup, and with warnings that it is incomplete", async () => {
  const warns = `echo 'error: lstat /x: permission denied' >&2; ${BACKUP.backup}; exit 3`;
  await using all = await hookedAgent({ ...BACKUP, backup: warns });
  const end = await all.run({
    post_hook: `${TELLS}
echo $RM_FILES_NEW $RM_FILES_CHANGED $RM_BYTES_ADDED $RM_BYTES_PROCESSED`,
  });
  assert.equal(end.status, "succeeded", end.reason ?? "");
  assert.deepEqual(all.printed(end.job_id), [
    `incomplete|${end.reason}|${end.warnings}`,
    "1 0 10 20",
  ]);
  assert.ok(end.warnings > 0);
  const failed = await all.run({ pre_hook: "exit 1", post_hook: "env | grep -c '^RM_.*=0$'" });
  // Warnings and the four counts.
  assert.deepEqual(all.printed(failed.job_id), ["5"]);
});

Deno.test("a reason reaches the post hook without what could act in a shell, and without the repository's secrets", async () => {
  const message =
    `Fatal: "a" & b | c < d > e ^ %PATH% !x! \\033[31m\\t $(id) secret-of-the-repository`;
  await using all = await hookedAgent({
    ...BACKUP,
    backup: `printf '${message.replaceAll("%", "%%")}\\n' >&2; exit 1`,
  });
  // Into a file: a log is freed of secrets by itself.
  const note = join(all.folder, "note");
  const end = await all.run({ post_hook: `printf "%s" "$RM_JOB_REASON" > ${note}` });
  assert.equal(end.reason_code, "restic_failed");
  assert.equal(
    Deno.readTextFileSync(note),
    "restic failed (exit code 1): Fatal: ?a? ? b ? c ? d ? e ? ?PATH? ?x? ?[31m? $(id) ***",
  );
});
