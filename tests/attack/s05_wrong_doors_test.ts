import assert from "node:assert/strict";
import { attack } from "../support/trial.ts";
import { call, signIn } from "../support/browser_session.ts";
import { FakeAgent } from "../support/fake_agent.ts";
import { startServer, type TestServer } from "../support/start_server.ts";
import { makeWorld } from "../support/world.ts";

const MACHINE = { hostname: "m", os: "linux", arch: "x86_64", agent_version: "0.1.0" };

/** Each door, and whether this text opened it. */
const DOORS: Record<string, (test: TestServer, secret: string) => Promise<boolean>> = {
  "an API token": async (test, secret) =>
    (await call(test, "GET", "/api/hosts", { headers: { authorization: `Bearer ${secret}` } }))
      .status === 200,
  "a session": async (test, secret) =>
    (await call(test, "GET", "/api/hosts", { headers: { cookie: `rm_session=${secret}` } }))
      .status === 200,
  "a host's bearer": async (test, secret) => {
    const agent = await FakeAgent.dial(test.url, secret).catch(() => undefined);
    await agent?.close();
    return agent !== undefined;
  },
  "a join token": async (test, secret) =>
    (await call(test, "POST", "/api/agents/enroll", { body: { token: secret, ...MACHINE } }))
      .status === 200,
  "a setup link": async (test, secret) =>
    (await call(test, "GET", `/setup?token=${encodeURIComponent(secret)}`)).status === 200,
  "a machine's place among those that wait": async (test, secret) => {
    const socket = new WebSocket(
      `${test.url.replace("http", "ws")}/ws/agent/pending?pending_id=${encodeURIComponent(secret)}`,
    );
    return await new Promise((resolve) => {
      socket.onmessage = () => {
        resolve(true);
        socket.close();
      };
      socket.onclose = () => resolve(false);
      socket.onerror = (event) => event.preventDefault();
    });
  },
};

attack({
  id: "S05",
  promise: "each secret opens its own door and no other",
  done:
    "an API token, a session, its form token, a host's bearer, a join token, a setup link, the id of a machine that waits and ids of users and hosts are tried at every door, the session also beside the agent's socket",
  expected: "each opens the one that it is for",
}, async (see) => {
  await using test = await startServer();
  await using world = await makeWorld(test);
  const alice = await signIn(test, "alice");
  const cookie = alice.cookie.split("=")[1]!;
  const pending = (await test.api("olive", "GET", "/api/pending-hosts")).body.items[0].id;
  const link = await test.api("alice", "POST", "/api/users", { username: "eve", role: "viewer" });
  const join = await test.api("alice", "POST", "/api/enrollment-tokens", {
    hostname: "joins",
    repository_id: world.hosts[0]!.repositoryId,
  });
  const { csrf_token } = (await call(test, "POST", "/api/auth/login", {
    body: { username: "victor", password: "correct horse battery staple" },
  })).body;
  const secrets: [string, string][] = [
    ["an API token", test.tokens.alice],
    ["a session", cookie],
    ["a host's bearer", world.hosts[0]!.bearer],
    ["a setup link", new URL(link.body.setup_url).searchParams.get("token")!],
    ["a machine's place among those that wait", pending],
    ["a form token", csrf_token],
    ["an id of a user", test.users.alice.id],
    ["an id of a host", world.hosts[0]!.hostId],
    ["an empty text", ""],
    // Last: its own door uses it up.
    ["a join token", join.body.token],
  ];
  const opened: string[] = [];
  for (const [what, secret] of secrets) {
    for (const [door, open] of Object.entries(DOORS)) {
      // What is guessed too often is slowed down, and would hide the answer.
      test.clock.pass(61_000);
      if (await open(test, secret)) opened.push(`${what} opens the door for ${door}`);
    }
  }
  const beside = new WebSocket(`${test.url.replace("http", "ws")}/ws/agent`, {
    headers: { cookie: alice.cookie },
  } as unknown as string[]);
  const isRefused = await new Promise((resolve) => {
    beside.onopen = () => resolve(false);
    beside.onerror = (event) => {
      event.preventDefault();
      resolve(true);
    };
  });
  see(`${opened.join("; ")}; a session at the agents' socket is refused: ${isRefused}`);
  const own = Object.keys(DOORS).map((door) => `${door} opens the door for ${door}`);
  assert.deepEqual(opened.sort(), own.sort());
  assert.equal(isRefused, true);
});
