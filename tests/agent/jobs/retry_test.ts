import assert from "node:assert/strict";
import type { Agent } from "../../../agent/agent.ts";
import { retryOf } from "../../../agent/jobs/retry.ts";
import { failed } from "../../../agent/restic/outcome.ts";
import type { Origin } from "../../../shared/protocol.ts";

const GROUP = "66666666-6666-4666-8666-666666666666";
const agent = {
  plan: {
    schedule: { source_groups: [{ id: GROUP, retry_max: 3, retry_backoff_seconds: 60 }] },
  },
  timers: { now: Date.parse("2026-11-22T12:00:00Z") },
} as unknown as Agent;
const origin = { source_group_id: GROUP, attempt: 1 } as unknown as Origin;

const isTriedAgain = (code: string) => retryOf(agent, origin, failed(code, code, 1)) !== undefined;

Deno.test("what may be gone in a while is tried again, what only a person can mend is not", () => {
  const passing = ["locked", "unreachable", "unknown_name", "restic_failed", "killed"];
  for (const code of passing) assert.ok(isTriedAgain(code), code);
  const lasting = [
    "wrong_password",
    "access_denied",
    "no_repository",
    "unknown_authority",
    "bad_certificate",
    "wrong_protocol",
    "http_error",
    "unknown_host_key",
    "changed_host_key",
    "program_missing",
    "unknown_remote",
  ];
  for (const code of lasting) assert.ok(!isTriedAgain(code), code);
});
