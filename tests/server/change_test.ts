import assert from "node:assert/strict";
import { change } from "../../server/change.ts";
import type { Event } from "../../server/events.ts";
import { FakeAgent, joinHost } from "../support/fake_agent.ts";
import { startServer } from "../support/start_server.ts";

const ACT = { action: "host.tried", target: { kind: "host", id: "h", name: "alpha" } };

Deno.test("a change is stored with its entry, and the plan is sent once, after the commit", async () => {
  await using test = await startServer();
  const { server } = test;
  const { hostId, bearer } = await joinHost(test, "alpha");
  const agent = await FakeAgent.connect(test.url, bearer, {});
  const { plan_version: before } = await agent.next("plan.set");
  const told: Event[] = [];
  server.events.subscribe(`host:${hostId}`, (event) => told.push(event));
  const done = await change(server, test.actor("alice"), async ({ tx, audit, planChanged }) => {
    await tx.updateTable("hosts").set({ name: "beta" }).where("id", "=", hostId).execute();
    await planChanged(hostId);
    await planChanged(hostId);
    await audit(ACT);
    assert.deepEqual(told, []);
    return "done";
  });
  assert.equal(done, "done");
  assert.deepEqual(told, [{ type: "host", hostId }]);
  const { plan_version } = await agent.next(
    "plan.set",
    (plan) => plan.plan_version !== before,
  );
  assert.equal(plan_version, before + 2);
  const { items } = (await test.api("alice", "GET", "/api/audit?action=host.tried")).body;
  assert.deepEqual(items.map(({ actor }: { actor: { name: string } }) => actor.name), ["alice"]);
  await agent.close();
});

for (const where of ["in the act", "in its entry"]) {
  Deno.test(`what throws ${where} stores nothing and sends nothing`, async () => {
    await using test = await startServer();
    const { server } = test;
    const { hostId } = await joinHost(test, "alpha");
    const told: Event[] = [];
    server.events.subscribe(`host:${hostId}`, (event) => told.push(event));
    const version = async () =>
      (await server.db.selectFrom("hosts").select("plan_version").where("id", "=", hostId)
        .executeTakeFirstOrThrow()).plan_version;
    const before = await version();
    const trying = change(server, test.actor("alice"), async ({ audit, planShrank }) => {
      await planShrank(hostId);
      await audit(where === "in the act" ? ACT : { ...ACT, action: null as unknown as string });
      if (where === "in the act") throw new Error("no");
    });
    await assert.rejects(trying);
    assert.equal(await version(), before);
    assert.deepEqual(told, []);
    const { items } = (await test.api("alice", "GET", "/api/audit?action=host.tried")).body;
    assert.deepEqual(items, []);
  });
}
