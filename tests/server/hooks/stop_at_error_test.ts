// Whether a hook stops at the first error: on for new ones, off for those that were there, each owner's own, admins only.
import assert from "node:assert/strict";
import { type Kysely, sql } from "kysely";
import { hookStopAtError } from "../../../server/database/migrations/0006_hook_stop_at_error.ts";
import { FakeAgent, joinHost } from "../../support/fake_agent.ts";
import { PASSWORD, startServer } from "../../support/start_server.ts";

async function setUp() {
  const test = await startServer();
  const host = await joinHost(test, "alpha");
  const groups = `/api/hosts/${host.hostId}/source-groups`;
  const [group] = (await test.api("olive", "GET", groups)).body.items;
  const put = (person: "alice" | "olive", change: Record<string, unknown>) =>
    test.api(person, "PUT", `${groups}/${group.id}`, {
      name: "default",
      includes: ["/home"],
      ...change,
    });
  const defaults = `/api/hosts/${host.hostId}/hooks`;
  /** The hooks of the group in the plan that an agent of now would get. */
  const planned = async () => {
    const agent = await FakeAgent.connect(test.url, host.bearer);
    const plan = await agent.next("plan.set");
    await agent.close();
    return plan.source_groups.find(({ id }) => id === group.id)?.hooks;
  };
  return { test, host, groups, group, put, defaults, planned };
}

Deno.test("new hooks stop at the first error; unticked stays unticked, and each owner says it of its own hooks", async () => {
  const { test, group, groups, put, defaults, planned } = await setUp();
  await using _ = test;
  assert.equal(group.hook_stop_at_error, true);
  const hooks = { pre_hook: "echo pre" };
  assert.equal((await put("alice", hooks)).body.hook_stop_at_error, true);
  assert.deepEqual((await planned())?.stop_at_error, ["pre_hook"]);
  const off = await put("alice", { ...hooks, hook_stop_at_error: false });
  assert.deepEqual([off.status, off.body.hook_stop_at_error], [200, false]);
  assert.equal((await put("alice", { pre_hook: "echo another" })).body.hook_stop_at_error, false);
  assert.equal((await planned())?.stop_at_error, undefined);
  const set = await test.api("alice", "PUT", defaults, { post_hook_default: "echo post" });
  assert.equal(set.body.hook_stop_at_error_default, true);
  assert.deepEqual((await planned())?.stop_at_error, ["post_hook"]);
  const unset = await test.api("alice", "PUT", defaults, { hook_stop_at_error_default: false });
  assert.equal(unset.body.hook_stop_at_error_default, false);
  await put("alice", { hook_stop_at_error: true });
  assert.deepEqual((await planned())?.stop_at_error, ["pre_hook"]);
  const made = await test.api("alice", "POST", groups, {
    name: "second",
    includes: ["/home"],
    hook_stop_at_error: false,
  });
  const read = await test.api("olive", "GET", `${groups}/${made.body.id}`);
  assert.equal(read.body.hook_stop_at_error, false);
  const audit = (await test.api("alice", "GET", "/api/audit")).body.items;
  const details = audit.map(({ detail }: { detail: Record<string, unknown> }) => detail);
  for (
    const detail of [{ hook_stop_at_error: false }, { hook_stop_at_error: true }, {
      hook_stop_at_error_default: false,
    }]
  ) {
    const [[name, value]] = Object.entries(detail) as [[string, boolean]];
    assert.ok(details.some((each: Record<string, unknown>) => each[name] === value), name);
  }
});

Deno.test("only admins change it; whoever leaves it out or sends it as it is may save", async () => {
  const { test, groups, put, defaults } = await setUp();
  await using _ = test;
  for (const change of [{}, { hook_stop_at_error: true }]) {
    assert.equal((await put("olive", change)).status, 200);
  }
  const refused = await put("olive", { hook_stop_at_error: false });
  assert.deepEqual([refused.status, refused.body.error.field], [403, "hook_stop_at_error"]);
  const group = { name: "x", includes: ["/"], hook_stop_at_error: false };
  assert.equal((await test.api("olive", "POST", groups, group)).status, 403);
  const body = { hook_stop_at_error_default: false };
  for (const person of ["olive", "victor"] as const) {
    assert.equal((await test.api(person, "PUT", defaults, body)).status, 403);
  }
  for (const wrong of ["on", 1, null]) {
    const answer = await put("alice", { hook_stop_at_error: wrong });
    assert.deepEqual([answer.status, answer.body.error.field], [422, "hook_stop_at_error"]);
  }
  const openapi = (await test.api("victor", "GET", "/api/openapi.json")).body;
  assert.match(JSON.stringify(openapi), /"hook_stop_at_error":\{[^}]*first step that fails/);
});

