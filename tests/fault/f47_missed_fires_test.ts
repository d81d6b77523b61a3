import assert from "node:assert/strict";
import { at, clockedAgent, GROUP, OTHER_GROUP, startsOf } from "../support/clocked_agent.ts";
import { SUMMARY } from "../support/fake_restic.ts";
import { fault } from "../support/trial.ts";

fault({
  id: "F47",
  promise: "a machine that was off for many fire times runs once when it is back",
  done: "the agent is stopped over five fire times and started again",
  expected: "one catch-up run, for the last of them, that says so",
}, async (see) => {
  await using all = await clockedAgent();
  await all.restart(() => {
    all.clock.time = at("2026-11-28T09:30:00Z");
  });
  const [end] = await all.untilEnds(1);
  await all.settled();
  assert.equal(all.ends().length, 1);
  assert.equal(end!.origin!.catch_up, true);
  assert.equal(end!.origin!.scheduled_at, at("2026-11-28T03:00:00Z"));
  assert.ok(all.server.texts(end!.job_id).some((text) => text.includes("2026-11-28 03:00 UTC")));
  see(`${all.ends().length} run, for ${new Date(end!.origin!.scheduled_at).toISOString()}`);
});

fault({
  id: "F50, F52",
  promise:
    "what is due together runs one after the other, and what is still going is not begun again",
  done: "two schedules fire in the same minute, with two groups of which one is in both",
  expected: "two backups one after the other, the third is told as skipped with its reason",
}, async (see) => {
  await using all = await clockedAgent({
    backup: `sleep 0.2; ${SUMMARY}`,
    schedules: [
      { source_group_ids: [GROUP, OTHER_GROUP] },
      { id: "88888888-8888-4888-8888-888888888888", source_group_ids: [GROUP] },
    ],
  });
  all.clock.time = at("2026-11-23T03:00:00Z");
  const ends = await all.untilEnds(3);
  const byStatus = (status: string) => ends.filter((end) => end.status === status);
  assert.equal(byStatus("succeeded").length, 2);
  const [skipped] = byStatus("skipped");
  assert.match(skipped!.reason!, /still going/);
  assert.ok(skipped!.origin);
  const starts = startsOf(all.server);
  const finishedFirst = ends.find((end) => end.job_id === starts[0]!.job_id)!;
  assert.ok(finishedFirst.at <= starts[1]!.at);
  see(`${ends.map(({ status }) => status)}; ${skipped!.reason}`);
});
