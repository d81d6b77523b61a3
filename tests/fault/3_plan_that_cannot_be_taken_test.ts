import assert from "node:assert/strict";
import { join } from "node:path";
import { FRAME_LIMIT } from "../../shared/protocol.ts";
import { eventually } from "../support/eventually.ts";
import { FakeRestic, LISTED, SUMMARY } from "../support/fake_restic.ts";
import { FakeServer } from "../support/fake_server.ts";
import { access, jobId, order, startAgent, testFolder } from "../support/start_agent.ts";
import { fault } from "../support/trial.ts";

const NOON = Date.parse("2026-11-23T12:00:00Z");
const SCHEDULE = "55555555-5555-4555-8555-555555555555";

async function setUp() {
  await using stack = new AsyncDisposableStack();
  const { path: folder } = stack.use(testFolder());
  const restic = new FakeRestic(folder, { verbs: { backup: SUMMARY, snapshots: LISTED } });
  const server = stack.use(
    new FakeServer({ config: { repository: access(join(folder, "repository")) } }),
  );
  const group = { ...order([folder]), retry_max: 0, retry_backoff_seconds: 60 };
  const plan = {
    type: "plan.set",
    plan_version: 7,
    schedules: [{
      id: SCHEDULE,
      cron: "0 * * * *",
      time_zone: "UTC",
      source_group_ids: [group.id],
    }],
    source_groups: [group],
  };
  server.plan = plan as never;
  const clock = { time: NOON + 60_000 };
  const { agent, logged } = stack.use(
    await startAgent(server, {
      directory: folder,
      restic: restic.path,
      clock: { now: () => clock.time, catchUpWithinMs: 0, lookMs: 20 },
    }),
  );
  const problems = () => server.of("problems").at(-1)?.problems ?? [];
  return Object.assign(stack.move(), { server, plan, group, clock, problems, agent, logged });
}

fault({
  id: "3",
  promise:
    "a plan that an agent cannot take leaves it with its old one, is reported once and costs no connection",
  done:
    "the server sends plans and settings with a path that is none, too many groups, a text where a number belongs, 1.2 MB in one frame; each twice; then the schedule fires",
  expected:
    "the connection stays, each is in the agent's problems with the field's name and once in its log, the backup by the old plan is made, and a good plan ends the problem",
}, async (see) => {
  await using all = await setUp();
  const { plan, group, server } = all;
  const wrongs: [words: string, message: Record<string, unknown>, field: RegExp][] = [
    ["a path that is none", {
      ...plan,
      plan_version: 8,
      source_groups: [{ ...group, includes: ["relative"] }],
    }, /plan 8 .*includes/],
    ["too many groups", {
      ...plan,
      plan_version: 9,
      source_groups: Array.from({ length: 1001 }, () => ({ ...group, includes: ["/a"] })),
    }, /plan 9 .*source_groups/],
    ["a text for a number", { ...plan, plan_version: "ten" }, /plan_version/],
    ["a frame that is too long", {
      ...plan,
      schedules: [],
      source_groups: [{ ...group, excludes: Array.from({ length: 1000 }, () => "x".repeat(1200)) }],
    }, new RegExp(`at most ${FRAME_LIMIT} bytes`)],
    ["settings", {
      type: "config.update",
      snapshot_host: "",
      repository: null,
      bandwidth_up_kib_per_s: null,
      bandwidth_down_kib_per_s: null,
    }, /settings for this host .*snapshot_host/],
  ];
  const seen: string[] = [];
  for (const [words, message, field] of wrongs) {
    server.send(message);
    server.send(message);
    const found = await eventually(
      words,
      () => all.problems().find(({ kind, text }) => kind === "plan_refused" && field.test(text)),
    );
    assert.match(found.text, /goes on with what it had before \(plan 7\)/);
    assert.ok(found.text.length <= 500);
    // Answered in order, so the second one has been read when this job has ended.
    const id = jobId();
    server.run({ job_id: id, kind: "unlock" });
    await server.finished(id);
    const logged = all.logged.filter((line) => line.includes(found.text.slice(0, 60)));
    assert.equal(logged.length, 1, `${words} is logged ${logged.length} times`);
    seen.push(`${words}: ${found.text.slice(0, 90)}…`);
  }
  assert.equal(all.agent.plan.version, 7);
  assert.equal(server.connections, 1);
  assert.equal(server.of("plan.ack").length, 1, "what is refused is not acknowledged");
  all.clock.time = NOON + 3_600_000;
  const end = await eventually(
    "the old plan's schedule runs",
    () => server.of("job.finished").find(({ origin }) => origin?.schedule_id === SCHEDULE),
  );
  assert.equal(end.status, "succeeded", end.reason ?? "");
  server.send({ ...plan, plan_version: 11 });
  await eventually("only the settings are left", () => all.problems().length === 1);
  see(seen.join(" · "));
  see("1 connection; the old plan's backup succeeded; plan 11 ended the problem");
});

fault({
  id: "3",
  promise: "an order that an agent cannot take ends, and nonsense is not fetched again at once",
  done:
    "the server sends orders with a wrong field, and after each greeting a frame that is no message",
  expected: "the order's job fails with the field's name; the pauses between connections grow",
}, async (see) => {
  await using all = await setUp();
  const { server } = all;
  const id = jobId();
  server.send({ type: "command.run", job_id: id, kind: "backup", repository_id: "no id" });
  server.send({ type: "command.run", job_id: id, kind: "backup", repository_id: "no id" });
  server.send({ type: "command.run", job_id: "../../x", kind: "backup" });
  const end = await server.finished(id);
  assert.equal(end.status, "failed");
  assert.match(end.reason!, /could not take the order: command\.run: .*repository_id/);
  assert.equal(server.connections, 1);
  const connectedAt: number[] = [];
  server.onMessage = (message) => {
    if (message.type !== "hello") return;
    connectedAt.push(performance.now());
    setTimeout(() => server.sendText("{ this is no message"), 5);
  };
  server.sendText("{ nor is this");
  await eventually("it has come back four times", () => connectedAt.length >= 4);
  server.onMessage = () => {};
  const pauses = connectedAt.slice(1).map((at, n) => Math.round(at - connectedAt[n]!));
  const waits = all.logged.flatMap((line) => /nonsense.*trying again/.exec(line) ? [line] : []);
  assert.ok(waits.length >= 4);
  assert.ok(pauses.at(-1)! > 60, `pauses of ${pauses.join(", ")} ms`);
  assert.equal(server.of("job.finished").filter(({ job_id }) => job_id === id).length, 1);
  see(`${end.reason}; pauses of ${pauses.join(", ")} ms (from 20 on, 200 at the most)`);
});
