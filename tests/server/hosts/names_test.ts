// A name that nobody could join under is refused where a person asks for it, not at the machine an hour later.
import assert from "node:assert/strict";
import { joinHost } from "../../support/fake_agent.ts";
import { Announcer } from "../../support/fake_announcer.ts";
import { startServer, type TestServer } from "../../support/start_server.ts";

const MACHINE = { hostname: "m", os: "linux", arch: "x86_64", agent_version: "0.1.0" };

async function setUp() {
  const test = await startServer();
  const alpha = await joinHost(test, "alpha");
  const rename = (hostId: string, name: string) =>
    test.api("olive", "PATCH", `/api/hosts/${hostId}`, { name });
  const token = (hostname: string, more: Record<string, unknown> = {}) =>
    test.api("alice", "POST", "/api/enrollment-tokens", {
      hostname,
      repository_id: alpha.repositoryId,
      ...more,
    });
  return { test, alpha, rename, token };
}

function enrol(test: TestServer, token: string) {
  return test.api(null, "POST", "/api/agents/enroll", { token, ...MACHINE });
}

Deno.test("a name that a renamed host holds underneath is refused for a token, a rename and an acceptance", async () => {
  const { test, alpha, rename, token } = await setUp();
  await using _ = test;
  assert.equal((await rename(alpha.hostId, "beta")).status, 200);
  const beta = await joinHost(test, "gamma", { id: alpha.repositoryId });
  const anna = await Announcer.announced(test, "alpha");
  const accepted = await test.api("alice", "POST", `/api/pending-hosts/${anna.pendingId}/accept`, {
    fingerprint: anna.fingerprint,
    repository_id: alpha.repositoryId,
  });
  for (
    const [{ status, body }, field] of [
      [await token("alpha"), "hostname"],
      [await token("Alpha"), "hostname"],
      [await rename(beta.hostId, "alpha"), "name"],
      [accepted, "name"],
    ] as const
  ) {
    assert.deepEqual([status, body.error.field], [409, field], JSON.stringify(body));
    assert.match(body.error.message, /The host beta was called alpha before/);
  }
  // Its own name underneath is free for itself, and what was freed for others.
  assert.equal((await rename(alpha.hostId, "alpha")).status, 200);
  const free = await token("beta");
  assert.equal(free.status, 201);
  assert.equal((await enrol(test, free.body.token)).status, 200);
});

Deno.test("a name for which a join command is open is refused until that is used, withdrawn or expired", async () => {
  const { test, alpha, rename, token } = await setUp();
  await using _ = test;
  const first = (await token("beta")).body.token;
  for (
    const answer of [await token("beta"), await token("BETA"), await rename(alpha.hostId, "beta")]
  ) {
    assert.equal(answer.status, 409);
    assert.match(answer.body.error.message, /made by alice, can be used until \d\d:\d\d UTC/);
  }
  // It was lost: a person asks for another one in its place.
  const second = await token("beta", { replace_open: true });
  assert.equal(second.status, 201);
  assert.equal((await enrol(test, first)).status, 401);
  assert.equal((await enrol(test, second.body.token)).status, 200);
  assert.match((await token("beta")).body.error.message, /already a host named beta/);
  await token("gamma");
  test.clock.pass(3_600_001);
  assert.equal((await token("gamma")).status, 201);
});
