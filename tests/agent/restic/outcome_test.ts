import assert from "node:assert/strict";
import { ErrorReader } from "../../../agent/restic/errors.ts";
import { failureOf } from "../../../agent/restic/outcome.ts";
import type { Exit } from "../../../agent/process.ts";

const URL = "rest:http://backup.example:8000/alpha/";

function judge(exit: Partial<Exit>, text = "") {
  return failureOf({
    exit: { code: null, signal: null, stop: null, mayLeaveLock: false, ...exit },
    errors: { ...new ErrorReader().facts, text },
    url: URL,
    deadlineMs: 60_000,
  });
}

Deno.test("exit codes 0 and 3 did their work; every other one from 1 to 255 failed", () => {
  const codes: Record<number, string> = {
    2: "restic_panic",
    10: "no_repository",
    11: "locked",
    12: "wrong_password",
    130: "killed",
    137: "killed",
    141: "killed",
    143: "killed",
  };
  for (let code = 0; code <= 255; code++) {
    const failure = judge({ code });
    if (code === 0 || code === 3) assert.equal(failure, undefined, `code ${code}`);
    else {
      assert.equal(failure?.status, "failed", `code ${code}`);
      assert.equal(failure?.reason_code, codes[code] ?? "restic_failed");
      assert.equal(failure?.exit_code, code);
      assert.match(failure?.reason ?? "", /\S.*[.)/]$/);
    }
  }
});

const OLD_TEXTS: [text: string, code: string, reason: RegExp][] = [
  ["Fatal: wrong password or no key found", "wrong_password", /^Wrong repository password\.$/],
  [
    "Fatal: unable to open config file: stat /r/config: no such file or directory\nIs there a repository at the following location?\n/r",
    "no_repository",
    /^No repository at rest:/,
  ],
  [
    "Fatal: unable to open config file: <config/> does not exist\nIs there a repository at the following location?",
    "no_repository",
    /^No repository at/,
  ],
  [
    "Fatal: unable to open config file: unexpected HTTP response (401): 401 Unauthorized\nIs there a repository at the following location?",
    "access_denied",
    /refused user or password/,
  ],
  [
    `Fatal: unable to open config file: client.Head: Head "http://x/config": dial tcp 127.0.0.1:1: connect: connection refused\nIs there a repository at the following location?`,
    "unreachable",
    /cannot be reached \(connection refused\)/,
  ],
  [
    "Fatal: unable to open config file: Lstat: lstat /srv/not found/config: not a directory\nIs there a repository at the following location?",
    "restic_failed",
    /not a directory/,
  ],
  [
    "unable to create lock in backend: repository is already locked exclusively by PID 9235 on vm by root (UID 0, GID 0)\nlock was created at 2026-11-22 17:32:05 (619ms ago)\nstorage ID 67d9e21a",
    "locked",
    /^The repository is locked by PID 9235 on host vm, since 2026-11-22 17:32:05\.$/,
  ],
  ["Fatal: write /r/tmp: no space left on device", "no_space", /^No space left/],
  [
    "Fatal: all target directories/files do not exist",
    "source_missing",
    /^Nothing to back up: /,
  ],
  ["something\nFatal: this is new\n", "restic_failed", /\(exit code 1\): Fatal: this is new$/],
];

for (const [text, code, reason] of OLD_TEXTS) {
  Deno.test(`exit code 1 with "${text.split("\n")[0]}" is ${code}`, () => {
    const failure = judge({ code: 1 }, text);
    assert.equal(failure?.reason_code, code);
    assert.match(failure?.reason ?? "", reason);
  });
}

Deno.test("what we stopped is what we say, whatever the code", () => {
  for (const code of [0, 1, 3, 130, 137, 255]) {
    assert.equal(judge({ code, stop: "cancelled" })?.status, "cancelled");
    assert.equal(judge({ code, stop: "agent_stopped" })?.status, "interrupted");
    const silent = judge({ code, stop: "unreachable" });
    assert.equal(silent?.reason, `The repository did not answer within 60 s: ${URL}`);
    assert.equal(silent?.reason_code, "unreachable");
  }
});

Deno.test("a death by a signal that was not ours says which", () => {
  const failure = judge({ code: 137, signal: "SIGKILL" });
  assert.equal(failure?.status, "failed");
  assert.equal(failure?.reason_code, "killed");
  assert.match(failure?.reason ?? "", /SIGKILL/);
});

Deno.test("a password in a URL does not reach the reason", () => {
  const failure = judge({ code: 1 }, "Fatal: odd answer from https://u:hidden@host/x");
  assert.doesNotMatch(failure?.reason ?? "", /hidden/);
});
