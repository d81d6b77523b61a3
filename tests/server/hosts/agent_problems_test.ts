import assert from "node:assert/strict";
import type { AgentProblem } from "../../../shared/protocol.ts";
import { eventually } from "../../support/eventually.ts";
import { FakeAgent, joinHost } from "../../support/fake_agent.ts";
import { startServer } from "../../support/start_server.ts";

const DAMAGED: AgentProblem = {
  kind: "state_damaged",
  text: 'jobs.json is empty; a post_hook of "db" may not have run <b>',
  since: 1_700_000_000_000,
};
const FULL: AgentProblem = { kind: "state_not_writable", text: "the disk is full", since: 5 };

async function setUp() {
  await using stack = new AsyncDisposableStack();
  const test = stack.use(await startServer());
  const host = await joinHost(test, "web-1", {
    name: "web",
    url: "/srv/restic/web",
    password: "a long password",
    is_new: true,
  }, ["/etc"]);
  const read = async () => (await test.api("victor", "GET", `/api/hosts/${host.hostId}`)).body;
  const page = async () =>
    (await test.api("olive", "GET", `/hosts/${host.hostId}`)).body as unknown as string;
  const dismiss = (who: "olive" | "victor") =>
    test.api(who, "POST", `/api/hosts/${host.hostId}/problems/dismiss`);
  return Object.assign(stack.move(), { test, host, read, page, dismiss });
}

Deno.test("what an agent reports of itself is amber on its host's page until a person has seen it, over reconnects and restarts", async () => {
  await using all = await setUp();
  const agent = await FakeAgent.connect(all.test.url, all.host.bearer, {
    problems: [DAMAGED],
  });
  const shown = await all.read();
  assert.deepEqual(shown.agent_problems.map(({ text }: AgentProblem) => text), [DAMAGED.text]);
  assert.match(shown.problems.join("; "), /its agent reports: jobs\.json is empty/);
  assert.match(String(await all.page()), /post_hook of &quot;db&quot; may not have run &lt;b&gt;/);

  agent.send({ type: "problems", problems: [FULL, DAMAGED] });
  await eventually("both", async () => (await all.read()).agent_problems.length === 2);
  // Of what is reported again nothing is new, and only an operator may dismiss.
  assert.equal((await all.dismiss("victor")).status, 403);
  assert.equal((await all.dismiss("olive")).status, 200);
  assert.deepEqual((await all.read()).agent_problems.map(({ kind }: AgentProblem) => kind), [
    "state_not_writable",
  ]);
  assert.equal((await all.dismiss("olive")).status, 409);

  const again = await FakeAgent.connect(all.test.url, all.host.bearer, { problems: [DAMAGED] });
  assert.deepEqual((await all.read()).agent_problems, []);
  const newer = { ...DAMAGED, since: DAMAGED.since + 1 };
  again.send({ type: "problems", problems: [DAMAGED, newer] });
  await eventually("the new one", async () => (await all.read()).agent_problems.length === 1);
  again.send({ type: "problems", problems: [] });
  await eventually("none", async () => (await all.read()).agent_problems.length === 0);
});

Deno.test("an agent that reports more than is taken is refused, and one that says nothing has no problems", async () => {
  await using all = await setUp();
  const agent = await FakeAgent.connect(all.test.url, all.host.bearer, { problems: [DAMAGED] });
  agent.send({ type: "problems", problems: Array.from({ length: 21 }, () => DAMAGED) });
  await eventually("it is closed", () => agent.closed);
  assert.equal((await all.read()).agent_problems.length, 1);
  await FakeAgent.connect(all.test.url, all.host.bearer);
  assert.deepEqual((await all.read()).agent_problems, []);
});
