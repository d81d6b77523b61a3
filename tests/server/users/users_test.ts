import { followClock } from "../../../server/follow_clock.ts";
import assert from "node:assert/strict";
import { createCheckedApp } from "../../support/checked_app.ts";
import { call, followSetupLink, signIn, withToken } from "../../support/browser_session.ts";
import { PASSWORD, startServer } from "../../support/start_server.ts";

Deno.test("an admin makes a user, who sets a password by a link that works once and for an hour", async () => {
  await using test = await startServer();
  const made = await test.api("alice", "POST", "/api/users", {
    username: "nina",
    role: "operator",
  });
  assert.equal(made.status, 201);
  assert.deepEqual(Object.keys(made.body), ["id", "setup_url"]);
  assert.ok(made.body.setup_url.startsWith(`${test.url}/setup?token=`));
  const page = await call(test, "GET", made.body.setup_url.slice(test.url.length));
  assert.match(page.body, /nina[\s\S]*operator/);
  assert.ok(!page.body.includes("User name"));
  // A weak password, then the right way; whose link it is does not depend on the form.
  assert.equal((await followSetupLink(test, made.body.setup_url, "short")).status, 422);
  const followed = await followSetupLink(test, made.body.setup_url, PASSWORD, "alice");
  assert.equal(followed.status, 303);
  assert.equal(
    (await call(test, "GET", "/api/hosts", { headers: { cookie: followed.cookie } })).status,
    200,
  );
  assert.equal((await followSetupLink(test, made.body.setup_url)).status, 404);
  assert.equal((await signIn(test, "nina")).status, 200);
  const second = await test.api("alice", "POST", "/api/users", {
    username: "otto",
    role: "viewer",
  });
  assert.equal((await signIn(test, "otto", "")).status, 422);
  test.clock.passUntil(3_601_000);
  assert.equal((await followSetupLink(test, second.body.setup_url)).status, 404);
  const stored = JSON.stringify(
    await test.server.db.selectFrom("setup_links").selectAll().execute(),
  );
  assert.ok(!stored.includes(new URL(second.body.setup_url).searchParams.get("token")!));
});

Deno.test("two who follow one link at once: one sets the password", async () => {
  await using test = await startServer();
  const { body } = await test.api("alice", "POST", "/api/users", {
    username: "nina",
    role: "viewer",
  });
  const answers = await Promise.all(
    ["first long passphrase", "second long passphrase", "third long passphrase"].map((password) =>
      followSetupLink(test, body.setup_url, password)
    ),
  );
  assert.equal(answers.filter(({ status }) => status === 303).length, 1);
  assert.ok(answers.every(({ status }) => [303, 403, 404].includes(status)));
});

Deno.test("a reset ends password, sessions and tokens, and a second link ends the first", async () => {
  await using test = await startServer();
  const olive = await signIn(test, "olive");
  const path = `/api/users/${test.users.olive.id}`;
  const first = await test.api("alice", "POST", `${path}/reset`);
  const second = await test.api("alice", "POST", `${path}/reset`);
  assert.deepEqual(Object.keys(second.body), ["setup_url"]);
  assert.equal((await olive.api("GET", "/api/hosts")).status, 401);
  assert.equal((await test.api("olive", "GET", "/api/hosts")).status, 401);
  assert.equal((await signIn(test, "olive")).status, 401);
  assert.equal((await followSetupLink(test, first.body.setup_url)).status, 404);
  await test.api("alice", "PATCH", path, { disabled: true });
  assert.equal((await followSetupLink(test, second.body.setup_url)).status, 404);
});

