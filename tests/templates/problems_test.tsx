// Problems in words: every code has some, hostile values do no harm, and what a page offers hangs on the code alone.
import assert from "node:assert/strict";
import { linesOf, messageOf, messagesOf, PROBLEM_WORDS } from "../../shared/problem_words.ts";
import {
  type Problem,
  problem,
  PROBLEM_CODES,
  type ProblemCode,
  PROBLEMS,
} from "../../shared/problems.ts";
import { Attention } from "../../templates/dashboard/page.tsx";
import { HostHead } from "../../templates/hosts/frame.tsx";
import { Maintenance } from "../../templates/repositories/maintenance.tsx";
import { HOSTILE, hostView, maintenance, NOW } from "./invented.tsx";

/** Every text of the params is this one. */
function filled(code: ProblemCode, text: string): Problem {
  const { params } = PROBLEMS[code];
  const values = Object.keys(params.shape).map((name) => {
    const value = [text, 3, [text], null].find((each) =>
      (params.shape as Record<string, { safeParse(value: unknown): { success: boolean } }>)[name]!
        .safeParse(each).success
    );
    return [name, value];
  });
  return problem(code, NOW, Object.fromEntries(values) as never);
}

Deno.test("the table of words holds every code, and each makes whole words of plain values", () => {
  assert.deepEqual(Object.keys(PROBLEM_WORDS).sort(), [...PROBLEM_CODES].sort());
  for (const code of PROBLEM_CODES) {
    const message = messageOf(filled(code, "some text"));
    assert.ok(message.length > 5, code);
    assert.ok(!/undefined|null|NaN|\[object|\$\{/.test(message), `${code}: ${message}`);
  }
});

Deno.test("values that are not known leave no gap", () => {
  const none = { job_id: null, reason: null, reason_code: null, warnings: 0 };
  assert.equal(messageOf(problem("backup_failed", NOW, none)), "last backup failed");
  assert.equal(
    messageOf(problem("restic_missing", NOW, { text: null })),
    "restic not found on this host",
  );
  const never = { last_success_at: null, hours: 27 };
  assert.equal(messageOf(problem("backup_overdue", NOW, never)), "no first backup for 27 h");
  assert.equal(
    messageOf(problem("clock_skew", NOW, { skew_ms: -180_000 })),
    "its clock is 3 min behind the server's",
  );
});

Deno.test("what belongs together is told in one line, in the order in which it came", () => {
  const failing = (code: "forget_failed" | "check_failed", reason: string | null) =>
    problem(code, NOW, { days: 8, job_id: null, reason, reason_code: null });
  const lines = linesOf([
    problem("backup_overdue", NOW, { last_success_at: 1, hours: 50 }),
    failing("forget_failed", "refused: by the storage"),
    problem("no_maintenance_host", NOW, {}),
    failing("check_failed", null),
    problem("host_offline", NOW, { last_seen_at: 1 }),
  ]);
  assert.deepEqual(lines, [
    { what: "no backup for 2 days" },
    {
      what: "retention has failed for 8 days",
      cause:
        "refused: by the storage; no host that may hold the admin credential is there, so nothing is forgotten; check has failed for 8 days",
    },
    { what: "offline" },
  ]);
  assert.deepEqual(messagesOf([]), []);
});

// With a code of C1, which opens an escape sequence in a terminal, and one that turns text around.
const WILD = `${HOSTILE.slice(0, 60)}\u009b31m\u202e: is locked by`;

const attention = (problems: Problem[]) =>
  String(Attention({
    fleet: { ok: 0, attention: 1, running: 0, offline: 0, total: 1 },
    items: [{ id: "h", name: "alpha", state: "bad", job_id: null, problems }],
    oldest: null,
    now: NOW,
    mayRun: true,
  }));

for (const code of PROBLEM_CODES) {
  Deno.test(`${code} with hostile values comes out escaped wherever it is shown`, () => {
    const found = filled(code, WILD);
    const { tasks: [task] } = maintenance();
    for (
      const html of [
        attention([found]),
        attention([problem("two_machines", NOW, {}), found, found]),
        String(HostHead({ host: hostView({ problems: [found] }), mayRun: true })),
        String(Maintenance({
          ...maintenance(),
          noHolder: found,
          tasks: [{ ...task!, off_because: found }],
        })),
      ]
    ) {
      assert.ok(!html.includes("<script"), code);
      assert.ok(!/[\p{Cc}--\n]/v.test(html), `${code}: a control character`);
    }
  });
}

Deno.test("what the dashboard offers hangs on codes: a sentence that speaks of a lock offers nothing, a lock in other words does", () => {
  const failed = (reason: string, reason_code: string | null) =>
    problem("backup_failed", NOW, { job_id: null, reason, reason_code, warnings: 0 });
  const unlocks = (...problems: Problem[]) => attention(problems).includes(">Unlock<");
  assert.ok(!unlocks(failed("The repository is locked by PID 1 on host x.", "restic_failed")));
  assert.ok(!unlocks(problem("state_put_aside", NOW, { text: "joined again: is locked by" })));
  assert.ok(
    !unlocks(problem("lease_not_ended", NOW, {
      job_id: "j",
      kind: "check",
      host_id: "h",
      host_name: "is locked by me",
    })),
  );
  assert.ok(unlocks(failed("gesperrt", "locked")));
  assert.ok(unlocks(problem("check_failed", NOW, {
    days: 8,
    job_id: null,
    reason: "gesperrt",
    reason_code: "locked",
  })));
  assert.ok(attention([problem("on_hold", NOW, {})]).includes("Restored, go on"));
  assert.ok(!attention([failed("joined again: schedules are paused", null)]).includes("go on"));
});

Deno.test("a colon within a reason or a name does not cut it: only the words know where a state ends and its cause begins", () => {
  const [state, cause] = [
    ...attention([
      problem("backup_failed", NOW, {
        job_id: null,
        reason: "mount: wrong fs type: sdb",
        reason_code: null,
        warnings: 0,
      }),
    ]).matchAll(/<p[^>]*>([^<]+)<\/p>/g),
  ].map(([, text]) => text);
  assert.deepEqual([state, cause], ["Last backup failed.", "Mount: wrong fs type: sdb."]);
  const missing = problem("restic_missing", NOW, { text: "restic at /x: cannot be started: no." });
  assert.match(attention([missing]), /<p>Restic at \/x: cannot be started: no\.<\/p>/);
});
