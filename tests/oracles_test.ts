// Each of the seven oracles finds what it is there for.
import assert from "node:assert/strict";
import { FakeAgent, joinHost } from "./support/fake_agent.ts";
import { SNAPSHOT_ID } from "./support/fake_restic.ts";
import { type Evidence, fakeRepository, sevenOracles } from "./support/oracles.ts";
import { startServer } from "./support/start_server.ts";

async function faultsOf(evidence: Evidence): Promise<string[]> {
  try {
    await sevenOracles(evidence, () => {});
    return [];
  } catch (error) {
    return (error as { actual: string[] }).actual;
  }
}

Deno.test("each oracle names what is wrong, and none finds anything where all is well", async () => {
  await using test = await startServer();
  const host = await joinHost(test, "alpha");
  const agent = await FakeAgent.connect(test.url, host.bearer);
  const init = await agent.next("command.run");
  const { dataDir } = test;
  assert.match(
    (await faultsOf({ dataDir })).join(),
    /^\(i\) the init .* is still (queued|running)$/,
  );
  await agent.acknowledged(agent.finished(init.job_id, { created: true }));
  const path = `/api/hosts/${host.hostId}/jobs`;
  const { job_id } = (await test.api("alice", "POST", path, { kind: "backup" })).body;
  const summary = {
    snapshot_id: SNAPSHOT_ID,
    files_new: 1,
    files_changed: 0,
    files_unmodified: 0,
    bytes_added: 1,
    bytes_processed: 1,
    seconds: 1,
  };
  agent.started(job_id);
  agent.lines(job_id, 1, ["one", "two", "three"]);
  await agent.acknowledged(agent.finished(job_id, { summary }));
  const url = "/srv/restic/alpha";
  const begun = [{ verb: "backup", jobId: job_id }];
  const good: Evidence = {
    dataDir,
    repositories: [fakeRepository(url, [SNAPSHOT_ID])],
    counters: [{ begun: [...begun, { verb: "snapshots", jobId: job_id }, ...begun.slice(1)] }],
    canaries: { secrets: { one: "canary" }, places: { page: "nothing" } },
    memory: [{ name: "server", before: 100, after: 119 }],
  };
  assert.deepEqual(await faultsOf(good), []);
  const bad: [Partial<Evidence>, RegExp][] = [
    [{ repositories: [fakeRepository(url, [])] }, /^\(ii\) .*is not listed$/],
    [{ counters: [{ begun: [...begun, ...begun] }] }, /^\(iii\) the backup .*started again$/],
    [
      { canaries: { ...good.canaries!, places: { page: btoa("canary") } } },
      /^\(v\) one is in page$/,
    ],
    [{ memory: [{ name: "server", before: 100, after: 121 }] }, /^\(vi\) server has 121 MiB/],
  ];
  for (const [evidence, words] of bad) {
    assert.match((await faultsOf({ ...good, ...evidence })).join(), words);
  }
  const locked = [...begun, { verb: "unlock", jobId: job_id }, ...begun];
  assert.deepEqual(await faultsOf({ ...good, counters: [{ begun: locked }] }), []);
  test.server.database.sqlite.exec("delete from job_lines where line = 2");
  assert.match((await faultsOf(good)).join(), /^\(iv\) .*2 lines numbered 1 to 3$/);
  test.server.database.sqlite.exec("delete from job_lines");
  test.server.database.sqlite.exec("pragma foreign_keys = off; delete from repositories");
  assert.match((await faultsOf({ dataDir })).join(), /\(vii\) a row of .* points at nothing/);
  await agent.close();
});
