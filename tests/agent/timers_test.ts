// The host's own clock, with a clock that the test sets.
import assert from "node:assert/strict";
import { join } from "node:path";
import {
  at,
  clockedAgent,
  GROUP,
  originsOf,
  SCHEDULE,
  startsOf,
} from "../support/clocked_agent.ts";
import { eventually } from "../support/eventually.ts";
import { FakeServer } from "../support/fake_server.ts";
import { startAgent, testFolder } from "../support/start_agent.ts";

Deno.test("a schedule fires at its minute, in its time zone, and tells where the job comes from", async () => {
  await using all = await clockedAgent({ schedules: [{ time_zone: "Europe/Berlin" }] });
  all.clock.time = at("2026-11-23T01:59:59Z");
  await all.settled();
  assert.equal(all.ends().length, 0);
  all.clock.time = at("2026-11-23T02:00:00Z");
  const [end] = await all.untilEnds(1);
  assert.equal(end!.status, "succeeded", end!.reason ?? "");
  assert.deepEqual(end!.origin, {
    kind: "backup",
    repository_id: end!.origin!.repository_id,
    schedule_id: SCHEDULE,
    source_group_id: GROUP,
    source_group_name: "documents",
    scheduled_at: at("2026-11-23T02:00:00Z"),
    catch_up: false,
    attempt: 1,
  });
  const [started] = all.server.of("job.started");
  assert.deepEqual(started!.origin, end!.origin);
  await all.settled();
  assert.equal(all.ends().length, 1);
});

Deno.test("a run that the clock starts has its hooks from the sealed plan, after a restart too, and a failed one is tried again", async () => {
  await using all = await clockedAgent({
    hooks: { pre_hook: "echo from the plan; exit 3", timeout_seconds: 60 },
    retry: { retry_max: 1, retry_backoff_seconds: 60 },
  });
  await all.restart(() => assert.ok(!planText(all.folder).includes("from the plan")));
  all.clock.time = at("2026-11-23T03:00:00Z");
  const [end] = await all.untilEnds(1);
  assert.deepEqual([end!.status, end!.reason], ["failed", "pre_hook failed (exit 3)"]);
  assert.ok(all.server.texts(end!.job_id).includes("hook: from the plan"));
  assert.equal(all.restic.starts.length, 0);
  all.clock.time = at("2026-11-23T03:02:00Z");
  const [, again] = await all.untilEnds(2);
  assert.equal(again!.origin?.attempt, 2);
});

/** What lies on the disk of the plan. */
function planText(folder: string): string {
  return new TextDecoder("latin1").decode(
    Deno.readFileSync(join(folder, "state", "plan.sealed")),
  );
}

Deno.test("with the server away every scheduled run happens, and each is told once when it is back", async () => {
  await using all = await clockedAgent({ schedules: [{ cron: "0 * * * *" }] });
  all.server.acknowledges = false;
  for (let hour = 13; hour <= 18; hour++) {
    all.clock.time = at(`2026-11-22T${hour}:00:00Z`);
    await eventually(
      `the run of ${hour}:00`,
      () => all.restic.starts.filter((each) => each.args.startsWith("backup")).length === hour - 12,
    );
    await all.settled();
  }
  all.server.drop();
  all.server.acknowledges = true;
  const ends = await all.untilEnds(6);
  assert.deepEqual(
    originsOf(ends).map((origin) => new Date(origin.scheduled_at).getUTCHours()),
    [13, 14, 15, 16, 17, 18],
  );
  assert.ok(ends.every((end) => end.status === "succeeded"));
});

Deno.test("a clock that goes back repeats nothing; one that was far ahead does not stop backups", async () => {
  await using all = await clockedAgent();
  all.clock.time = at("2026-11-23T03:00:01Z");
  await all.untilEnds(1);
  all.clock.time = at("2026-11-23T02:30:00Z");
  await all.settled();
  all.clock.time = at("2026-11-23T03:00:02Z");
  await all.settled();
  assert.equal(all.ends().length, 1);
  all.clock.time = at("2027-11-23T04:00:00Z");
  await all.untilEnds(2);
  all.clock.time = at("2026-11-23T12:00:00Z");
  await all.settled();
  all.clock.time = at("2026-11-24T03:00:00Z");
  await all.untilEnds(3);
});

Deno.test("a new or changed schedule counts from now, a removed one stops", async () => {
  await using all = await clockedAgent({ now: "2026-11-22T12:00:00Z" });
  await all.setPlan([{ cron: "0 11 * * *" }], 3);
  await all.settled();
  assert.equal(all.ends().length, 0);
  all.clock.time = at("2026-11-23T11:00:00Z");
  await all.untilEnds(1);
  await all.setPlan([], 4);
  all.clock.time = at("2026-11-24T11:00:00Z");
  await all.settled();
  assert.equal(all.ends().length, 1);
});