Deno.test("users are listed and changed by admins, without a hash, with what is wrong named", async () => {
  await using test = await startServer();
  const list = await test.api("alice", "GET", "/api/users");
  assert.equal(list.body.items.length, 3);
  assert.ok(!JSON.stringify(list.body).includes("argon2"));
  const { olive, alice } = test.users;
  const cases: [string, string, unknown, number, string | undefined][] = [
    ["POST", "/api/users", { username: "Alice", role: "viewer" }, 409, "username"],
    ["POST", "/api/users", { username: "a b", role: "viewer" }, 422, "username"],
    ["POST", "/api/users", { username: "nina", role: "king" }, 422, "role"],
    ["POST", "/api/users", { username: "nina", role: "viewer", password: "x" }, 422, "password"],
    ["PATCH", `/api/users/${olive.id}`, { disabled: "yes" }, 422, "disabled"],
    ["PATCH", `/api/users/${alice.id}`, { role: "viewer" }, 409, undefined],
    ["PATCH", `/api/users/${crypto.randomUUID()}`, { role: "viewer" }, 404, undefined],
  ];
  for (const [method, path, body, status, field] of cases) {
    const answer = await test.api("alice", method, path, body);
    assert.deepEqual(
      [answer.status, answer.body.error?.field],
      [status, field],
      `${method} ${path}`,
    );
  }
  const changed = await test.api("alice", "PATCH", `/api/users/${olive.id}`, { role: "admin" });
  assert.deepEqual([changed.body.role, changed.body.disabled], ["admin", false]);
  assert.equal((await test.api("olive", "GET", "/api/users")).status, 200);
  const { items } = (await test.api("alice", "GET", "/api/audit?action=user.role_changed")).body;
  assert.deepEqual(items[0].detail, { from: "operator", to: "admin" });
});

Deno.test("admins list and revoke everybody's tokens and sessions, everybody his own sessions", async () => {
  await using test = await startServer();
  const path = `/api/users/${test.users.olive.id}`;
  const tokens = await test.api("alice", "GET", `${path}/tokens`);
  assert.equal(tokens.body.items.length, 1);
  assert.ok(!JSON.stringify(tokens.body).includes(test.tokens.olive));
  const other = `/api/users/${test.users.victor.id}/tokens/${tokens.body.items[0].id}`;
  assert.equal((await test.api("alice", "DELETE", other)).status, 404);
  const revoke = `${path}/tokens/${tokens.body.items[0].id}`;
  assert.equal((await test.api("alice", "DELETE", revoke)).status, 204);
  assert.equal((await test.api("olive", "GET", "/api/hosts")).status, 401);
  const here = await signIn(test, "olive");
  const there = await signIn(test, "olive");
  const { items } = (await here.api("GET", "/api/sessions")).body;
  assert.equal(items.length, 2);
  const [mine, yours] = [true, false].map((own) =>
    items.find((each: { current: boolean }) => each.current === own)
  );
  assert.equal(mine.address, "127.0.0.1");
  assert.equal((await test.api("victor", "DELETE", `/api/sessions/${yours.id}`)).status, 404);
  assert.equal((await here.api("DELETE", `/api/sessions/${yours.id}`)).status, 204);
  assert.equal((await there.api("GET", "/api/hosts")).status, 401);
  assert.equal((await test.api("alice", "DELETE", `${path}/sessions`)).status, 204);
  assert.equal((await here.api("GET", "/api/hosts")).status, 401);
});

Deno.test("a password that is changed while someone signs in with the old one lets nobody in", async () => {
  await using test = await startServer();
  const { resetPassword } = await import("../../../server/users/change_password.ts");
  const { SYSTEM } = await import("../../../server/server.ts");
  const verify = test.server.passwords.verify;
  test.server.passwords.verify = async (...args) => {
    const right = await verify(...args);
    await resetPassword(test.server, SYSTEM, test.users.olive, "a new long passphrase");
    return right;
  };
  assert.equal((await signIn(test, "olive")).status, 401);
  assert.equal((await test.server.db.selectFrom("sessions").selectAll().execute()).length, 0);
});

