import assert from "node:assert/strict";
import { join } from "node:path";
import { Ledger } from "../../../agent/jobs/ledger.ts";
import { createLog } from "../../../agent/log.ts";
import type { CommandRun } from "../../../shared/protocol.ts";
import { REPOSITORY_ID } from "../../support/fake_server.ts";
import { jobId, testFolder } from "../../support/start_agent.ts";

const silent = createLog("error", () => {});
const orderOf = (job_id: string): CommandRun => ({
  type: "command.run",
  job_id,
  kind: "stats",
  repository_id: REPOSITORY_ID,
});

Deno.test("a job that was accepted is known after a restart until 2,000 others came", () => {
  using folder = testFolder();
  const first = jobId();
  const ledger = new Ledger(folder.path, silent);
  ledger.accept(orderOf(first));
  ledger.begin(first);
  assert.deepEqual(new Ledger(folder.path, silent).unfinished.map(({ state }) => state), [
    "running",
  ]);
  ledger.finish(first);
  assert.ok(new Ledger(folder.path, silent).isKnown(first));
  for (let i = 0; i < 2000; i++) ledger.accept(orderOf(jobId()));
  assert.ok(!new Ledger(folder.path, silent).isKnown(first));
});

Deno.test("a lock that may be left is remembered until it is removed", () => {
  using folder = testFolder();
  new Ledger(folder.path, silent).noteLock(REPOSITORY_ID);
  const next = new Ledger(folder.path, silent);
  assert.ok(next.mayHoldLock(REPOSITORY_ID));
  next.forgetLock(REPOSITORY_ID);
  assert.ok(!new Ledger(folder.path, silent).mayHoldLock(REPOSITORY_ID));
});

Deno.test("a ledger that is not one is refused by name and left as it is", () => {
  for (const content of ["", "{", "[]", '{"jobs":[],"known":[5],"locks":[]}']) {
    using folder = testFolder();
    const path = join(folder.path, "jobs.json");
    Deno.writeTextFileSync(path, content);
    assert.throws(() => new Ledger(folder.path, silent), { name: "CorruptFile", path });
    assert.equal(Deno.readTextFileSync(path), content);
  }
});
