// What a soak has found: ends that are not told, and a success that was none.
import assert from "node:assert/strict";
import { join } from "node:path";
import { Journal } from "../../agent/journal/journal.ts";
import { createLog } from "../../shared/log.ts";
import { eventually } from "../support/eventually.ts";
import { FakeRestic, LISTED, SUMMARY } from "../support/fake_restic.ts";
import { FakeServer, REPOSITORY_ID } from "../support/fake_server.ts";
import { access, jobId, order, startAgent, testFolder } from "../support/start_agent.ts";
import { fault } from "../support/trial.ts";

for (const how of ["cancelled", "stopped"] as const) {
  fault({
    id: "F12",
    promise: "a backup that was stopped before it began is no success",
    done:
      `a lock may be left, so locks are looked at first; the job is ${how} in the middle of that`,
    expected: "no backup was started, and the job is not succeeded",
  }, async (see) => {
    using folder = testFolder();
    const restic = new FakeRestic(folder.path, {
      verbs: {
        unlock: "echo removed",
        list: `touch '${folder.path}/looks'; sleep 60`,
        backup: SUMMARY,
        snapshots: LISTED,
      },
    });
    await using server = new FakeServer({
      config: { repository: access(join(folder.path, "repository")) },
    });
    const { agent } = await startAgent(server, { directory: folder.path, restic: restic.path });
    agent.ledger.noteLock(REPOSITORY_ID);
    const job_id = jobId();
    server.run({ job_id, source_group: order(["/etc"]) });
    await eventually(
      "it looks at the locks",
      () => Deno.statSync(join(folder.path, "looks")) !== null,
    );
    if (how === "cancelled") server.send({ type: "command.cancel", job_id });
    else await agent.stop();
    const end = await server.finished(job_id);
    see(
      `${end.status}: ${end.reason}; backups started: ${
        restic.starts.filter(({ args }) => args.startsWith("backup")).length
      }`,
    );
    assert.equal(end.status, how === "cancelled" ? "cancelled" : "interrupted");
    assert.equal(restic.starts.some(({ args }) => args.startsWith("backup")), false);
    if (how === "cancelled") await agent.stop();
  });
}

fault({
  id: "F11, F17",
  promise: "a job of which only the start was kept has an end too",
  done:
    "a job begins, its start stands in the journal, and what the ledger knew of it did not reach the disk when the agent was killed; the agent starts again",
  expected: "the job is told as interrupted, once",
}, async (see) => {
  using folder = testFolder();
  const restic = new FakeRestic(folder.path, { verbs: { backup: "sleep 60", snapshots: LISTED } });
  const job_id = jobId();
  {
    await using server = new FakeServer({
      config: { repository: access(join(folder.path, "repository")) },
    });
    const { agent } = await startAgent(server, { directory: folder.path, restic: restic.path });
    await agent.stop();
    // As the disk took it: the start, and no list of jobs that names it.
    const journal = Journal.open(join(folder.path, "state"), { log: createLog("error", () => {}) });
    journal.append({
      type: "job.started",
      job_id,
      at: Date.now(),
      restic_version: "0.18.0",
      bandwidth_up_kib_per_s: null,
      bandwidth_down_kib_per_s: null,
    });
    journal.close();
  }
  await using server = new FakeServer({
    config: { repository: access(join(folder.path, "repository")) },
  });
  const { agent } = await startAgent(server, { directory: folder.path, restic: restic.path });
  const end = await server.finished(job_id);
  await agent.stop();
  const ends = new Set(
    server.of("job.finished").filter((each) => each.job_id === job_id).map(({ seq }) => seq),
  );
  see(`${end.status}: ${end.reason}; told ${ends.size} time`);
  assert.deepEqual([end.status, ends.size], ["interrupted", 1]);
});
