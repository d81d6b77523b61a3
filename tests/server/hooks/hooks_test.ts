import assert from "node:assert/strict";
import { HOOK_NAMES } from "../../../shared/hooks.ts";
import { FRAME_LIMIT } from "../../../shared/protocol.ts";
import { FakeAgent, joinHost } from "../../support/fake_agent.ts";
import { startServer, type TestServer } from "../../support/start_server.ts";
import { configFor } from "../../../server/plan/push.ts";

const BODY = "pg_dump --password=of-the-database > /var/dump";

async function setUp() {
  const test = await startServer();
  const host = await joinHost(test, "alpha");
  const groups = `/api/hosts/${host.hostId}/source-groups`;
  const [group] = (await test.api("olive", "GET", groups)).body.items;
  const path = `${groups}/${group.id}`;
  const put = (person: "alice" | "olive", hooks: Record<string, unknown>) =>
    test.api(person, "PUT", path, { name: "default", includes: ["/etc"], ...hooks });
  const defaults = `/api/hosts/${host.hostId}/hooks`;
  return { test, host, group, path, put, defaults };
}

const auditOf = async (test: TestServer, action: string) =>
  (await test.api("alice", "GET", `/api/audit?action=${action}`)).body.items;

Deno.test("a group's hooks are stored sealed, come back as they were typed, and blank clears them", async () => {
  const { test, host, put, path, group } = await setUp();
  await using _ = test;
  const typed = `set -e\r\n\techo "ünï'cödé" \\\n${BODY}\n`;
  const set = await put("alice", { pre_hook: typed, hook_timeout_seconds: 90 });
  assert.equal(set.status, 200, JSON.stringify(set.body));
  const read = await test.api("alice", "GET", path);
  assert.equal(read.body.pre_hook, typed.replaceAll("\r\n", "\n"));
  assert.deepEqual([read.body.post_hook, read.body.hook_timeout_seconds], [null, 90]);
  const row = await test.server.db.selectFrom("source_groups").selectAll()
    .where("id", "=", group.id).executeTakeFirstOrThrow();
  assert.ok(!new TextDecoder().decode(row.pre_hook_sealed!).includes("pg_dump"));
  for (const [hook, index] of [["", 1], [null, 2], ["  \n", 3]] as const) {
    await put("alice", { pre_hook: BODY });
    assert.equal((await put("alice", { pre_hook: hook })).body.pre_hook, null, `${index}`);
  }
  const audit = await auditOf(test, "source_group.hook_updated");
  assert.deepEqual(audit.at(-1).detail, {
    host_id: host.hostId,
    pre_hook: "set",
    hook_timeout_seconds: 90,
  });
  assert.equal(audit[0].detail.pre_hook, "cleared");
  const everything = await test.api("alice", "GET", "/api/audit.csv");
  assert.doesNotMatch(everything.body, /pg_dump|of-the-database/);
});

