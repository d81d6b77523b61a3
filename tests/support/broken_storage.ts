// A server whose storage stops working: what every reader, writer and agent must see then, whatever the cause, and that all of
// it ends by itself.
import assert from "node:assert/strict";
import { postForm, signIn } from "./browser_session.ts";
import { eventually } from "./eventually.ts";
import type { FakeAgent } from "./fake_agent.ts";
import { type Busy, storedLines } from "./quotas.ts";
import { PASSWORD, type TestServer } from "./start_server.ts";

export interface Broken {
  /** What the sentences must say of the cause. */
  reason: RegExp;
  /** Breaks it; returns what mends it. */
  breakIt(): Promise<() => Promise<void>>;
}

/** Breaks the storage, looks at everything, mends it and looks again. Lines before `firstLine` are stored already. */
export async function breakAndMend(
  test: TestServer,
  { agent, jobId }: Busy,
  { reason, breakIt }: Broken,
  see: (text: string) => void,
): Promise<void> {
  const first = storedLines(test, jobId).length + 1;
  const { cookie } = await signIn(test, "alice");
  const mend = await breakIt();
  let seq: number | undefined;
  try {
    seq = agent.lines(jobId, first, ["said while nothing could be stored"]);
    await eventually("the server has noticed", () => test.server.storage.problem !== undefined);
    await everythingRefused(test, cookie, reason, see);
    assert.ok(!isAcknowledged(agent, seq), "what was not stored was acknowledged");
    assert.equal(agent.closed, undefined);
  } finally {
    await mend();
  }
  const began = performance.now();
  await eventually("a change works again", async () => {
    const made = await test.api("alice", "POST", "/api/tokens", { name: "after" });
    return made.status === 201;
  }, 5000);
  await agent.acknowledged(seq);
  see(`mended: saved again after ${Math.round(performance.now() - began)} ms, without a restart`);
  assert.equal(storedLines(test, jobId).length, first);
  assert.ok(!(await readPage(test, "/", cookie)).text.includes("Nothing can be saved"));
  assert.equal((await test.api(null, "GET", "/readyz")).status, 200);
  assert.equal((await test.api(null, "GET", "/healthz")).body, "ok\n");
}

function isAcknowledged(agent: FakeAgent, seq: number): boolean {
  return agent.received.some((each) => each.type === "report.ack" && each.up_to >= seq);
}

async function everythingRefused(
  test: TestServer,
  cookie: string,
  reason: RegExp,
  see: (text: string) => void,
): Promise<void> {
  const made = await test.api("alice", "POST", "/api/tokens", { name: "during" });
  see(`a change: ${made.status} ${JSON.stringify(made.body.error)}`);
  assert.deepEqual([made.status, made.body.error?.code], [503, "storage_cannot_write"]);
  assert.match(made.body.error.message, reason);
  assert.match(made.body.error.message, /Nothing was saved/);
  assert.ok(Number(made.headers.get("retry-after")) > 0);
  for (
    const [method, path] of [["DELETE", "/api/tokens/x"], ["PATCH", "/api/hosts/x"]] as const
  ) {
    const { status } = await test.api("alice", method, path, {});
    assert.equal(status, 503, `${method} ${path}`);
  }
  const input = { username: "alice", password: PASSWORD };
  const login = await test.api(null, "POST", "/api/auth/login", input);
  assert.deepEqual([login.status, login.body.error.code], [503, "storage_cannot_write"]);
  const form = await postForm(test, "/account/tokens", { name: "during" }, cookie);
  assert.equal(form.status, 503);
  assert.match(form.text, /Nothing was saved/);
  assert.match(form.text, reason);
  const entry = await postForm(test, "/login", input);
  assert.equal(entry.status, 503);
  assert.match(entry.text, reason);
  for (const path of ["/", "/jobs", "/repositories", "/account"]) {
    const { status, text } = await readPage(test, path, cookie);
    assert.equal(status, 200, path);
    assert.match(text, /id="notice"[^>]*><p[^>]*>Nothing can be saved since/, path);
    assert.match(text, reason, path);
  }
  const health = await test.api(null, "GET", "/healthz");
  const ready = await test.api(null, "GET", "/readyz");
  see(`healthz ${health.status} ${health.body.trim()}; readyz ${ready.status}`);
  assert.deepEqual([health.status, ready.status], [200, 503]);
  for (const { body } of [health, ready]) {
    assert.match(body, reason);
    assert.ok(!body.includes(test.dataDir));
  }
}

async function readPage(test: TestServer, path: string, cookie: string) {
  const response = await fetch(test.url + path, { headers: { cookie, accept: "text/html" } });
  return { status: response.status, text: await response.text() };
}
