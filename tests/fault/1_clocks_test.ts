// Either wall clock is set by hours, days and years while work goes on; the monotonic one goes on as it does.
import assert from "node:assert/strict";
import { join } from "node:path";
import { followClock } from "../../server/follow_clock.ts";
import { endLostJobs } from "../../server/jobs/reconcile.ts";
import { closeSilentAgents } from "../../server/tasks.ts";
import { signIn } from "../support/browser_session.ts";
import { eventually } from "../support/eventually.ts";
import { FakeAgent, joinHost } from "../support/fake_agent.ts";
import { FakeRestic, LISTED, SUMMARY } from "../support/fake_restic.ts";
import { RealPair } from "../support/real_pair.ts";
import { startServer } from "../support/start_server.ts";
import { fault } from "../support/trial.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;

/** A host with a real agent whose clocks the test holds, and a schedule at each full hour. */
async function scheduled(backup: string, retry = {}) {
  await using stack = new AsyncDisposableStack();
  const pair = stack.use(await RealPair.start());
  const restic = new FakeRestic(pair.folder, { verbs: { backup, snapshots: LISTED } });
  const time = { wall: Date.UTC(2026, 10, 26, 12, 30), elapsed: 1000 };
  const host = await pair.join("alpha", {
    restic: restic.path,
    repository: { name: "r", url: join(pair.folder, "repository"), is_new: false },
    paths: ["/etc"],
    options: {
      clock: {
        now: () => time.wall,
        elapsed: () => time.elapsed,
        catchUpWithinMs: 0,
        lookMs: 60_000,
      },
    },
  });
  const path = `/api/hosts/${host.hostId}`;
  const [group] = (await pair.api("GET", `${path}/source-groups`)).items;
  await pair.api("PUT", `${path}/source-groups/${group.id}`, {
    name: group.name,
    includes: ["/etc"],
    ...retry,
  });
  await pair.api("POST", `${path}/schedules`, { cron: "0 * * * *", source_group_ids: [group.id] });
  await eventually("the plan is held", () => host.agent.plan.schedule?.schedules.length === 1);
  const look = async () => {
    host.agent.timers.look();
    await host.agent.queue.whenIdle();
  };
  const jobs = async () => {
    await eventually("told", () => host.agent.journal.unacknowledgedEnds.length === 0);
    const { items } = await pair.api("GET", "/api/jobs?kind=backup");
    return items.reverse();
  };
  return Object.assign(stack.move(), {
    pair,
    host,
    restic,
    time,
    jobs,
    look,
    set: async (by: number) => {
      time.wall += by;
      await look();
    },
    pass: async (ms: number) => {
      time.wall += ms;
      time.elapsed += ms;
      await look();
    },
    state: async () => await pair.api("GET", path),
  });
}

for (const jump of [-10 * MINUTE, -2 * HOUR, 2 * HOUR, -DAY, DAY, -YEAR, YEAR]) {
  const words = `${jump > 0 ? "forwards" : "back"} by ${Math.abs(jump) / HOUR} h`;
  fault({
    id: "F20, item 1",
    promise: `a host whose clock is set ${words} is backed up every hour, and no fire time twice`,
    done:
      `an hour passes; the agent's clock is set ${words}; three hours pass; it is set back and three more pass`,
    expected:
      "a run at most an hour apart, each fire time once, each at the server's time, no negative duration, and the last one is the last",
  }, async (see) => {
    await using all = await scheduled(SUMMARY);
    await all.pass(HOUR);
    const gaps: number[] = [];
    let before = 1;
    for (const by of [jump, 0, 0, 0, -jump, 0, 0, 0]) {
      await (by === 0 ? all.pass(HOUR) : all.set(by));
      const { length } = all.host.agent.queue.ids.length === 0 ? await all.jobs() : [];
      gaps.push(length - before);
      before = length;
    }
    const jobs = await all.jobs();
    const times = jobs.map((job: { scheduled_at: string }) => job.scheduled_at);
    see(
      `runs after each step: ${gaps.join(" ")}; ${
        new Set(times).size
      } fire times of ${times.length} runs`,
    );
    // One that lies in the hours that come a second time has run already.
    const missed = [1, 2, 3, 5, 6, 7].filter((step) => gaps[step] === 0).length;
    assert.ok(missed <= (Math.abs(jump) <= 2 * HOUR ? 2 : 0), `${missed} hours without a run`);
    if (Math.abs(jump) <= 2 * HOUR) assert.equal(new Set(times).size, times.length);
    for (const job of jobs) {
      assert.equal(job.status, "succeeded", job.reason);
      assert.ok(job.duration_seconds >= 0);
      assert.ok(Math.abs(Date.parse(job.finished_at) - Date.now()) < 3 * MINUTE, job.finished_at);
    }
    const { last_backup } = await all.state();
    assert.equal(last_backup.job_id, jobs.at(-1).id);
  });
}

