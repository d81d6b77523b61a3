import { followClock } from "../../../server/follow_clock.ts";
import assert from "node:assert/strict";
import { newId } from "../../../shared/new_id.ts";
import { createCheckedApp } from "../../support/checked_app.ts";
import { ROUTES } from "../../../server/web/routes.ts";
import type { Route } from "../../../server/web/context.ts";
import {
  CAST,
  PASSWORD,
  type Person,
  startServer,
  type TestServer,
} from "../../support/start_server.ts";

const RANK = { public: 0, viewer: 1, operator: 2, admin: 3 };

function pathOf(route: Route): string {
  return route.path.replace(/:\w+/g, () => newId());
}

Deno.test("each route answers each role as its row says, and nobody else", async (t) => {
  await using test = await startServer();
  for (const route of ROUTES) {
    const needed = RANK[route.role ?? "admin"];
    await t.step(`${route.method} ${route.path} (${route.role ?? "admin"})`, async () => {
      for (const person of [null, "victor", "olive", "alice"] as (Person | null)[]) {
        const response = await fetch(test.url + pathOf(route), {
          method: route.method,
          headers: person ? { authorization: `Bearer ${test.tokens[person]}` } : {},
          redirect: "manual",
        });
        await response.body?.cancel();
        const rank = person ? RANK[CAST[person]] : 0;
        if (needed === 0) continue;
        if (person === null) assert.equal(response.status, 401, `nobody: ${response.status}`);
        else if (rank < needed) assert.equal(response.status, 403, `${person}: ${response.status}`);
        else assert.ok(![401, 403].includes(response.status), `${person}: ${response.status}`);
      }
    });
  }
});

Deno.test("a route without a written role needs admin", async () => {
  await using test = await startServer();
  const app = createCheckedApp(test.server, assert.fail, [{
    method: "GET",
    path: "/forgotten",
    handler: (_, c) => c.text("secret"),
  }]);
  const as = async (person: Person) =>
    (await app.request("http://127.0.0.1/forgotten", {
      headers: { authorization: `Bearer ${test.tokens[person]}`, host: "127.0.0.1" },
    }, { peer: "127.0.0.1" })).status;
  assert.equal(await as("olive"), 403);
  assert.equal(await as("alice"), 200);
});

async function logIn(
  test: TestServer,
  person: Person = "alice",
): Promise<{ cookie: string; csrf: string }> {
  const response = await fetch(`${test.url}/api/auth/login`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ username: person, password: PASSWORD }),
  });
  const body = await response.json();
  assert.equal(response.status, 200, JSON.stringify(body));
  const set = response.headers.get("set-cookie")!;
  assert.match(set, /HttpOnly/);
  assert.match(set, /SameSite=Lax/);
  return { cookie: set.split(";")[0]!, csrf: body.csrf_token };
}

Deno.test("a state change with a cookie must come from our own page or carry the session's token, JSON too", async (t) => {
  await using test = await startServer();
  const { cookie, csrf } = await logIn(test);
  const cases: [string, Record<string, string>, number][] = [
    ["our origin", { origin: test.url }, 201],
    ["same-origin", { "sec-fetch-site": "same-origin" }, 201],
    ["the token", { "x-csrf-token": csrf }, 201],
    ["nothing", {}, 403],
    ["a wrong token", { "x-csrf-token": "wrong" }, 403],
    ["another site", { origin: "https://evil.example", "sec-fetch-site": "cross-site" }, 403],
    ["another site with a token", { origin: "https://evil.example", "x-csrf-token": csrf }, 403],
    [
      "another port of this host",
      { origin: "http://127.0.0.1:1", "sec-fetch-site": "same-site" },
      403,
    ],
    ["a null origin", { origin: "null" }, 403],
  ];
  for (const [what, headers, status] of cases) {
    await t.step(what, async () => {
      const response = await fetch(`${test.url}/api/tokens`, {
        method: "POST",
        headers: { "content-type": "application/json", cookie, ...headers },
        body: JSON.stringify({ name: "x" }),
      });
      await response.body?.cancel();
      assert.equal(response.status, status);
    });
  }
});

Deno.test("a login from another site is refused before the password is looked at", async () => {
  await using test = await startServer();
  const response = await fetch(`${test.url}/api/auth/login`, {
    method: "POST",
    headers: { "content-type": "application/json", origin: "https://evil.example" },
    body: JSON.stringify({ username: "alice", password: PASSWORD }),
  });
  await response.body?.cancel();
  assert.equal(response.status, 403);
});

