import assert from "node:assert/strict";
import { newId } from "../../../shared/new_id.ts";
import { eventually } from "../../support/eventually.ts";
import { job, readyHost, runBackup } from "../../support/ready_host.ts";
import { startServer } from "../../support/start_server.ts";

Deno.test("a backup goes from order to summary, and the host's columns tell of it", async () => {
  await using test = await startServer();
  const { agent, hostId, repositoryId } = await readyHost(test);
  const id = await runBackup(test, hostId);
  const order = await agent.next("command.run", (message) => message.kind === "backup");
  assert.deepEqual(order.source_group?.includes, ["/home"]);
  assert.equal((await job(test, id)).status, "queued");
  agent.started(id);
  agent.lines(id, 1, ["one", "two"]);
  agent.snapshots(repositoryId, ["a".repeat(64), "b".repeat(64)]);
  const summary = {
    snapshot_id: "a".repeat(64),
    files_new: 1,
    files_changed: 2,
    files_unmodified: 3,
    bytes_added: 4,
    bytes_processed: 5,
    seconds: 6,
  };
  await agent.acknowledged(
    agent.finished(id, { summary, warnings: 2, reason: "2 files could not be read." }),
  );
  const ended = await job(test, id);
  assert.equal(ended.status, "succeeded");
  assert.deepEqual(ended.summary, summary);
  assert.equal(ended.actor.name, "olive");
  const host = (await test.api("victor", "GET", `/api/hosts/${hostId}`)).body;
  assert.deepEqual([host.last_backup.job_id, host.last_backup.status, host.last_backup.warnings], [
    id,
    "succeeded",
    2,
  ]);
  assert.equal(host.state, "warn");
  assert.equal(host.snapshots_count, 2);
  const snapshots = await test.api("victor", "GET", `/api/hosts/${hostId}/snapshots`);
  assert.equal(snapshots.body.items.length, 2);
  assert.ok(snapshots.body.refreshed_at);
  await agent.close();
});

Deno.test("repeated reports change nothing: each line is there once and the first end counts", async () => {
  await using test = await startServer();
  const { agent, hostId } = await readyHost(test);
  const id = await runBackup(test, hostId);
  for (let round = 0; round < 3; round++) {
    agent.started(id);
    agent.lines(id, 1, ["one", "two"]);
    agent.lines(id, 2, ["two", "three"]);
    await agent.acknowledged(
      agent.finished(id, { status: round === 0 ? "failed" : "succeeded", reason: "r" }),
    );
  }
  const log = await test.api("victor", "GET", `/api/jobs/${id}/log.ndjson`);
  const lines = log.body.trim().split("\n").map((text: string) => JSON.parse(text));
  assert.deepEqual(lines.map((line: { n: number; text: string }) => [line.n, line.text]), [
    [1, "one"],
    [2, "two"],
    [3, "three"],
  ]);
  assert.equal((await job(test, id)).status, "failed");
  const days = await test.server.db.selectFrom("backup_days").selectAll().execute();
  assert.deepEqual(days.map(({ succeeded, failed }) => [succeeded, failed]), [[0, 1]]);
  await agent.close();
});

Deno.test("a line with NUL, escape codes and half a surrogate is kept whole, and shown with marks", async () => {
  await using test = await startServer();
  const { agent, hostId } = await readyHost(test);
  const id = await runBackup(test, hostId);
  agent.started(id);
  agent.lines(id, 1, ["a\0b\u001b[31mc\ud800d", "<script>"]);
  await agent.acknowledged(agent.finished(id));
  const text = (await test.api("victor", "GET", `/api/jobs/${id}/log.txt`)).body;
  assert.match(text, /a␀b␛\[31mc\ufffd+d/);
  const [line] = (await test.api("victor", "GET", `/api/jobs/${id}/log.ndjson`)).body.split("\n");
  assert.ok(JSON.parse(line).text.startsWith("a␀b\u001b[31mc"));
  await agent.close();
});

Deno.test("fractional and huge numbers and NULs in what an agent says are stored as whole, and block nothing", async () => {
  await using test = await startServer();
  const { agent, hostId, repositoryId } = await readyHost(test);
  const id = await runBackup(test, hostId);
  agent.started(id);
  agent.report({
    type: "repo.stats",
    job_id: id,
    repository_id: repositoryId,
    stats: { total_size: 1e300, total_file_count: 1.5, snapshots_count: 2.5, restore_size: 0.4 },
  });
  agent.report({
    type: "snapshots.report",
    repository_id: repositoryId,
    report_id: newId(),
    taken_at: Date.now(),
    part: 1,
    parts: 1,
    snapshots: [{
      id: "a".repeat(64),
      time: 5,
      tags: ["a\0b"],
      paths: ["/x\0y"],
      hostname: "h\0",
      username: null,
      parent: null,
      files: 1.5,
      bytes: 1e300,
      bytes_added: 0.1,
    }],
  });
  await agent.acknowledged(agent.finished(id, { status: "failed", reason: "a\0 reason" }));
  assert.equal((await job(test, id)).reason, "a␀ reason");
  const [snapshot] = (await test.api("victor", "GET", `/api/hosts/${hostId}/snapshots`)).body.items;
  assert.deepEqual([snapshot.files, snapshot.bytes, snapshot.paths], [2, Number.MAX_SAFE_INTEGER, [
    "/x␀y",
  ]]);
  await agent.close();
});

Deno.test("progress is shown while the job runs and belongs to its own host's job only", async () => {
  await using test = await startServer();
  const { agent, hostId } = await readyHost(test);
  const id = await runBackup(test, hostId);
  agent.started(id);
  agent.send({
    type: "job.progress",
    job_id: id,
    progress: {
      percent: 62,
      files_done: 1,
      files_total: 2,
      bytes_done: 3,
      bytes_total: 4,
      bytes_per_second: 5,
      seconds_elapsed: 6,
      seconds_remaining: 7,
      current_path: "/<script>",
    },
  });
  await eventually("progress", async () => (await job(test, id)).progress?.percent === 62);
  const host = (await test.api("victor", "GET", `/api/hosts/${hostId}`)).body;
  assert.deepEqual([host.state, host.running[0].percent], ["run", 62]);
  await agent.acknowledged(agent.finished(id));
  assert.equal((await job(test, id)).progress, null);
  await agent.close();
});
