import assert from "node:assert/strict";
import { attack } from "../support/trial.ts";
import { startServer } from "../support/start_server.ts";
import { CANARY, makeWorld } from "../support/world.ts";
import { rawGet } from "../support/raw_http.ts";
import { ROUTES } from "../../server/web/routes.ts";

/** All that a stranger may call: whoever adds a route to it changes this list on purpose. */
const OPEN = [
  "GET /healthz",
  "GET /readyz",
  "GET /api/version",
  "GET /api/openapi.json",
  "GET /agent/binary",
  "GET /agent/binary.sha256",
  "GET /install/install.sh",
  "GET /install/install.ps1",
  "GET /install/nssm.exe",
  "GET /install/nssm.exe.sha256",
  "POST /api/auth/login",
  "POST /api/agents/enroll",
  "POST /api/agents/announce",
  "GET /assets/:hash/:name",
  "GET /setup",
  "POST /setup",
  "GET /login",
  "POST /login",
];

/** What a stranger may say of himself, and what a lazy proxy or framework would believe. */
const DISGUISES: Record<string, string>[] = [
  {},
  { authorization: "Bearer" },
  { authorization: "Basic YWxpY2U6YWxpY2U=" },
  { authorization: "Bearer null", "x-forwarded-user": "alice", "remote-user": "alice" },
  { cookie: "rm_session=; __Host-rm_session=null; rm_session=undefined", accept: "text/html" },
  { "x-original-url": "/login", "x-rewrite-url": "/login", "x-http-method-override": "GET" },
  { "x-forwarded-for": "127.0.0.1", "x-forwarded-host": "localhost", forwarded: "for=127.0.0.1" },
];

attack({
  id: "S01",
  promise: "without a session nothing but a short list of routes answers",
  done:
    "every route of the server is called with ids that exist, without a session: plainly, with broken credentials, with headers that a proxy may be believed by, and by other spellings of its path",
  expected: "401, a way to the login or 404 for all but the list; no name of a host in any answer",
}, async (see) => {
  await using test = await startServer();
  await using world = await makeWorld(test);
  const open = ROUTES.filter(({ role }) => role === "public")
    .map(({ method, path }) => `${method} ${path}`);
  assert.deepEqual(open.sort(), [...OPEN].sort());
  const statuses = new Map<number, number>();
  const judge = (what: string, answer: { status: number; body: string; location: string }) => {
    statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
    assert.ok(!answer.body.includes(CANARY), `${what} names a host`);
    const isShut = answer.status === 401 || answer.status === 404 || answer.status === 400 ||
      (answer.status === 303 && answer.location.startsWith("/login?next="));
    assert.ok(isShut, `${what}: ${answer.status}`);
  };
  for (const route of ROUTES.filter(({ role }) => role !== "public")) {
    const path = world.pathOf(route);
    // Guesses of tokens are slowed down: that is S10, and would hide what is looked at here.
    test.clock.pass(10_000);
    for (const headers of DISGUISES) {
      const response = await fetch(test.url + path, {
        method: route.method,
        headers,
        redirect: "manual",
      });
      const location = response.headers.get("location") ?? "";
      judge(`${route.method} ${path} ${JSON.stringify(headers)}`, {
        status: response.status,
        body: await response.text(),
        location,
      });
    }
    const [, first = "", rest = ""] = /^(\/[^/]*)(.*)$/.exec(path)!;
    const spellings = [
      `${path}/`,
      `/${path}`,
      `/login/..${path}`,
      `/assets/%2e%2e${path}`,
      `${first.toUpperCase()}${rest}`,
      `${first}%2f${rest.slice(1)}`,
      `${path};.css`,
      `${path}?/healthz`,
      `http://localhost${path}`,
    ];
    if (route.method !== "GET") continue;
    for (const each of spellings) {
      // A path that is the root again, and that of no route at all.
      const answer = await rawGet(test.url, each, { headers: { accept: "text/html" } });
      judge(each, { ...answer, location: answer.headers.get("location") ?? "" });
    }
  }
  const upgrade = { upgrade: "websocket", "sec-websocket-version": "13" };
  for (const path of ["/ws/agent", "/ws/agent/", "/ws//agent"]) {
    const { status } = await rawGet(test.url, path, { headers: upgrade });
    assert.ok(status === 401 || status === 404, `${path}: ${status}`);
  }
  see([...statuses].map(([status, count]) => `${count} × ${status}`).join(", "));
});
