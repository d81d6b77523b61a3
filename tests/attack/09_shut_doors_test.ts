import assert from "node:assert/strict";
import { attack } from "../support/trial.ts";
import { call, followSetupLink, postForm, signIn, withToken } from "../support/browser_session.ts";
import { PASSWORD, startServer } from "../support/start_server.ts";

const NEW = "another long passphrase";

attack({
  id: "S38",
  promise:
    "changing the password ends every session, stream, API token, link and join command of before",
  done:
    "alice has two sessions, an open stream, a token, an invited user's link and a join command; she changes her password",
  expected:
    "only the fresh session of the browser in which she changed it goes on; the streams end within seconds",
}, async (see) => {
  await using test = await startServer();
  const here = await signIn(test, "alice");
  const there = await signIn(test, "alice");
  const { body: token } = await here.api("POST", "/api/tokens", { name: "script" });
  const { body: invited } = await there.api("POST", "/api/users", {
    username: "eve",
    role: "admin",
  });
  const { body: join } = await there.api("POST", "/api/enrollment-tokens", {
    hostname: "m",
    repository: { name: "nas", url: "/srv/restic", is_new: true },
  });
  const streams = await Promise.all([
    fetch(`${test.url}/live/fleet`, { headers: { cookie: there.cookie } }),
    fetch(`${test.url}/live/fleet`, { headers: { authorization: `Bearer ${token.token}` } }),
  ]);
  const ended = Promise.all(streams.map((stream) => stream.text()));
  const changed = await postForm(test, "/account/password", {
    current_password: PASSWORD,
    new_password: NEW,
    new_password_again: NEW,
  }, here.cookie);
  assert.equal(changed.status, 303, changed.text);
  const began = performance.now();
  await ended;
  const after = {
    "the old cookie": (await here.api("GET", "/api/hosts")).status,
    "the other cookie": (await there.api("GET", "/api/hosts")).status,
    "the token": (await withToken(test, token.token)("GET", "/api/hosts")).status,
    "the link": (await followSetupLink(test, invited.setup_url)).status,
    "the old password": (await signIn(test, "alice")).status,
    "the join command": (await call(test, "POST", "/api/agents/enroll", {
      body: {
        token: join.token,
        hostname: "m",
        os: "linux",
        arch: "amd64",
        agent_version: "0.1.0",
      },
    })).status,
  };
  const fresh = await call(test, "GET", "/api/hosts", { headers: { cookie: changed.cookie } });
  see(
    `${JSON.stringify(after)}; the fresh cookie ${fresh.status}; streams ended ${
      Math.round(performance.now() - began)
    } ms after`,
  );
  assert.ok(Object.values(after).every((status) => status >= 400));
  assert.equal(fresh.status, 200);
  assert.notEqual(changed.cookie, here.cookie);
  assert.ok(performance.now() - began < 5000);
});

attack({
  id: "S18",
  promise:
    "a disabled, demoted or removed user is out at once, and the name given again inherits nothing",
  done:
    "olive has a session, a stream, a token and a known network; she is demoted, disabled, removed, made again",
  expected:
    "demoted: her token may only look and her stream ends; disabled and removed: nothing; made again: a new id",
}, async (see) => {
  await using test = await startServer();
  const alice = await signIn(test, "alice");
  const { id } = test.users.olive;
  const token = test.tokens.olive;
  const sign = async () => {
    const olive = await signIn(test, "olive");
    const stream = await fetch(`${test.url}/live/fleet`, { headers: { cookie: olive.cookie } });
    return { olive, ended: stream.text() };
  };
  const run = () => withToken(test, token)("POST", "/api/enrollment-tokens", {});
  assert.equal((await run()).status, 422);
  const first = await sign();
  const other = await fetch(`${test.url}/live/fleet`, {
    headers: { authorization: `Bearer ${token}` },
  });
  const otherEnded = other.text();
  await alice.api("PATCH", `/api/users/${id}`, { role: "viewer" });
  await first.ended;
  await otherEnded;
  const demoted = [
    (await run()).status,
    (await withToken(test, token)("GET", "/api/hosts")).status,
  ];
  const second = await sign();
  await alice.api("PATCH", `/api/users/${id}`, { disabled: true });
  await second.ended;
  const disabled = [
    (await second.olive.api("GET", "/api/hosts")).status,
    (await withToken(test, token)("GET", "/api/hosts")).status,
    (await signIn(test, "olive")).status,
  ];
  await alice.api("PATCH", `/api/users/${id}`, { disabled: false });
  const third = await sign();
  assert.equal((await alice.api("DELETE", `/api/users/${id}`)).status, 204);
  await third.ended;
  const again = await alice.api("POST", "/api/users", { username: "olive", role: "viewer" });
  assert.equal((await followSetupLink(test, again.body.setup_url, NEW)).status, 303);
  const removed = [
    (await third.olive.api("GET", "/api/hosts")).status,
    (await withToken(test, token)("GET", "/api/hosts")).status,
    (await signIn(test, "olive")).status,
  ];
  see(`demoted ${demoted}; disabled ${disabled}; removed and made again ${removed}`);
  assert.deepEqual(demoted, [403, 200]);
  assert.deepEqual(disabled, [401, 401, 401]);
  assert.deepEqual(removed, [401, 401, 401]);
  assert.notEqual(again.body.id, id);
});

attack({
  id: "promise 9",
  promise:
    "the last admin who can sign in is never disabled, demoted, removed or reset, by no route",
  done:
    "alice does it to herself; two admins do it to each other in the same moment, thirty times; one who has no password yet stands by",
  expected: "409 each; after each round there is an admin who can sign in",
}, async (see) => {
  await using test = await startServer();
  const alice = await signIn(test, "alice");
  await alice.api("POST", "/api/users", { username: "pending", role: "admin" });
  const path = `/api/users/${test.users.alice.id}`;
  const own = [
    await alice.api("PATCH", path, { disabled: true }),
    await alice.api("PATCH", path, { role: "operator" }),
    await alice.api("DELETE", path),
    await alice.api("POST", `${path}/reset`),
  ].map(({ status }) => status);
  assert.deepEqual(own, [409, 409, 409, 409]);
  const { createUser } = await import("../../server/users/create.ts");
  const { changeUser, removeUser } = await import("../../server/users/change.ts");
  const { SYSTEM } = await import("../../server/server.ts");
  const passed = [];
  for (let n = 0; n < 30; n++) {
    const bob = await createUser(test.server, SYSTEM, {
      username: `bob${n}`,
      role: "admin",
      password: PASSWORD,
    });
    const act = (by: string, to: string) => {
      const actor = {
        kind: "user" as const,
        id: by,
        name: "x",
        address: null,
        role: "admin" as const,
      };
      return n % 3 === 0
        ? removeUser(test.server, actor, to)
        : changeUser(test.server, actor, to, n % 3 === 1 ? { disabled: true } : { role: "viewer" });
    };
    const done = await Promise.allSettled([
      act(bob.id, test.users.alice.id),
      act(test.users.alice.id, bob.id),
    ]);
    passed.push(done.filter(({ status }) => status === "fulfilled").length);
    const admins = await test.server.db.selectFrom("users").selectAll().where("role", "=", "admin")
      .where("disabled_at", "is", null).where("password_hash", "!=", "").execute();
    assert.equal(admins.length, 1);
    // The one that is left is the next round's alice.
    test.users.alice = admins[0]!;
  }
  see(`alone ${own}; of two at once ${[...new Set(passed)]} passed, 30 times`);
  assert.ok(passed.every((count) => count === 1));
});
