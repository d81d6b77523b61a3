import assert from "node:assert/strict";
import { healthOf, type HostFacts } from "../../../server/hosts/state.ts";
import { messagesOf } from "../../../shared/problem_words.ts";
import { problem } from "../../../shared/problems.ts";

const HOUR = 3_600_000;
const NOW = Date.UTC(2026, 10, 22, 12);
const GREEN: HostFacts = {
  online: true,
  running: false,
  created_at: NOW - 100 * HOUR,
  last_seen_at: NOW,
  restic_version: "0.18.0",
  restic_problem: null,
  restic_problem_code: null,
  restic_problem_since: null,
  agent_problems: [],
  repository_ready_at: NOW - 99 * HOUR,
  repository_job_failed: false,
  repository_job_id: null,
  repository_job_finished_at: null,
  last_backup_job_id: null,
  last_backup_at: NOW - HOUR,
  last_backup_status: "succeeded",
  last_backup_warnings: 0,
  last_backup_reason: null,
  last_backup_reason_code: null,
  last_success_at: NOW - HOUR,
  maintenance_problems: [],
  repository_changed_at: null,
  on_hold_since: null,
  doubted_since: null,
  clock_skew_ms: null,
  clock_wrong_since: null,
};
const health = (change: Partial<HostFacts>) => {
  const { problems, ...found } = healthOf({ ...GREEN, ...change }, NOW);
  return { ...found, problems: messagesOf(problems) };
};

Deno.test("a green light is earned: connected is not backed up", () => {
  assert.deepEqual(health({}), { state: "ok", problems: [], urgency: 0 });
  assert.equal(
    health({ last_success_at: null, last_backup_at: null, last_backup_status: null }).state,
    "bad",
  );
  assert.equal(health({ last_success_at: NOW - 25 * HOUR }).state, "ok");
  const stale = health({ last_success_at: NOW - 27 * HOUR });
  assert.equal(stale.state, "bad");
  assert.deepEqual(stale.problems, ["no backup for 27 h"]);
  assert.deepEqual(health({ last_success_at: NOW - 80 * HOUR }).problems, ["no backup for 3 days"]);
});

Deno.test("a backup with warnings is amber, a failed or interrupted one is red, and the worst comes first", () => {
  assert.equal(health({ last_backup_warnings: 2 }).state, "warn");
  for (const last_backup_status of ["failed", "interrupted"] as const) {
    assert.equal(health({ last_backup_status }).state, "bad");
  }
  const both = health({
    last_backup_status: "failed",
    last_backup_reason: "Wrong repository password.",
    last_success_at: NOW - 30 * HOUR,
  });
  assert.deepEqual(both.problems, [
    "no backup for 30 h",
    "last backup failed: Wrong repository password.",
  ]);
});

Deno.test("a new host has a day for its first backup; then it needs someone", () => {
  const fresh = {
    created_at: NOW - HOUR,
    last_success_at: null,
    last_backup_at: null,
    last_backup_status: null,
  };
  assert.deepEqual(health(fresh).problems, ["not backed up yet"]);
  assert.equal(health(fresh).state, "warn");
  assert.match(
    health({ ...fresh, created_at: NOW - 27 * HOUR }).problems[0]!,
    /no first backup for 27 h/,
  );
});

Deno.test("an offline host that is backed up is grey, not red; one without restic or repository is red", () => {
  assert.equal(health({ online: false }).state, "off");
  assert.equal(health({ restic_version: null }).state, "bad");
  assert.equal(health({ repository_ready_at: null, repository_job_failed: true }).state, "bad");
  assert.equal(health({ running: true, last_backup_status: "failed" }).state, "run");
});

Deno.test("green backups do not make up for retention that has failed for a week", () => {
  const stuck = health({
    maintenance_problems: [
      problem("forget_failed", NOW - 9 * 24 * HOUR, {
        days: 9,
        job_id: null,
        reason: null,
        reason_code: null,
      }),
    ],
  });
  assert.equal(stuck.state, "warn");
  assert.deepEqual(stuck.problems, ["retention has failed for 9 days"]);
});
