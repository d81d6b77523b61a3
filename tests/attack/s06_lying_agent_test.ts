import assert from "node:assert/strict";
import { attack } from "../support/trial.ts";
import { FakeAgent } from "../support/fake_agent.ts";
import { newId } from "../../shared/new_id.ts";
import { startServer } from "../support/start_server.ts";
import { changedSince, makeWorld, type OneHost, storedIn } from "../support/world.ts";

const LOCK = { id: "ab".repeat(8), at: 1, exclusive: true, hostname: "x", username: "x", pid: 1 };
const SNAPSHOT = {
  ...{ id: "cd".repeat(32), time: 1, tags: ["default"], paths: ["/"], hostname: "x" },
  ...{ username: null, parent: null, files: 1, bytes: 1, bytes_added: 1 },
};

const PROGRESS = {
  ...{ percent: 99, files_done: 1, files_total: 1, bytes_done: 1, bytes_total: 1 },
  ...{ bytes_per_second: 1, seconds_elapsed: 1, seconds_remaining: 1, current_path: "/forged" },
};

/** What the agent of one host says about another one's job and repository. */
function lies(mine: OneHost, theirs: OneHost): [string, (agent: FakeAgent) => number | void][] {
  const { jobId: job_id, repositoryId: repository_id } = theirs;
  const origin = {
    ...{ kind: "backup", repository_id, schedule_id: theirs.scheduleId, scheduled_at: 1 },
    ...{ source_group_id: theirs.groupId, source_group_name: "default" },
    ...{ catch_up: false, attempt: 1 },
  };
  const list = { type: "snapshots.report", report_id: newId(), taken_at: 1, part: 1, parts: 1 };
  const end = {
    ...{ type: "job.finished", job_id, at: 1, status: "failed", exit_code: 1, warnings: 0 },
    ...{ reason: "x", reason_code: null, summary: null },
  };
  return [
    ["that it began", (agent) => agent.started(job_id)],
    ["that it ended", (agent) => agent.finished(job_id)],
    ["that it ended, with an origin of its own", (agent) => agent.report({ ...end, origin })],
    ["a line of it", (agent) => agent.lines(job_id, 2, ["forged"])],
    ["many lines ahead", (agent) => agent.lines(job_id, 900_000, ["forged"])],
    [
      "sizes, for its job",
      (agent) =>
        agent.report({ type: "repo.stats", job_id, repository_id, stats: { total_size: 1 } }),
    ],
    [
      "locks, for its job",
      (agent) => agent.report({ type: "repo.locks", job_id, repository_id, locks: [LOCK] }),
    ],
    [
      "a list of the whole repository",
      (agent) =>
        agent.report({ ...list, whole: true, job_id, repository_id, snapshots: [SNAPSHOT] }),
    ],
    ["a list of its own whole repository, for its job", (agent) =>
      agent.report({
        ...{ ...list, whole: true, job_id, repository_id: mine.repositoryId },
        snapshots: [SNAPSHOT],
      })],
    ["how far it is", (agent) =>
      agent.send({
        type: "job.progress",
        job_id,
        progress: PROGRESS,
      })],
  ];
}

/** What is dropped without a word: the host may have had that repository before. */
function stale(mine: OneHost, theirs: OneHost): [string, (agent: FakeAgent) => number][] {
  const { repositoryId: repository_id } = theirs;
  return [
    ["a list of that repository", (agent) => agent.snapshots(repository_id, ["cd".repeat(32)])],
    ["sizes of that repository, for an own job", (agent) =>
      agent.report({
        ...{ type: "repo.stats", job_id: mine.jobId, repository_id },
        stats: { total_size: 1, locks: [LOCK] },
      })],
    [
      "locks of that repository, for an own job",
      (agent) =>
        agent.report({ type: "repo.locks", job_id: mine.jobId, repository_id, locks: [LOCK] }),
    ],
    ["a line of a job that never was", (agent) => agent.lines(newId(), 1, ["forged"])],
  ];
}

attack({
  id: "S06",
  promise: "an agent speaks for its own host and for jobs that it was given, and for nothing else",
  done:
    "the agent of alpha says, one connection each: that beta's job began, ended, logged, locked, listed; and tells of beta's repository for a job of its own",
  expected:
    "closed with 4006 and in the audit, or dropped; nothing of beta is another afterwards, and beta's agent goes on",
}, async (see) => {
  await using test = await startServer();
  await using world = await makeWorld(test);
  const [alpha, beta] = world.hosts as [OneHost, OneHost];
  const hello = { jobs: [alpha.jobId], instance: "a".repeat(32) };
  const before = storedIn(test);
  const closed: string[] = [];
  for (const [what, lie] of lies(alpha, beta)) {
    const agent = await FakeAgent.connect(test.url, alpha.bearer, hello);
    lie(agent);
    // What is closed without being asked is asked for by a heartbeat, which is answered.
    agent.send({ type: "heartbeat" });
    const { code } = await Promise.race([
      agent.untilClosed(),
      agent.next("report.ack").then(() => ({ code: 0 })),
    ]);
    closed.push(`${what}: ${code || "dropped"}`);
    if (code === 0) await agent.close();
  }
  const agent = await FakeAgent.connect(test.url, alpha.bearer, hello);
  for (const [what, say] of stale(alpha, beta)) {
    await agent.acknowledged(say(agent));
    closed.push(`${what}: dropped`);
  }
  const audit = await test.api("alice", "GET", "/api/audit?action=agent.forbidden&limit=500");
  see(`${closed.join("; ")}; ${audit.body.items.length} in the audit`);
  // Which run of alpha's agent spoke and what of its quotas it took is noted, and that is all.
  const changed = changedSince(test, before).filter((row) =>
    !row.startsWith("host_instances ") &&
    !(row.startsWith("host_days ") && row.includes(alpha.hostId))
  );
  assert.deepEqual(changed, []);
  const forbidden = closed.filter((each) => each.endsWith("4006"));
  assert.equal(forbidden.length, lies(alpha, beta).length);
  assert.equal(audit.body.items.length, forbidden.length);
  assert.equal(test.server.progress.get(beta.jobId), undefined);
  await beta.agent.acknowledged(beta.agent.finished(beta.jobId));
  assert.equal(
    (await test.api("victor", "GET", `/api/jobs/${beta.jobId}`)).body.status,
    "succeeded",
  );
  await agent.close();
});