fault({
  id: "F20, item 1",
  promise:
    "a further try comes as long after the failure as it was said, whatever the clock is set to meanwhile",
  done:
    "a backup fails, to be tried again after 600 s; the clock is set back by a year, on by two, and back; 300 s pass, then 301",
  expected: "nothing at 300 s, the second try at 601 s",
}, async (see) => {
  const fails = `echo "Fatal: dial tcp: connection refused" >&2; exit 1`;
  await using all = await scheduled(fails, { retry_max: 1, retry_backoff_seconds: 600 });
  await all.pass(30 * MINUTE);
  const [first] = await all.jobs();
  type Job = { attempt: number; scheduled_at: string };
  const count = async () =>
    (await all.jobs()).filter((job: Job) =>
      job.attempt === 2 && job.scheduled_at === first.scheduled_at
    ).length;
  await all.set(-YEAR);
  await all.set(2 * YEAR);
  await all.set(-YEAR);
  await all.pass(300_000);
  const early = await count();
  await all.pass(301_000);
  see(`second tries: ${early} at 300 s, ${await count()} at 601 s`);
  assert.deepEqual([early, await count()], [0, 1]);
});

fault({
  id: "F20, item 1",
  promise:
    "a try that fails right after the machine slept is made again after its backoff, not after the sleep",
  done:
    "the machine sleeps for eight hours; the run that it makes up for fails at once; 601 s pass",
  expected: "the second try is made",
}, async (see) => {
  const fails = `echo "Fatal: dial tcp: connection refused" >&2; exit 1`;
  await using all = await scheduled(fails, { retry_max: 1, retry_backoff_seconds: 600 });
  all.time.wall += 8 * HOUR;
  await all.look();
  const count = async () => (await all.jobs()).length;
  const before = await count();
  await all.pass(599_000);
  const early = await count();
  await all.pass(3000);
  see(`runs after the sleep: ${before}, at 599 s ${early}, at 602 s ${await count()}`);
  assert.deepEqual([before, early, await count()], [1, 1, 2]);
});

