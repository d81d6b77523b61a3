// How a hook's text is run: by the shell, stopping at the first error or not, or by the interpreter of its #! line.
import assert from "node:assert/strict";
import { join } from "node:path";
import { removeHookFiles } from "../../../agent/jobs/hook_shell.ts";
import { createLog } from "../../../shared/log.ts";
import { eventually } from "../../support/eventually.ts";
import { hookedAgent } from "../../support/hooked_agent.ts";
import { testFolder } from "../../support/start_agent.ts";

/** What fails in each, so that "after" is not reached. */
const FAILING = [
  "false; echo after",
  "cd /nonexistent\necho after",
  "(exit 3)\necho after",
  "f() { false; echo after; }\nf",
  "x=$(false)\necho after",
  "true | false\necho after",
  "for i in 1 2; do false; echo after; done",
  "no-such-program --dump\necho after",
  "if true; then false; fi\necho after",
];

for (const text of FAILING) {
  Deno.test(`a hook that stops at the first error is seen to fail: ${text.replaceAll("\n", "; ")}`, async () => {
    await using all = await hookedAgent();
    const stopping = await all.run({ pre_hook: text, stop_at_error: ["pre_hook"] });
    assert.deepEqual([stopping.status, stopping.reason_code], ["failed", "pre_hook_failed"]);
    assert.ok(!all.printed(stopping.job_id).includes("after"));
    assert.equal(all.backups(), 0);
    const unticked = await all.run({ pre_hook: `${text}\ntrue`, stop_at_error: ["post_hook"] });
    assert.equal(unticked.status, "succeeded", unticked.reason ?? "");
    assert.ok(all.printed(unticked.job_id).includes("after"));
  });
}

Deno.test("what a hook checks itself does not stop it, and a trap cleans up after what did", async () => {
  await using all = await hookedAgent();
  const checked = await all.run({
    pre_hook: `false || echo handled
if false; then :; fi
! true
grep -q x /dev/null || true
false && true
set +e
false
echo after`,
    stop_at_error: ["pre_hook"],
  });
  assert.equal(checked.status, "succeeded", checked.reason ?? "");
  assert.deepEqual(all.printed(checked.job_id), ["handled", "after"]);
  const trapped = await all.run({
    pre_hook: "trap 'echo cleaned up $?' EXIT\nmkdir /dev/null/x\necho after",
    post_hook: "false\necho post",
    stop_at_error: ["pre_hook"],
  });
  assert.equal(trapped.reason_code, "pre_hook_failed");
  const printed = all.printed(trapped.job_id);
  assert.deepEqual(printed.slice(-2), ["cleaned up 1", "post"]);
  const post = await all.run({ post_hook: "false\necho post", stop_at_error: ["post_hook"] });
  assert.deepEqual([post.status, post.reason], ["succeeded", "post_hook failed (exit 1)."]);
});

const filesOf = (stateDir: string) => {
  try {
    return [...Deno.readDirSync(join(stateDir, "hooks"))].map(({ name }) => name);
  } catch {
    return [];
  }
};

for (
  const [what, text, printed] of [
    ["bash", `#!/bin/bash\na=(one two)\necho "\${a[1]}"`, ["two"]],
    ["perl with its argument", `#! /usr/bin/perl -w  \nprint "$^W\\n";`, ["1"]],
    ["env, which finds the program", `#!/usr/bin/env perl\nprint "by env\\n";`, ["by env"]],
    ["env with several arguments", `#!/usr/bin/env -S perl -w\nprint "$^W\\n";`, ["1"]],
    ["a shell that ignores the box", `#!/bin/sh\nfalse\necho after`, ["after"]],
    ["a script that removes itself", `#!/bin/sh\nrm "$0"\necho gone`, ["gone"]],
  ] as const
) {
  Deno.test(`a #! line is honoured: ${what}; nothing of it is left`, async () => {
    await using all = await hookedAgent();
    const end = await all.run({ pre_hook: text, stop_at_error: ["pre_hook", "post_hook"] });
    assert.equal(end.status, "succeeded", end.reason ?? "");
    assert.deepEqual(all.printed(end.job_id), printed);
    assert.deepEqual(filesOf(all.agent.settings.stateDir), []);
  });
}

