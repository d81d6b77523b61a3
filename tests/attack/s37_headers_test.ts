import assert from "node:assert/strict";
import { attack } from "../support/trial.ts";
import { startServer } from "../support/start_server.ts";
import { makeWorld } from "../support/world.ts";
import { newId } from "../../shared/new_id.ts";
import { ROUTES } from "../../server/web/routes.ts";

const nameOf = ({ method, path }: { method: string; path: string }) => `${method} ${path}`;

function assertFramed(what: string, headers: Headers): void {
  const csp = headers.get("content-security-policy") ?? "";
  for (const part of ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"]) {
    assert.ok(csp.includes(part), `${what}: ${part} is not in "${csp}"`);
  }
  assert.ok(!/unsafe|\*|https?:|blob:/.test(csp), `${what}: ${csp}`);
  assert.equal(headers.get("x-frame-options"), "DENY", what);
  assert.equal(headers.get("x-content-type-options"), "nosniff", what);
  assert.equal(headers.get("cross-origin-resource-policy"), "same-origin", what);
  assert.ok((headers.get("referrer-policy") ?? "").startsWith("same-origin"), what);
  assert.equal(headers.get("access-control-allow-origin"), null, what);
}

attack({
  id: "S37",
  promise: "no answer of the server can be shown in another site's frame, or read by it",
  done:
    "every route is called as an admin and as nobody, with ids that exist and with none, by GET, HEAD, OPTIONS and by what it does not take, with bodies that are too large or broken, behind TLS too",
  expected:
    "frame-ancestors 'none', X-Frame-Options, nosniff and no word for other origins on each of them, errors and streams included",
}, async (see) => {
  await using test = await startServer({ env: { RM_TRUSTED_PROXY: "127.0.0.1" } });
  await using world = await makeWorld(test);
  const counts = new Map<number, number>();
  const look = async (method: string, path: string, init: RequestInit & { who?: boolean } = {}) => {
    const response = await fetch(test.url + path, {
      method,
      redirect: "manual",
      ...init,
      headers: {
        ...(init.who === false ? {} : { authorization: `Bearer ${test.tokens.alice}` }),
        origin: "https://evil.example",
        ...init.headers,
      },
    });
    await response.body?.cancel();
    assertFramed(`${method} ${path}: ${response.status}`, response.headers);
    counts.set(response.status, (counts.get(response.status) ?? 0) + 1);
    return response;
  };
  for (const route of ROUTES) {
    const path = world.pathOf(route);
    if (route.method === "GET") {
      await look("GET", path, { headers: { accept: "text/html", "x-forwarded-proto": "https" } })
        .then(({ headers }) =>
          assert.match(headers.get("strict-transport-security") ?? "", /max-age=\d{7}/)
        );
      await look("HEAD", path);
      await look("OPTIONS", path, { headers: { "access-control-request-method": "GET" } });
      await look("GET", path.replace(/[0-9a-f-]{36}/g, "no-such-id"));
    } else {
      // What is removed could not be looked at afterwards; nor could anything without the token.
      const isEnd = /DELETE|delete|revoke/.test(nameOf(route));
      const to = isEnd ? path.replace(/[0-9a-f-]{36}/g, newId()) : path;
      await look(route.method, to, { body: "{", headers: { "content-type": "application/json" } });
    }
    await look(route.method, path, { who: false });
  }
  const large = "x".repeat(1_100_000);
  await look("POST", "/api/repositories", { body: large });
  await look("POST", "/login", { body: large, who: false });
  for (const path of ["/nowhere", "/api/nowhere", "/assets/x/nowhere", "/%ff", "/ws/agent"]) {
    await look("GET", path, { headers: { accept: "text/html" }, who: false });
    await look("PUT", path);
  }
  test.server.database.sqlite.exec("alter table jobs rename to gone");
  const broken = await look("GET", "/jobs", { headers: { accept: "text/html" } });
  const brokenApi = await look("GET", "/api/jobs");
  assert.deepEqual([broken.status, brokenApi.status], [500, 500]);
  test.server.database.sqlite.exec("alter table gone rename to jobs");
  see([...counts].sort().map(([status, count]) => `${count} × ${status}`).join(", "));
  assert.ok(counts.size >= 9);
});
