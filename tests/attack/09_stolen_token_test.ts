import assert from "node:assert/strict";
import { attack } from "../support/trial.ts";
import { followSetupLink, signIn, withToken } from "../support/browser_session.ts";
import { PASSWORD, startServer, type TestServer } from "../support/start_server.ts";

const MACHINE = { os: "linux", arch: "amd64", agent_version: "0.1.0", restic_version: "0.18.0" };

/** Whatever an admin's stolen token can turn itself into, step after step. */
async function escape(test: TestServer, token: string) {
  const thief = withToken(test, token);
  const child = withToken(test, (await thief("POST", "/api/tokens", { name: "child" })).body.token);
  const grandchild = (await child("POST", "/api/tokens", { name: "grandchild" })).body.token;
  const invited = await child("POST", "/api/users", { username: "mallory", role: "admin" });
  const { cookie } = await followSetupLink(test, invited.body.setup_url, "a thief's passphrase");
  const mallory = await signIn(test, "mallory", "a thief's passphrase");
  const later = (await mallory.api("POST", "/api/tokens", { name: "own" })).body.token;
  const second = await mallory.api("POST", "/api/users", { username: "mallory2", role: "admin" });
  const waiting = await thief("POST", "/api/users", { username: "mallory3", role: "admin" });
  const taken = await thief("POST", `/api/users/${test.users.olive.id}/reset`);
  await followSetupLink(test, taken.body.setup_url, "a thief's passphrase");
  await thief("PATCH", `/api/users/${test.users.victor.id}`, { role: "admin" });
  const join = await thief("POST", "/api/enrollment-tokens", {
    hostname: "his-machine",
    repository: { name: "nas", url: "/srv/restic", is_new: true },
  });
  // All of it must work first: what was never open has not been shut.
  assert.deepEqual(
    [invited, mallory, second, waiting, taken, join].map(({ status }) => status),
    [201, 200, 201, 201, 200, 201],
  );
  for (const secret of [grandchild, later]) {
    assert.equal((await withToken(test, secret)("GET", "/api/hosts")).status, 200);
  }
  assert.equal((await signIn(test, "olive", "a thief's passphrase")).status, 200);
  assert.equal((await withToken(test, test.tokens.victor)("GET", "/api/users")).status, 200);
  return async () => {
    const open: string[] = [];
    const status = async (what: string, answer: Promise<{ status: number }>) => {
      if ((await answer).status < 400) open.push(what);
    };
    for (const [what, each] of Object.entries({ token, grandchild, later })) {
      await status(what, withToken(test, each)("GET", "/api/hosts"));
    }
    await status("child", child("GET", "/api/hosts"));
    await status("mallory's session", mallory.api("GET", "/api/hosts"));
    await status("the link's session", withCookie(test, cookie));
    await status("mallory's password", signIn(test, "mallory", "a thief's passphrase"));
    await status("olive's password", signIn(test, "olive", "a thief's passphrase"));
    await status("mallory2's link", followSetupLink(test, second.body.setup_url));
    await status("mallory3's link", followSetupLink(test, waiting.body.setup_url));
    await status("victor as admin", withToken(test, test.tokens.victor)("GET", "/api/users"));
    await status("victor as admin, signed in", signIn(test, "victor"));
    await status(
      "the join command",
      test.api(null, "POST", "/api/agents/enroll", {
        token: join.body.token,
        hostname: "his-machine",
        ...MACHINE,
      }),
    );
    return open;
  };
}

async function withCookie(test: TestServer, cookie: string): Promise<{ status: number }> {
  const response = await fetch(`${test.url}/api/hosts`, { headers: { cookie } });
  await response.body?.cancel();
  return response;
}

const SHUT: [string, (test: TestServer, stolen: { id: string }) => Promise<unknown>][] = [
  ["another admin revokes it", async (test, { id }) => {
    const root = await signIn(test, "root");
    return await root.api("DELETE", `/api/users/${test.users.alice.id}/tokens/${id}`);
  }],
  ["its owner revokes it", async (test, { id }) => {
    return await test.api("alice", "DELETE", `/api/tokens/${id}`);
  }],
  ["its owner is disabled", async (test) => {
    const root = await signIn(test, "root");
    return await root.api("PATCH", `/api/users/${test.users.alice.id}`, { disabled: true });
  }],
  ["its owner is removed", async (test) => {
    const root = await signIn(test, "root");
    return await root.api("DELETE", `/api/users/${test.users.alice.id}`);
  }],
  ["its owner's password is reset", async (test) => {
    const root = await signIn(test, "root");
    return await root.api("POST", `/api/users/${test.users.alice.id}/reset`);
  }],
];

for (const [how, shut] of SHUT) {
  attack({
    id: "promise 9",
    promise: `nothing that a stolen API token made outlives it (${how})`,
    done:
      "an admin's token makes tokens of tokens, accounts, accounts of these, takes over and raises others, makes a join " +
      "command; " + how,
    expected: "all of it opens something before, none of it afterwards",
  }, async (see) => {
    await using test = await startServer();
    const { createUser } = await import("../../server/users/create.ts");
    const { SYSTEM } = await import("../../server/server.ts");
    await createUser(test.server, SYSTEM, { username: "root", role: "admin", password: PASSWORD });
    const { body: stolen } = await test.api("alice", "POST", "/api/tokens", { name: "stolen" });
    // Alice's own first token is not the thief's: what he makes rests on the one that he has.
    const look = await escape(test, stolen.token);
    const answer = await shut(test, stolen) as { status: number };
    assert.ok(answer.status < 300, JSON.stringify(answer));
    const open = await look();
    see(open.length === 0 ? "nothing is open" : `still open: ${open.join(", ")}`);
    assert.deepEqual(open, []);
    const root = await signIn(test, "root");
    assert.equal((await root.api("GET", "/api/users")).status, 200, "root is an admin as before");
  });
}

attack({
  id: "promise 9",
  promise: "a token makes no token that expires later than itself, and cannot change a password",
  done:
    "a token of an hour asks for tokens of two hours, for ever and of no stated end; posts a new password",
  expected: "the first two are refused, the third ends with its maker, the password stays",
}, async (see) => {
  await using test = await startServer();
  const until = new Date(Date.now() + 3_600_000).toISOString();
  const { body } = await test.api("olive", "POST", "/api/tokens", {
    name: "hour",
    expires_at: until,
  });
  const hour = withToken(test, body.token);
  const later = new Date(Date.now() + 7_200_000).toISOString();
  const asked = [
    await hour("POST", "/api/tokens", { name: "later", expires_at: later }),
    await hour("POST", "/api/tokens", { name: "for ever", expires_at: null }),
    await hour("POST", "/api/tokens", { name: "same" }),
  ];
  const password = await fetch(`${test.url}/account/password`, {
    method: "POST",
    headers: { authorization: `Bearer ${body.token}` },
    body: new URLSearchParams({
      current_password: PASSWORD,
      new_password: "another long passphrase",
      new_password_again: "another long passphrase",
    }),
  });
  await password.body?.cancel();
  see(
    `${asked.map(({ status }) => status).join(", ")}, the third until ${
      asked[2]!.body.expires_at
    }; password ${password.status}`,
  );
  assert.deepEqual(asked.map(({ status }) => status), [422, 422, 201]);
  assert.equal(asked[0]!.body.error.field, "expires_at");
  assert.equal(asked[2]!.body.expires_at, until);
  assert.equal(password.status, 403);
  test.clock.passUntil(3_601_000);
  const same = withToken(test, asked[2]!.body.token);
  assert.equal((await same("GET", "/api/hosts")).status, 401);
});