Deno.test("every answer carries the security headers, errors and the unknown too", async () => {
  await using test = await startServer();
  for (const path of ["/healthz", "/nowhere", "/api/hosts", "/api/version", "/login"]) {
    const response = await fetch(test.url + path, { redirect: "manual" });
    await response.body?.cancel();
    const csp = response.headers.get("content-security-policy") ?? "";
    assert.ok(csp.includes("default-src 'none'") && csp.includes("frame-ancestors 'none'"), path);
    assert.ok(!csp.includes("unsafe"), path);
    assert.equal(response.headers.get("x-content-type-options"), "nosniff", path);
    assert.equal(response.headers.get("x-frame-options"), "DENY", path);
  }
});

Deno.test("a request under a name that is not ours is refused (DNS rebinding)", async () => {
  await using test = await startServer({ env: { RM_BASE_URL: "https://backup.example.org" } });
  const app = createCheckedApp(test.server, assert.fail);
  const as = async (host: string) =>
    (await app.request(`http://${host}/api/version`, { headers: { host } }, { peer: "127.0.0.1" }))
      .status;
  assert.equal(await as("backup.example.org"), 200);
  assert.equal(await as("127.0.0.1:8080"), 200);
  assert.equal(await as("evil.example"), 403);
});

Deno.test("only a trusted proxy is believed about where a client comes from", async () => {
  await using test = await startServer({ env: { RM_TRUSTED_PROXY: "10.0.0.0/8" } });
  const { seenFrom } = await import("../../../server/web/context.ts");
  const request = new Request("http://x/", {
    headers: {
      host: "127.0.0.1",
      "x-forwarded-for": "6.6.6.6, 203.0.113.7, 10.1.1.1",
      "x-forwarded-proto": "https",
    },
  });
  const believed = seenFrom(test.server, request, "10.0.0.1");
  assert.deepEqual([believed.address, believed.baseUrl], ["203.0.113.7", "https://127.0.0.1"]);
  const direct = seenFrom(test.server, request, "192.0.2.1");
  assert.deepEqual([direct.address, direct.baseUrl], ["192.0.2.1", "http://127.0.0.1"]);
});

Deno.test("a session ends at sign-out, after 12 idle hours, after 7 days and when the password changes", async (t) => {
  const alive = async (test: TestServer, cookie: string) => {
    const response = await fetch(`${test.url}/api/hosts`, { headers: { cookie } });
    await response.body?.cancel();
    return response.status === 200;
  };
  await t.step("sign-out", async () => {
    await using test = await startServer();
    const { cookie } = await logIn(test);
    assert.ok(await alive(test, cookie));
    const out = await fetch(`${test.url}/api/auth/logout`, {
      method: "POST",
      headers: { cookie, origin: test.url },
    });
    assert.equal(out.status, 204);
    assert.ok(!await alive(test, cookie));
  });
  await t.step("idle", async () => {
    await using test = await startServer();
    const { cookie } = await logIn(test);
    test.clock.passUntil(11 * 3_600_000);
    assert.ok(await alive(test, cookie));
    test.clock.passUntil(22 * 3_600_000);
    assert.ok(await alive(test, cookie));
    test.clock.passUntil(35 * 3_600_000);
    assert.ok(!await alive(test, cookie));
  });
  await t.step("seven days", async () => {
    await using test = await startServer();
    const { cookie } = await logIn(test);
    for (let hours = 10; hours < 168; hours += 10) {
      test.clock.passUntil(hours * 3_600_000);
      assert.ok(await alive(test, cookie), `${hours} h`);
    }
    test.clock.passUntil(169 * 3_600_000);
    assert.ok(!await alive(test, cookie));
  });
  await t.step("password", async () => {
    await using test = await startServer();
    const { changePassword } = await import("../../../server/users/change_password.ts");
    const { cookie } = await logIn(test);
    await changePassword(test.server, test.actor("alice"), test.users.alice, {
      current_password: PASSWORD,
      new_password: "another long passphrase",
      keep_session: null,
    });
    assert.ok(!await alive(test, cookie));
  });
});

Deno.test("a live stream ends when its reader signs out", async () => {
  await using test = await startServer();
  const { cookie } = await logIn(test);
  const stream = await fetch(`${test.url}/live/fleet`, { headers: { cookie } });
  assert.equal(stream.status, 200);
  const ended = stream.text();
  const out = await fetch(`${test.url}/api/auth/logout`, {
    method: "POST",
    headers: { cookie, origin: test.url },
  });
  assert.equal(out.status, 204);
  await ended;
});

