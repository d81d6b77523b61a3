import assert from "node:assert/strict";
import { attack } from "../support/trial.ts";
import { signIn } from "../support/browser_session.ts";
import { PASSWORD, startServer } from "../support/start_server.ts";
import { makeWorld } from "../support/world.ts";
import { ROUTES } from "../../server/web/routes.ts";

/** The only ones that a cache may keep: the same for everybody. */
const SHARED = /^\/(assets\/|install\/|agent\/binary$)/;

attack({
  id: "S62",
  promise: "nothing that someone who is signed in has seen is left in a cache",
  done:
    "every page and answer is read with a session and with a token, also as HEAD and with what a cache asks (If-None-Match, If-Modified-Since, Range); then the user signs out by the page and by the API",
  expected:
    "no-store and no validator on all but the public files; after signing out the browser is told to clear its cache and the session is dead",
}, async (see) => {
  await using test = await startServer();
  await using world = await makeWorld(test);
  const { cookie } = await signIn(test, "alice");
  const asked = {
    "if-none-match": "*",
    "if-modified-since": new Date(Date.now() + 86_400_000).toUTCString(),
    range: "bytes=0-10",
  };
  const whoever: Record<string, string>[] = [
    { cookie },
    { authorization: `Bearer ${test.tokens.alice}` },
    {},
  ];
  let looked = 0;
  let shared = 0;
  for (const route of ROUTES.filter(({ method }) => method === "GET")) {
    const path = world.pathOf(route);
    for (const who of whoever) {
      for (const method of ["GET", "HEAD"]) {
        const response = await fetch(test.url + path, {
          method,
          headers: { ...who, ...asked, accept: "text/html" },
          redirect: "manual",
        });
        await response.body?.cancel();
        const { headers, status } = response;
        const control = headers.get("cache-control") ?? "";
        if (SHARED.test(path)) {
          shared++;
          assert.equal(headers.get("set-cookie"), null, path);
          assert.ok(status === 404 || status === 422 || /^(public|no-cache)/.test(control), path);
          continue;
        }
        looked++;
        assert.equal(control, "no-store", `${method} ${path}: ${status} ${control}`);
        for (const name of ["etag", "last-modified", "expires"]) {
          assert.equal(headers.get(name), null, `${path}: ${name}`);
        }
        assert.ok(status !== 304 && status !== 206, `${path}: ${status}`);
      }
    }
  }
  // What shows a secret once is an answer to a POST, and not kept either.
  for (
    const [path, body] of [
      ["/api/tokens", { name: "x" }],
      ["/api/auth/login", { username: "victor", password: PASSWORD }],
      ["/api/enrollment-tokens", {
        hostname: "m",
        repository: { name: "m", url: "/srv/m", is_new: true },
      }],
    ] as const
  ) {
    const { headers, status } = await test.api("alice", "POST", path, body);
    assert.ok(status < 300);
    assert.equal(headers.get("cache-control"), "no-store", path);
  }
  const cleared: string[] = [];
  for (const path of ["/logout", "/api/auth/logout"]) {
    const { cookie } = await signIn(test, "olive");
    const out = await fetch(test.url + path, {
      method: "POST",
      headers: { cookie, origin: test.url },
      redirect: "manual",
    });
    await out.body?.cancel();
    const after = await fetch(`${test.url}/`, { headers: { cookie }, redirect: "manual" });
    await after.body?.cancel();
    cleared.push(`${path}: ${out.headers.get("clear-site-data")}, then ${after.status}`);
    assert.equal(out.headers.get("clear-site-data"), '"cache"');
    assert.match(out.headers.get("set-cookie") ?? "", /rm_session=;.*Max-Age=0/);
    assert.equal(after.status, 401);
  }
  see(`${looked} answers with no-store, ${shared} of public files; ${cleared.join("; ")}`);
});