Deno.test("a script with a #! line is private, in no arguments and no environment, and gone when it failed or was ended", async () => {
  await using all = await hookedAgent();
  const end = await all.run({
    pre_hook: `#!/bin/sh
stat -c '%a %A' "$0" "\${0%/*}"
tr '\\0' ' ' < /proc/$$/cmdline; env; : pass""word
exit 7`,
    post_hook: "#!/bin/sh\nsleep 600",
    timeout_seconds: 1,
  });
  assert.equal(end.reason, "pre_hook failed (exit 7)");
  const printed = all.printed(end.job_id);
  assert.deepEqual(printed.slice(0, 2), ["700 -rwx------", "700 drwx------"]);
  assert.doesNotMatch(printed.join("\n"), /pass""word|RM_HOOK=/);
  assert.ok(
    all.server.texts(end.job_id).some((text) => /post_hook was ended after 1 s/.test(text)),
  );
  assert.deepEqual(filesOf(all.agent.settings.stateDir), []);
});

Deno.test("an interpreter that is not there is named, and a #! line without one is a comment", async () => {
  await using all = await hookedAgent();
  const missing = await all.run({ pre_hook: "#!/usr/bin/no-such-shell -e\necho x" });
  assert.equal(missing.reason, "pre_hook failed (exit 127)");
  assert.match(all.printed(missing.job_id).join("\n"), /\/usr\/bin\/no-such-shell: not found/);
  assert.deepEqual(filesOf(all.agent.settings.stateDir), []);
  const none = await all.run({ pre_hook: "#!\necho by sh" });
  assert.deepEqual(all.printed(none.job_id), ["by sh"]);
});

Deno.test("what a crash left of the files that hooks ran from is removed, and never keeps the agent from starting", () => {
  using folder = testFolder();
  const logged: string[] = [];
  const log = createLog("debug", (line) => logged.push(line));
  removeHookFiles(folder.path, log);
  Deno.mkdirSync(join(folder.path, "hooks"));
  for (const name of ["a-pre_hook", "a-pre_hook.new", "b-post_hook.cmd"]) {
    Deno.writeTextFileSync(join(folder.path, "hooks", name), "secret");
  }
  removeHookFiles(folder.path, log);
  assert.deepEqual(filesOf(folder.path), []);
  assert.deepEqual(logged, []);
  Deno.removeSync(join(folder.path, "hooks"));
  Deno.writeTextFileSync(join(folder.path, "hooks"), "");
  removeHookFiles(folder.path, log);
  assert.match(logged.join("\n"), /could not be removed/);
});

Deno.test("the end of long output is kept, also of a hook that is ended while it prints, and says how much is missing", async () => {
  await using all = await hookedAgent();
  const job = all.begin({
    pre_hook: `i=0; while [ $i -lt 12000 ]; do i=$((i+1)); echo $i; done
echo the error >&2; printf '10%%\\r20%%\\r30%%'; touch ${all.folder}/printed; exec sleep 600`,
  });
  await eventually("all is printed", () => {
    try {
      return Deno.statSync(join(all.folder, "printed")).isFile;
    } catch {
      return false;
    }
  });
  all.server.send({ type: "command.cancel", job_id: job });
  assert.equal((await all.server.finished(job)).status, "cancelled");
  const printed = all.printed(job);
  assert.equal(printed.length, 10_000 + 1 + 200);
  assert.deepEqual(printed.slice(9_999, 10_001), [
    "10000",
    "[cut: the hook printed more than a log keeps; 1802 lines were left out here]",
  ]);
  assert.deepEqual(printed.slice(-3), ["12000", "the error", "30%"]);
});

for (const line of ["", "#!/bin/bash\n"]) {
  Deno.test(`what a hook ${line.trim()} prints on both streams stands in its order, and the last line is the last`, async () => {
    await using all = await hookedAgent();
    const end = await all.run({
      pre_hook: `${line}for i in 1 2 3; do echo out $i; echo error $i >&2; done
echo nothing to do; exit 75`,
    });
    assert.deepEqual([end.status, end.reason], ["skipped", "nothing to do"]);
    assert.deepEqual(all.printed(end.job_id), [
      ...[1, 2, 3].flatMap((n) => [`out ${n}`, `error ${n}`]),
      "nothing to do",
    ]);
  });
}