Deno.test("guessing passwords is slowed down and audited, and the right one is not let through meanwhile", async () => {
  await using test = await startServer();
  const tryLogin = async (password: string) => {
    const answer = await test.api(null, "POST", "/api/auth/login", { username: "alice", password });
    return answer;
  };
  for (let n = 0; n < 8; n++) assert.equal((await tryLogin("wrong")).status, 401);
  const slowed = await tryLogin(PASSWORD);
  assert.equal(slowed.status, 429);
  assert.ok(Number(slowed.headers.get("retry-after")) > 0);
  test.clock.passUntil(301_000);
  assert.equal((await tryLogin(PASSWORD)).status, 200);
  const audit = await test.api("alice", "GET", "/api/audit?action=login.refused");
  assert.equal(audit.body.items.length, 8);
});

Deno.test("a stranger's name and a wrong password are answered alike", async () => {
  await using test = await startServer();
  const answers = await Promise.all(
    ["alice", "nobody"].map((username) =>
      test.api(null, "POST", "/api/auth/login", { username, password: "wrong" })
    ),
  );
  assert.deepEqual(answers[0]!.body, answers[1]!.body);
});

Deno.test("API tokens work until they expire or are revoked, with their user's role, and only their user sees them", async () => {
  await using test = await startServer();
  const made = await test.api("victor", "POST", "/api/tokens", {
    name: "script",
    expires_at: new Date(Date.now() + 60_000).toISOString(),
  });
  assert.equal(made.status, 201);
  const use = async () => {
    const response = await fetch(`${test.url}/api/hosts`, {
      headers: { authorization: `Bearer ${made.body.token}` },
    });
    await response.body?.cancel();
    return response.status;
  };
  assert.equal(await use(), 200);
  const listed = JSON.stringify((await test.api("victor", "GET", "/api/tokens")).body);
  assert.ok(!listed.includes(made.body.token));
  assert.equal((await test.api("alice", "DELETE", `/api/tokens/${made.body.id}`)).status, 404);
  test.clock.passUntil(61_000);
  assert.equal(await use(), 401);
  // Nor when the clock is set back to before.
  test.clock.wall = -86_400_000;
  assert.equal(await use(), 401);
  await followClock(test.server);
  assert.equal(await use(), 401);
  assert.equal((await test.api("victor", "DELETE", `/api/tokens/${made.body.id}`)).status, 204);
  assert.equal(await use(), 401);
  assert.equal(
    (await test.api("victor", "POST", "/api/tokens", {
      name: "x",
      expires_at: "2020-01-01T00:00:00Z",
    })).body.error.field,
    "expires_at",
  );
});

Deno.test("bad bodies are refused: not JSON, another type, too large", async () => {
  await using test = await startServer();
  const post = async (body: BodyInit, type: string) => {
    const response = await fetch(`${test.url}/api/tokens`, {
      method: "POST",
      headers: { authorization: `Bearer ${test.tokens.alice}`, "content-type": type },
      body,
    });
    const { error } = await response.json();
    return [response.status, error.code];
  };
  assert.deepEqual(await post("{bad", "application/json"), [400, "bad_request"]);
  assert.deepEqual(await post("name=x", "application/x-www-form-urlencoded"), [400, "bad_request"]);
  assert.deepEqual(await post(`{"name":"${"x".repeat(1_100_000)}"}`, "application/json"), [
    413,
    "too_large",
  ]);
  assert.deepEqual(await post("[]", "application/json"), [422, "invalid"]);
});

Deno.test("two hundred logins at once do not hold up an agent or a page", async () => {
  await using test = await startServer({ realHashes: true, people: false });
  const logins = Array.from(
    { length: 200 },
    (_, n) =>
      test.api(null, "POST", "/api/auth/login", { username: `u${n % 3}`, password: "wrong" }),
  );
  assert.equal((await test.api(null, "GET", "/healthz")).status, 200);
  const statuses = new Set((await Promise.all(logins)).map((answer) => answer.status));
  assert.ok(statuses.has(429));
  assert.ok([...statuses].every((status) => status === 401 || status === 429));
});

Deno.test("openapi.json describes every path of the API", async () => {
  await using test = await startServer();
  const { body } = await test.api(null, "GET", "/api/openapi.json");
  for (
    const route of ROUTES.filter(({ path }) =>
      path.startsWith("/api/") && path !== "/api/openapi.json"
    )
  ) {
    const path = route.path.replace(/:(\w+)/g, "{$1}");
    assert.ok(body.paths[path]?.[route.method.toLowerCase()], `${route.method} ${path}`);
  }
  assert.equal(
    body.paths["/api/tokens"].post.requestBody.content["application/json"].schema
      .additionalProperties,
    false,
  );
});