Deno.test("the forms show the box ticked or not, and unticking it is kept", async () => {
  const { test, host, group } = await setUp();
  await using _ = test;
  const login = await fetch(`${test.url}/login`, {
    method: "POST",
    headers: { Origin: test.url },
    body: new URLSearchParams({ username: "alice", password: PASSWORD }),
    redirect: "manual",
  });
  await login.body?.cancel();
  const headers = {
    Origin: test.url,
    Accept: "text/html",
    Cookie: login.headers.getSetCookie().map((cookie) => cookie.split(";")[0]).join("; "),
  };
  const visit = async (path: string, form?: Record<string, string>) => {
    const answer = await fetch(`${test.url}${path}`, {
      headers,
      redirect: "manual",
      ...(form ? { method: "POST", body: new URLSearchParams(form) } : {}),
    });
    return { status: answer.status, html: await answer.text() };
  };
  const isChecked = async (path: string, name: string) =>
    /checked/.test(
      new RegExp(`<input [^>]*name="${name}"[^>]*>`).exec((await visit(path)).html)![0],
    );
  const source = `/hosts/${host.hostId}/sources/${group.id}`;
  assert.equal(await isChecked(`/hosts/${host.hostId}/sources/new`, "hook_stop_at_error"), true);
  assert.equal(await isChecked(source, "hook_stop_at_error"), true);
  const form = {
    name: "default",
    includes: "/etc",
    retry_max: "0",
    retry_backoff_seconds: "300",
    pre_hook: "echo pre",
    hook_timeout_seconds: "3600",
  };
  assert.equal((await visit(source, form)).status, 303);
  assert.equal(await isChecked(source, "hook_stop_at_error"), false);
  assert.equal((await visit(source, { ...form, hook_stop_at_error: "on" })).status, 303);
  assert.equal(await isChecked(source, "hook_stop_at_error"), true);
  const tab = `/hosts/${host.hostId}/repository`;
  const name = "hook_stop_at_error_default";
  assert.equal(await isChecked(tab, name), true);
  const typed = { pre_hook_default: "echo pre", post_hook_default: "" };
  assert.equal((await visit(`/hosts/${host.hostId}/hooks`, typed)).status, 303);
  assert.equal(await isChecked(tab, name), false);
  const refused = await visit(`/hosts/${host.hostId}/hooks`, {
    ...typed,
    pre_hook_default: "x".repeat(32_769),
    [name]: "on",
  });
  assert.equal(refused.status, 422);
  assert.match(refused.html, new RegExp(`<input [^>]*name="${name}"[^>]*checked`));
  const page = (await visit(source)).html;
  assert.match(page, /cannot mount/);
  assert.match(page, /ping/);
});

Deno.test("hooks that were there before the box go on after an error; owners without any get it ticked", async () => {
  await using test = await startServer();
  const old = await joinHost(test, "old");
  const bare = await joinHost(test, "bare");
  const groupsOf = async (hostId: string) =>
    (await test.api("alice", "GET", `/api/hosts/${hostId}/source-groups`)).body.items;
  const [group] = await groupsOf(old.hostId);
  await test.api("alice", "PUT", `/api/hosts/${old.hostId}/source-groups/${group.id}`, {
    name: "default",
    includes: ["/etc"],
    post_hook: "echo post",
  });
  await test.api("alice", "PUT", `/api/hosts/${old.hostId}/hooks`, { pre_hook_default: "echo x" });
  // As a database of before the column was, with what is in it.
  const { db: tx } = test.server;
  for (const table of ["source_groups", "hosts"]) {
    const column = `hook_stop_at_error${table === "hosts" ? "_default" : ""}`;
    await sql.raw(`alter table ${table} drop column ${column}`).execute(tx);
  }
  await hookStopAtError.up(tx as Kysely<unknown>);
  const states = async ({ hostId }: { hostId: string }) => [
    (await groupsOf(hostId))[0].hook_stop_at_error,
    (await test.api("alice", "GET", `/api/hosts/${hostId}/hooks`)).body.hook_stop_at_error_default,
  ];
  assert.deepEqual(await states(old), [false, false]);
  assert.deepEqual(await states(bare), [true, true]);
});