Deno.test("ciphertexts that change places do not open, and the plan says so instead of leaving the hook out", async () => {
  const { test, host, put, path, defaults, group } = await setUp();
  await using _ = test;
  await put("alice", { pre_hook: "echo pre", post_hook: "echo post" });
  await test.server.db.updateTable("source_groups").set((column) => ({
    pre_hook_sealed: column.ref("post_hook_sealed"),
    post_hook_sealed: null,
  })).where("id", "=", group.id).execute();
  const read = await test.api("alice", "GET", path);
  assert.deepEqual([read.body.pre_hook, read.body.cannot_decrypt_hooks], [null, ["pre_hook"]]);
  // A form sends blank what it could not show: only null clears what does not open.
  assert.deepEqual((await put("alice", { pre_hook: "" })).body.cannot_decrypt_hooks, ["pre_hook"]);
  const agent = await FakeAgent.connect(test.url, host.bearer);
  const plan = await agent.next("plan.set");
  assert.deepEqual(plan.source_groups[0]?.hooks, {
    timeout_seconds: 3600,
    cannot_decrypt: "pre_hook",
  });
  await test.api("olive", "POST", `/api/hosts/${host.hostId}/jobs`, { kind: "backup" });
  const order = await agent.next("command.run", (message) => message.kind === "backup");
  assert.equal(order.source_group?.hooks?.cannot_decrypt, "pre_hook");
  assert.deepEqual((await put("alice", { pre_hook: null })).body.cannot_decrypt_hooks, []);
  await put("alice", { pre_hook: "echo pre", post_hook: "echo post" });
  await test.server.db.updateTable("source_groups").set((column) => ({
    pre_hook_sealed: column.ref("post_hook_sealed"),
    post_hook_sealed: column.ref("pre_hook_sealed"),
  })).where("id", "=", group.id).execute();
  for (const hook of HOOK_NAMES) {
    const input = { hook, source_group_id: group.id };
    assert.equal((await test.api("alice", "POST", `${defaults}/try`, input)).status, 202);
    const tried = await agent.next("command.run", (message) => message.hook?.name === hook);
    assert.deepEqual(tried.hook?.hooks, { timeout_seconds: 3600, cannot_decrypt: hook });
  }
  await agent.close();
});

Deno.test("a group's hook stands above the host's default, each by itself, in the plan and in the order", async () => {
  const { test, host, put, defaults } = await setUp();
  await using _ = test;
  const agent = await FakeAgent.connect(test.url, host.bearer);
  const set = await test.api("alice", "PUT", defaults, {
    pre_hook_default: "echo host pre",
    post_hook_default: "echo host post",
  });
  assert.equal(set.status, 200, JSON.stringify(set.body));
  await put("alice", { post_hook: "echo group post", hook_timeout_seconds: 7 });
  const expected = {
    timeout_seconds: 7,
    pre_hook: "echo host pre",
    post_hook: "echo group post",
    stop_at_error: ["pre_hook", "post_hook"],
  };
  const plan = await agent.next(
    "plan.set",
    (message) => message.source_groups[0]?.hooks?.timeout_seconds === 7,
  );
  assert.deepEqual(plan.source_groups[0]?.hooks, expected);
  await test.api("olive", "POST", `/api/hosts/${host.hostId}/jobs`, { kind: "backup" });
  const order = await agent.next("command.run", (message) => message.kind === "backup");
  assert.deepEqual(order.source_group?.hooks, expected);
  const kept = await test.api("alice", "PUT", defaults, { pre_hook_default: null });
  assert.deepEqual([kept.body.pre_hook_default, kept.body.post_hook_default], [
    null,
    "echo host post",
  ]);
  const [first] = (await auditOf(test, "host.default_hook_updated")).reverse();
  assert.deepEqual(first.detail, { pre_hook_default: "set", post_hook_default: "set" });
  await agent.close();
});

Deno.test("operators see hooks and keep them; only admins change them; viewers see nothing", async () => {
  const { test, put, path, defaults } = await setUp();
  await using _ = test;
  await put("alice", { pre_hook: BODY, hook_timeout_seconds: 60 });
  assert.equal((await test.api("olive", "GET", path)).body.pre_hook, BODY);
  const untouched = await put("olive", { excludes: ["*.tmp"] });
  assert.deepEqual([untouched.status, untouched.body.pre_hook], [200, BODY]);
  assert.equal((await put("olive", { pre_hook: BODY, hook_timeout_seconds: 60 })).status, 200);
  for (
    const change of [{ pre_hook: "id" }, { pre_hook: null }, { post_hook: "id" }, {
      hook_timeout_seconds: 61,
    }]
  ) {
    const refused = await put("olive", change);
    assert.deepEqual([refused.status, refused.body.error.code, refused.body.error.field], [
      403,
      "forbidden",
      Object.keys(change)[0],
    ]);
  }
  const group = { name: "new", includes: ["/"], pre_hook: "id" };
  assert.equal((await test.api("olive", "POST", path.replace(/\/[^/]+$/, ""), group)).status, 403);
  assert.equal((await test.api("olive", "GET", defaults)).status, 200);
  for (const person of ["olive", "victor"] as const) {
    const body = { pre_hook_default: "id" };
    assert.equal((await test.api(person, "PUT", defaults, body)).status, 403);
    const attempt = { hook: "pre_hook" };
    assert.equal((await test.api(person, "POST", `${defaults}/try`, attempt)).status, 403);
  }
  assert.equal((await test.api("victor", "GET", path)).status, 403);
  assert.equal((await test.api("victor", "GET", defaults)).status, 403);
  assert.equal((await test.api("alice", "GET", path)).body.pre_hook, BODY);
});