for (const jump of [-2 * HOUR, 2 * HOUR, -YEAR]) {
  fault({
    id: "F20, item 1",
    promise: "how long a job ran is told by the monotonic clock",
    done: `the agent's clock is set by ${jump / HOUR} h in the middle of a run of 90 s`,
    expected: "90 s; and from two minutes of difference on the host is amber and says so",
  }, async (see) => {
    await using pair = await RealPair.start();
    const gate = join(pair.folder, "go");
    const restic = new FakeRestic(pair.folder, {
      verbs: {
        backup: `while [ ! -e '${gate}' ]; do sleep 0.02; done; ${SUMMARY}`,
        snapshots: LISTED,
      },
    });
    const time = { wall: 0, elapsed: 0 };
    const host = await pair.join("alpha", {
      restic: restic.path,
      repository: { name: "r", url: join(pair.folder, "repository"), is_new: false },
      paths: ["/etc"],
      options: {
        clock: { now: () => Date.now() + time.wall, elapsed: () => time.elapsed },
        pace: { firstRetryMs: 20, slowestRetryMs: 200, heartbeatMs: 50 },
      },
    });
    const path = `/api/hosts/${host.hostId}`;
    const { job_id } = await pair.api("POST", `${path}/jobs`, { kind: "backup" });
    await eventually(
      "it runs",
      async () => (await pair.api("GET", `/api/jobs/${job_id}`)).status === "running",
    );
    time.wall = jump;
    time.elapsed += 90_000;
    await Deno.writeTextFile(gate, "");
    const job = await pair.ended(job_id);
    const { problems } = await eventually("amber", async () => {
      const state = await pair.api("GET", path);
      return /its clock is/.test(state.problems.join()) && state;
    });
    see(`${job.duration_seconds} s; ${problems.join("; ")}`);
    assert.ok(job.duration_seconds >= 90 && job.duration_seconds < 120);
    assert.ok(host.logged.some((line) => /clock is .* the server's/.test(line)));
  });
}

fault({
  id: "item 1",
  promise:
    "a server whose clock is set loses no lease, job, session or connection, revives none, locks nobody out and hides nothing",
  done:
    "a check runs, someone is signed in and someone else's session expired; the clock goes a year back, two on, back, and the machine sleeps for a day",
  expected:
    "all as before after each of them, also before the server has noticed; what expired stays so",
}, async (see) => {
  await using test = await startServer({ still: true });
  const host = await joinHost(test, "alpha");
  const agent = await FakeAgent.connect(test.url, host.bearer);
  await agent.acknowledged(agent.finished((await agent.next("command.run")).job_id));
  const start = async (kind: string) =>
    (await test.api("alice", "POST", `/api/hosts/${host.hostId}/jobs`, { kind })).body.job_id;
  const failed = await start("backup");
  await agent.acknowledged(agent.started(failed));
  await agent.acknowledged(
    agent.finished(failed, { status: "failed", reason: "the disk is gone" }),
  );
  const check = await start("check");
  await agent.acknowledged(agent.started(check));
  const old = await signIn(test, "victor");
  test.clock.pass(12.5 * HOUR);
  for (const each of test.server.agents) each.heardRan = test.server.clock.ran();
  const olive = await signIn(test, "olive");
  const token = (await test.api("alice", "POST", "/api/tokens", {
    name: "t",
    expires_at: new Date(test.server.now() + HOUR).toISOString(),
  })).body.token;
  const invite =
    (await test.api("alice", "POST", "/api/users", { username: "nina", role: "viewer" })).body
      .setup_url;
  const look = async () => {
    const status = async (url: string, headers = {}) => {
      const response = await fetch(url, { headers });
      await response.body?.cancel();
      return response.status;
    };
    const { body } = await test.api("alice", "GET", `/api/hosts/${host.hostId}`);
    const leases = await test.server.db.selectFrom("leases").selectAll().execute();
    return JSON.stringify({
      job: (await test.api("alice", "GET", `/api/jobs/${check}`)).body.status,
      leases: leases.length,
      online: body.online,
      last: body.last_backup?.status,
      red: body.problems.some((text: string) => /the disk is gone/.test(text)),
      signedIn: (await olive.api("GET", "/api/sessions")).status,
      expired: (await old.api("GET", "/api/sessions")).status,
      token: await status(`${test.url}/api/hosts`, { authorization: `Bearer ${token}` }),
      invite: await status(invite),
      again: (await signIn(test, "alice")).api !== undefined,
      closed: agent.closed?.code ?? "open",
    });
  };
  const before = await look();
  assert.match(before, /"signedIn":200,"expired":401,"token":200,"invite":200/);
  const steps: [string, () => void][] = [
    ["a year back", () => test.clock.wall = -YEAR],
    ["two years on", () => test.clock.wall = YEAR],
    ["as it was", () => test.clock.wall = 0],
    ["a day of sleep", () => test.clock.wall = DAY],
    ["stopped for a day", () => test.clock.sleep(DAY)],
  ];
  for (const [name, step] of steps) {
    const isSleep = name === "stopped for a day";
    step();
    // A process that stood still for a day has all clocks a day later: sessions are over then, work is not.
    const lasting = (text: string) => isSleep ? text.replace(/"signedIn".*"again"/, "") : text;
    assert.equal(lasting(await look()), lasting(before), `${name}, not noticed yet`);
    await followClock(test.server);
    await closeSilentAgents(test.server);
    await endLostJobs(test.server);
    assert.equal(lasting(await look()), lasting(before), name);
    see(`${name}: as before`);
  }
  await agent.close();
});