Deno.test("a failed run is tried again after its backoff, each try by itself, and not more often than it may", async () => {
  await using all = await clockedAgent({
    backup: `echo "Fatal: unable to open config file: dial tcp: connection refused" >&2; exit 1`,
    retry: { retry_max: 2, retry_backoff_seconds: 60 },
  });
  all.clock.time = at("2026-11-23T03:00:00Z");
  const [first] = await all.untilEnds(1);
  assert.equal(first!.reason_code, "unreachable");
  assert.ok(
    all.server.texts(first!.job_id).some((text) =>
      text.includes("try 1 of 3; the next begins at 2026-11-23 03:01:00 UTC")
    ),
  );
  all.clock.time += 59_000;
  await all.settled();
  assert.equal(all.ends().length, 1);
  all.clock.time += 1000;
  await all.untilEnds(2);
  all.clock.time += 120_000;
  await all.untilEnds(3);
  all.clock.time += 3_600_000;
  await all.settled();
  assert.deepEqual(originsOf(all.ends()).map((origin) => origin.attempt), [1, 2, 3]);
  assert.equal(new Set(originsOf(all.ends()).map((origin) => origin.scheduled_at)).size, 1);
});

Deno.test("a wrong password is not tried again", async () => {
  await using all = await clockedAgent({
    backup: `echo "Fatal: wrong password or no key found" >&2; exit 12`,
    retry: { retry_max: 5, retry_backoff_seconds: 10 },
  });
  all.clock.time = at("2026-11-23T03:00:00Z");
  await all.untilEnds(1);
  all.clock.time += 3_600_000;
  await all.settled();
  assert.equal(all.ends().length, 1);
});

Deno.test("a scheduled run that was interrupted is recorded and made up for once", async () => {
  await using all = await clockedAgent({ backup: `echo going; sleep 60` });
  all.clock.time = at("2026-11-23T03:00:00Z");
  await eventually("it runs", () => all.server.of("log.stream").length > 0);
  await all.restart();
  const [first] = await all.untilEnds(1);
  assert.equal(first!.status, "interrupted");
  const second = await eventually("the catch-up runs", () => startsOf(all.server)[1]);
  assert.equal(second.origin!.catch_up, true);
  assert.equal(second.origin!.scheduled_at, first!.origin!.scheduled_at);
  await all.restart();
  await all.untilEnds(2);
  await all.settled();
  assert.equal(startsOf(all.server).length, 2);
});

Deno.test("a damaged clock file is put aside as it was, is named, and the agent goes on", async () => {
  const { path: folder, ...disposable } = testFolder();
  using _ = disposable as Disposable;
  await using server = new FakeServer();
  Deno.mkdirSync(join(folder, "state"), { recursive: true });
  const file = join(folder, "state", "timers.json");
  Deno.writeTextFileSync(file, "{half");
  await using started = await startAgent(server, { directory: folder });
  assert.match(
    started.agent.state.problems.list[0]!.text,
    /timers\.json is not JSON.*timers\.json\.bad-1/,
  );
  assert.equal(Deno.readTextFileSync(`${file}.bad-1`), "{half");
});

Deno.test("a run that its pre hook skips is not tried again and not made up for; the next fire time runs as usual", async () => {
  await using all = await clockedAgent({
    hooks: { pre_hook: "echo the disk is away; exit 75", timeout_seconds: 60 },
    retry: { retry_max: 3, retry_backoff_seconds: 60 },
  });
  all.clock.time = at("2026-11-23T03:00:00Z");
  const [end] = await all.untilEnds(1);
  assert.deepEqual([end!.status, end!.reason], ["skipped", "the disk is away"]);
  all.clock.time = at("2026-11-23T12:00:00Z");
  await all.settled();
  await all.restart();
  await all.settled();
  assert.equal(all.ends().length, 1);
  all.clock.time = at("2026-11-24T03:00:00Z");
  const ends = await all.untilEnds(2);
  assert.deepEqual(originsOf(ends).map(({ attempt, catch_up }) => [attempt, catch_up]), [
    [1, false],
    [1, false],
  ]);
});

Deno.test("a schedule in a time zone that this agent does not know stops neither the others nor the clock", async () => {
  const unknown = { id: "88888888-8888-4888-8888-888888888888", time_zone: "Mars/Olympus_Mons" };
  await using all = await clockedAgent({ schedules: [unknown, {}], now: "2026-11-22T02:59:00Z" });
  all.clock.time = at("2026-11-22T03:00:05Z");
  // By the clock's own timer: nobody looks.
  const [end] = await all.untilEnds(1);
  assert.equal(end!.status, "succeeded", end!.reason ?? "");
  assert.equal(end!.origin?.schedule_id, SCHEDULE);
  all.clock.time = at("2026-11-23T03:00:05Z");
  await all.untilEnds(2);
});

for (const lost of ["timers.json", "plan.sealed"]) {
  Deno.test(`with a damaged ${lost} nothing runs twice, and the next fire time runs`, async () => {
    await using all = await clockedAgent({ schedules: [{ cron: "0 * * * *" }] });
    all.clock.time = at("2026-11-23T03:00:00Z");
    await all.untilEnds(1);
    await all.restart(() => {
      all.clock.time = at("2026-11-23T04:30:00Z");
      Deno.writeTextFileSync(join(all.folder, "state", lost), "{half");
    });
    await all.settled();
    // What the clock knew of its schedules waits for the plan; where that knowledge is lost one fire time is.
    const missed = lost === "timers.json" ? 0 : 1;
    await all.untilEnds(1 + missed);
    await all.settled();
    assert.equal(all.ends().length, 1 + missed);
    all.clock.time = at("2026-11-23T05:00:00Z");
    await all.untilEnds(2 + missed);
    await all.settled();
    const fired = originsOf(all.ends()).map(({ scheduled_at }) => scheduled_at);
    assert.equal(new Set(fired).size, 2 + missed);
  });
}
