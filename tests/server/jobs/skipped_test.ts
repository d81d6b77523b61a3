import assert from "node:assert/strict";
import { FakeAgent, joinHost } from "../../support/fake_agent.ts";
import { PASSWORD, startServer } from "../../support/start_server.ts";

const HOUR = 3_600_000;

Deno.test("a backup that its pre hook skipped is no backup: the last one stays, the host grows stale, and the page says why", async () => {
  await using test = await startServer();
  const { hostId, bearer } = await joinHost(test, "alpha");
  const agent = await FakeAgent.connect(test.url, bearer);
  const init = await agent.next("command.run");
  await agent.acknowledged(agent.finished(init.job_id, { created: true }));
  const run = async (end: Record<string, unknown>) => {
    const path = `/api/hosts/${hostId}/jobs`;
    const { body } = await test.api("olive", "POST", path, { kind: "backup" });
    agent.started(body.job_id);
    const at = Date.now() + test.clock.passed;
    await agent.acknowledged(agent.finished(body.job_id, { at, ...end }));
    return body.job_id as string;
  };
  const good = await run({});
  const host = async () => (await test.api("victor", "GET", `/api/hosts/${hostId}`)).body;
  const before = await host();
  assert.equal(before.state, "ok");

  const skip = {
    status: "skipped",
    exit_code: 75,
    reason: "NAS <b>sleeps</b> & more",
    reason_code: "pre_hook_skipped",
  };
  const skipped = await run(skip);
  const after = await host();
  assert.equal(after.last_backup.job_id, good);
  assert.deepEqual(after.last_backup, before.last_backup);
  assert.deepEqual(after.backup_days, before.backup_days);
  const days = await test.server.db.selectFrom("backup_days").selectAll().execute();
  assert.deepEqual(days.map(({ succeeded, warned, failed }) => [succeeded, warned, failed]), [
    [1, 0, 0],
  ]);
  test.clock.passUntil(27 * HOUR);
  const later = await run(skip);
  assert.equal((await test.api("victor", "GET", `/api/jobs/${later}`)).body.status, "skipped");
  const stale = await host();
  assert.ok(stale.problems.includes("no backup for 27 h"), stale.problems.join());
  assert.equal(stale.last_backup.job_id, good);
  const groups = await test.api("olive", "GET", `/api/hosts/${hostId}/source-groups`);
  assert.equal(groups.body.items[0].last_run.status, "skipped");

  const login = await fetch(`${test.url}/login`, {
    method: "POST",
    headers: { Origin: test.url },
    body: new URLSearchParams({ username: "olive", password: PASSWORD }),
    redirect: "manual",
  });
  await login.body?.cancel();
  const Cookie = login.headers.getSetCookie().map((cookie) => cookie.split(";")[0]).join("; ");
  const page = await fetch(`${test.url}/jobs/${skipped}`, {
    headers: { Cookie, Accept: "text/html" },
  });
  const html = await page.text();
  assert.match(html, /NAS &lt;b&gt;sleeps&lt;\/b&gt; &amp; more/);
  assert.match(html, /The pre_hook asked to skip it \(exit 75\)\. It counts as no backup/);
  await agent.close();
});
