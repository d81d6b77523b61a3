import assert from "node:assert/strict";
import { newId } from "../../../shared/new_id.ts";
import { FakeAgent, joinHost } from "../../support/fake_agent.ts";
import { startServer } from "../../support/start_server.ts";

Deno.test("a group is made, read, replaced and removed, and the agent hears of the new plan", async () => {
  await using test = await startServer();
  const host = await joinHost(test, "alpha");
  const agent = await FakeAgent.connect(test.url, host.bearer);
  const path = `/api/hosts/${host.hostId}/source-groups`;
  const made = await test.api("alice", "POST", path, {
    name: "home",
    includes: ["/home", "C:\\Users\\Ünï cödé"],
    excludes: ["*.tmp", "-n"],
    retention: { keep_last: 7 },
  });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  await agent.next("plan.set", (message) => message.plan_version === 2);
  const read = await test.api("olive", "GET", `${path}/${made.body.id}`);
  assert.deepEqual(read.body.retention, { keep_last: 7 });
  assert.deepEqual([read.body.retry_max, read.body.retry_backoff_seconds, read.body.last_run], [
    0,
    300,
    null,
  ]);
  const replaced = await test.api("olive", "PUT", `${path}/${made.body.id}`, {
    name: "homes",
    includes: ["/home"],
  });
  assert.deepEqual([replaced.body.name, replaced.body.retention], ["homes", {}]);
  assert.equal((await test.api("olive", "DELETE", `${path}/${made.body.id}`)).status, 204);
  assert.equal((await test.api("olive", "GET", `${path}/${made.body.id}`)).status, 404);
  await agent.close();
});

Deno.test("a volume shadow copy can be had on Windows hosts only, and reaches their agent", async () => {
  await using test = await startServer();
  const host = await joinHost(test, "alpha");
  const path = `/api/hosts/${host.hostId}/source-groups`;
  const input = { name: "home", includes: ["C:\\Users"], use_fs_snapshot: true };
  const refused = await test.api("olive", "POST", path, input);
  assert.equal(refused.status, 422);
  assert.equal(refused.body.error.field, "use_fs_snapshot");
  assert.match(refused.body.error.message, /only Windows hosts/);
  await test.server.db.updateTable("hosts").set({ os: "windows" }).where("id", "=", host.hostId)
    .execute();
  const made = await test.api("alice", "POST", path, input);
  assert.equal(made.status, 201, JSON.stringify(made.body));
  assert.equal(made.body.use_fs_snapshot, true);
  const agent = await FakeAgent.connect(test.url, host.bearer);
  const plan = await agent.next("plan.set", (message) => message.source_groups.length > 0);
  assert.equal(plan.source_groups.find(({ name }) => name === "home")?.use_fs_snapshot, true);
  const replaced = await test.api("olive", "PUT", `${path}/${made.body.id}`, {
    ...input,
    use_fs_snapshot: undefined,
  });
  assert.equal(replaced.body.use_fs_snapshot, false);
  await agent.close();
});

Deno.test("a group of another host cannot be read, changed or removed through this one", async () => {
  await using test = await startServer();
  const alpha = await joinHost(test, "alpha");
  const beta = await joinHost(test, "beta");
  const groups = await test.api("olive", "GET", `/api/hosts/${beta.hostId}/source-groups`);
  const path = `/api/hosts/${alpha.hostId}/source-groups/${groups.body.items[0].id}`;
  assert.equal((await test.api("olive", "GET", path)).status, 404);
  assert.equal((await test.api("olive", "PUT", path, { name: "x", includes: ["/x"] })).status, 404);
  assert.equal((await test.api("olive", "DELETE", path)).status, 404);
  assert.equal((await test.api("olive", "GET", `/api/hosts/${newId()}/source-groups`)).status, 404);
});

Deno.test("bad groups are refused by the field's name", async () => {
  await using test = await startServer();
  const host = await joinHost(test, "alpha");
  const path = `/api/hosts/${host.hostId}/source-groups`;
  const good = { name: "home", includes: ["/home"] };
  const cases: [Record<string, unknown>, string][] = [
    [{ ...good, name: "default" }, "name"],
    [{ ...good, name: "a,b" }, "name"],
    [{ ...good, name: "--tag" }, "name"],
    [{ ...good, includes: ["relative"] }, "includes.0"],
    [{ ...good, includes: ["/a\nb"] }, "includes.0"],
    [{ ...good, includes: "/home" }, "includes"],
    [{ ...good, excludes: [""] }, "excludes.0"],
    [{ ...good, retention: { keep_last: 0 } }, "retention.keep_last"],
    [{ ...good, retention: { keep_tag: "x" } }, "retention.keep_tag"],
    [{ ...good, retry_max: 11 }, "retry_max"],
    [{ ...good, retry_backoff_seconds: 1 }, "retry_backoff_seconds"],
  ];
  for (const [body, field] of cases) {
    const answer = await test.api("olive", "POST", path, body);
    assert.equal(answer.body.error?.field, field, JSON.stringify(answer.body));
    assert.ok([409, 422].includes(answer.status));
  }
});
