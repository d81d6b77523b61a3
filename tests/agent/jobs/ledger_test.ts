import assert from "node:assert/strict";
import { join } from "node:path";
import { Ledger } from "../../../agent/jobs/ledger.ts";
import { StateFolder } from "../../../agent/state/folder.ts";
import { createLog } from "../../../shared/log.ts";
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
  const ledger = new Ledger(new StateFolder(folder.path, silent));
  ledger.accept(orderOf(first));
  ledger.begin(first);
  assert.deepEqual(
    new Ledger(new StateFolder(folder.path, silent)).unfinished.map(({ state }) => state),
    [
      "running",
    ],
  );
  ledger.finish(first);
  assert.ok(new Ledger(new StateFolder(folder.path, silent)).isKnown(first));
  for (let i = 0; i < 2000; i++) ledger.accept(orderOf(jobId()));
  assert.ok(!new Ledger(new StateFolder(folder.path, silent)).isKnown(first));
});

Deno.test("a lock that may be left is remembered until it is removed", () => {
  using folder = testFolder();
  new Ledger(new StateFolder(folder.path, silent)).noteLock(REPOSITORY_ID);
  const next = new Ledger(new StateFolder(folder.path, silent));
  assert.ok(next.mayHoldLock(REPOSITORY_ID));
  next.forgetLock(REPOSITORY_ID);
  assert.ok(!new Ledger(new StateFolder(folder.path, silent)).mayHoldLock(REPOSITORY_ID));
});

for (const content of ["", "{", "[]", '{"jobs":[],"known":[5],"locks":[]}', "\0\0\0\0"]) {
  Deno.test(`a ledger that is ${JSON.stringify(content)} is put aside as it was, and the next one knows of the loss`, () => {
    using folder = testFolder();
    const path = join(folder.path, "jobs.json");
    Deno.writeTextFileSync(path, content);
    Deno.writeTextFileSync(`${path}.bad-1`, "an older one");
    const lost: (string | null)[] = [];
    const options = {
      bootId: "boot-1",
      onLost: (_: string, aside: string | null) => lost.push(aside),
    };
    const ledger = new Ledger(new StateFolder(folder.path, silent), options);
    assert.deepEqual(lost, [`${path}.bad-2`]);
    assert.equal(Deno.readTextFileSync(`${path}.bad-1`), "an older one");
    assert.equal(Deno.readTextFileSync(`${path}.bad-2`), content);
    assert.ok(ledger.isLost);
    // Any repository may hold a lock of what ran then, until one was cleared.
    assert.ok(ledger.mayHoldLock(REPOSITORY_ID));
    ledger.forgetLock(REPOSITORY_ID);
    const again = new Ledger(new StateFolder(folder.path, silent), options);
    assert.equal(lost.length, 1);
    assert.ok(again.isLost);
    assert.ok(!again.mayHoldLock(REPOSITORY_ID));
    again.noteLock(REPOSITORY_ID);
    assert.ok(again.mayHoldLock(REPOSITORY_ID));
    // Nothing that ran before runs in another boot.
    const later = new Ledger(new StateFolder(folder.path, silent), { bootId: "boot-2" });
    assert.ok(!later.isLost);
  });
}

Deno.test("a ledger that is gone where an agent has worked is lost; a first start's is not", () => {
  using folder = testFolder();
  const first = new Ledger(new StateFolder(folder.path, silent), { bootId: "boot-1" });
  assert.ok(!first.isLost);
  const options = { bootId: "boot-1", mustBeThere: true };
  assert.ok(!new Ledger(new StateFolder(folder.path, silent), options).isLost);
  Deno.removeSync(join(folder.path, "jobs.json"));
  assert.ok(new Ledger(new StateFolder(folder.path, silent), options).isLost);
});