Deno.test("what is no hook is refused by name and changes nothing", async () => {
  const { test, put, path } = await setUp();
  await using _ = test;
  await put("alice", { pre_hook: BODY });
  for (
    const wrong of [
      { pre_hook: "x".repeat(32_769) },
      { pre_hook: "echo \0" },
      { post_hook: "\x1b[2J" },
      { post_hook: 5 },
      { hook_timeout_seconds: 0 },
      { hook_timeout_seconds: 86_401 },
    ]
  ) {
    const refused = await put("alice", { pre_hook: null, ...wrong });
    assert.deepEqual([refused.status, refused.body.error.field], [422, Object.keys(wrong)[0]]);
  }
  assert.equal((await test.api("alice", "GET", path)).body.pre_hook, BODY);
});

Deno.test("a hook is tried as a job of its own, which counts as no backup", async () => {
  const { test, host, group, put, defaults } = await setUp();
  await using _ = test;
  const agent = await FakeAgent.connect(test.url, host.bearer);
  const none = await test.api("alice", "POST", `${defaults}/try`, { hook: "pre_hook" });
  assert.deepEqual([none.status, none.body.error.field], [409, "hook"]);
  await put("alice", { pre_hook: BODY });
  const input = { hook: "pre_hook", source_group_id: group.id };
  const begun = await test.api("alice", "POST", `${defaults}/try`, input);
  assert.equal(begun.status, 202, JSON.stringify(begun.body));
  const order = await agent.next("command.run", (message) => message.kind === "hook");
  assert.deepEqual(order.hook, {
    name: "pre_hook",
    hooks: { timeout_seconds: 3600, pre_hook: BODY, stop_at_error: ["pre_hook"] },
    source_group_name: "default",
  });
  const job = (await test.api("victor", "GET", `/api/jobs/${begun.body.job_id}`)).body;
  assert.deepEqual([job.kind, job.source_group_name], ["hook", "default"]);
  const read = await test.api(
    "alice",
    "GET",
    `/api/hosts/${host.hostId}/source-groups/${group.id}`,
  );
  assert.equal(read.body.last_run, null);
  const plain = await test.api("alice", "POST", `/api/hosts/${host.hostId}/jobs`, { kind: "hook" });
  assert.deepEqual([plain.status, plain.body.error.field], [422, "kind"]);
  await agent.close();
});

Deno.test("hooks that are allowed together fit into one frame, whatever characters they hold", async () => {
  const { test, host, path } = await setUp();
  await using _ = test;
  const line = '"\t"\n'.repeat(8000);
  const statuses: number[] = [];
  for (let n = 0; n < 12; n++) {
    const body = { name: `g${n}`, includes: ["/"], pre_hook: line, post_hook: line };
    const { status } = await test.api("alice", "POST", path.replace(/\/[^/]+$/, ""), body);
    statuses.push(status);
  }
  assert.ok(statuses.includes(422), statuses.join());
  const messages = await configFor(test.server, host.hostId);
  const plan = JSON.stringify(messages.find(({ type }) => type === "plan.set"));
  assert.ok(plan.length <= FRAME_LIMIT, `${plan.length} characters, which the agent refuses`);
});