Deno.test("a request that was waiting when its session ended makes nothing that lasts", async () => {
  await using test = await startServer();
  const { createToken } = await import("../../../server/users/tokens.ts");
  const { inviteUser } = await import("../../../server/users/create.ts");
  const { createEnrolmentToken, EnrolmentInput } = await import(
    "../../../server/enrolment/create_token.ts"
  );
  const alice = await signIn(test, "alice");
  const session = (await alice.api("GET", "/api/sessions")).body.items[0].id;
  await alice.api("DELETE", `/api/sessions/${session}`);
  const late = { ...test.actor("alice"), session };
  const revoked = { ...test.actor("alice"), token: crypto.randomUUID() };
  const demoted = { ...test.actor("olive"), role: "admin" as const };
  const input = EnrolmentInput.parse({
    hostname: "m",
    repository: { name: "nas", url: "/srv/restic", password: "a long password", is_new: true },
  });
  for (const actor of [late, revoked, demoted]) {
    for (
      const act of [
        () => createToken(test.server, actor, test.users.alice, { name: "x" }),
        () => inviteUser(test.server, actor, { username: "nina", role: "admin" }),
        () => createEnrolmentToken(test.server, actor, input),
      ]
    ) await assert.rejects(act, /Sign in first/);
  }
});

Deno.test("wrong tokens are slowed down, right ones from the same network are not", async () => {
  await using test = await startServer();
  const wrong = withToken(test, "rm_wrong");
  const statuses = [];
  for (let n = 0; n < 130; n++) statuses.push((await wrong("GET", "/api/hosts")).status);
  assert.deepEqual([...new Set(statuses)], [401, 429]);
  assert.equal((await test.api("olive", "GET", "/api/hosts")).status, 200);
});

Deno.test("an admin who was made by a token of the other admin may take the other's place", async () => {
  for (const act of ["disable", "remove", "reset"]) {
    await using test = await startServer();
    const made = await test.api("alice", "POST", "/api/users", { username: "bob", role: "admin" });
    await followSetupLink(test, made.body.setup_url);
    const bob = await signIn(test, "bob");
    const path = `/api/users/${test.users.alice.id}`;
    const answer = act === "disable"
      ? await bob.api("PATCH", path, { disabled: true })
      : act === "remove"
      ? await bob.api("DELETE", path)
      : await bob.api("POST", `${path}/reset`);
    assert.ok(answer.status < 300, `${act}: ${JSON.stringify(answer.body)}`);
    assert.equal((await test.api("alice", "GET", "/api/hosts")).status, 401);
    assert.equal((await bob.api("GET", "/api/users")).status, 200);
    const own = `/api/users/${made.body.id}`;
    assert.equal((await bob.api("PATCH", own, { disabled: true })).status, 409);
    assert.equal((await bob.api("GET", "/api/audit?action=user.kept")).body.items.length, 1);
  }
});

Deno.test("a download that is under way ends too when its reader is out", async () => {
  await using test = await startServer();
  await test.server.database.raw((sqlite) =>
    sqlite.exec(
      `with recursive n(i) as (select 1 union all select i + 1 from n where i < 3000)
      insert into audit (at, actor_kind, actor_name, action, detail)
      select i, 'system', 'x', 'filler', json_object('text', 'x') from n`,
    )
  );
  const { body } = await test.api("alice", "POST", "/api/tokens", { name: "reader" });
  // Read from the app itself: a connection between would take all of it at once.
  const response = await createCheckedApp(test.server, assert.fail).request(
    "http://127.0.0.1/api/audit.csv",
    {
      headers: { authorization: `Bearer ${body.token}`, host: "127.0.0.1" },
    },
    { peer: "127.0.0.1" },
  );
  const reader = response.body!.getReader();
  assert.equal((await reader.read()).done, false);
  await test.api("alice", "DELETE", `/api/tokens/${body.id}`);
  await assert.rejects(async () => {
    while (!(await reader.read()).done);
  }, /signed out/);
});

Deno.test("a link works for an hour, whatever the clock is set to meanwhile", async () => {
  await using test = await startServer();
  const { body } = await test.api("alice", "POST", "/api/users", {
    username: "nina",
    role: "viewer",
  });
  const opened = async () => {
    await followClock(test.server);
    const response = await fetch(body.setup_url);
    await response.body?.cancel();
    return response.status;
  };
  for (const wall of [-3_600_000, 366 * 86_400_000, 0]) {
    test.clock.wall = wall;
    assert.equal(await opened(), 200, `${wall}`);
  }
  test.clock.pass(3_601_000);
  test.clock.wall = -3_600_000;
  assert.equal(await opened(), 404);
});
