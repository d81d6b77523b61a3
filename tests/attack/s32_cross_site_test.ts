import assert from "node:assert/strict";
import { attack } from "../support/trial.ts";
import { call, signIn } from "../support/browser_session.ts";
import { PASSWORD, startServer } from "../support/start_server.ts";
import { changedSince, makeWorld, storedIn } from "../support/world.ts";
import { ROUTES } from "../../server/web/routes.ts";

/** What browsers, old ones too, send along when another page makes them send a request. */
function fromElsewhere(url: string): Record<string, Record<string, string>> {
  const { port } = new URL(url);
  return {
    "an old browser that says nothing": {},
    "a sandboxed frame": { origin: "null" },
    "another site": { origin: "https://evil.example", "sec-fetch-site": "cross-site" },
    "another port": { origin: "http://127.0.0.1:1", "sec-fetch-site": "same-site" },
    "a name that begins like ours": { origin: `${url}.evil.example` },
    "a name that ends like ours": { origin: `http://evil-127.0.0.1:${port}` },
    "https instead of http": { origin: url.replace("http:", "https:") },
    "the same machine by its name": { origin: `http://localhost:${port}` },
    "two origins": { origin: `${url} https://evil.example` },
    "a path behind ours": { origin: `${url}/` },
    "a referer alone": { referer: `${url}/hosts` },
    "someone else's form token": { "x-csrf-token": "x".repeat(43) },
    "an origin of capital letters": { origin: url.toUpperCase() },
    "an unknown word": { "sec-fetch-site": "same-originn" },
  };
}

attack({
  id: "S32",
  promise: "no other site makes the browser of someone who is signed in change anything",
  done:
    "every route that changes something is called with an admin's cookie as other pages would make his browser call it: each kind of origin, as form, plain text, JSON, multipart; logins and sign-outs too; and every page is opened from another site",
  expected: "403 each, nothing changed, the session goes on; opening a page changes nothing",
}, async (see) => {
  await using test = await startServer();
  await using world = await makeWorld(test);
  const { cookie } = await signIn(test, "alice");
  const before = storedIn(test);
  const bodies: [string, BodyInit][] = [
    ["application/x-www-form-urlencoded", "confirm_name=x&_csrf=&username=alice&password=x"],
    ["text/plain", '{"role":"admin","x":"=1"}'],
    ["application/json", '{"role":"admin"}'],
    [
      "multipart/form-data; boundary=x",
      '--x\r\nContent-Disposition: form-data; name="_csrf"\r\n\r\n\r\n--x--\r\n',
    ],
  ];
  let refused = 0;
  const unsafe = ROUTES.filter(({ method }) => method !== "GET");
  const cases = Object.entries(fromElsewhere(test.url));
  for (const [at, route] of unsafe.entries()) {
    const path = world.pathOf(route);
    // Each route with each origin, and the bodies in turns.
    for (const [n, [what, headers]] of cases.entries()) {
      const [type, body] = bodies[(at + n) % bodies.length]!;
      const response = await fetch(test.url + path, {
        method: route.method,
        headers: { cookie, accept: "text/html", "content-type": type, ...headers },
        body,
        redirect: "manual",
      });
      const text = await response.text();
      assert.equal(response.status, 403, `${route.method} ${path}, ${what}, ${type}: ${text}`);
      refused++;
    }
  }
  // A page that another site opens: it shows, and that is all.
  for (
    const route of ROUTES.filter(({ method, path }) =>
      method === "GET" && !/stream|live/.test(path)
    )
  ) {
    const response = await fetch(test.url + world.pathOf(route), {
      headers: { cookie, "sec-fetch-site": "cross-site", accept: "text/html" },
      redirect: "manual",
    });
    await response.body?.cancel();
    assert.ok(response.status < 500);
  }
  assert.deepEqual(changedSince(test, before), []);
  const stillIn = await call(test, "GET", "/api/hosts", { headers: { cookie } });
  assert.equal(stillIn.status, 200, "signed out by another site");
  // Signing someone in as the thief: also without any cookie.
  const statuses: number[] = [];
  for (const [, headers] of cases.filter(([what]) => !/nothing|referer|token/.test(what))) {
    for (
      const [path, type, body] of [
        ["/login", "application/x-www-form-urlencoded", `username=victor&password=${PASSWORD}`],
        [
          "/api/auth/login",
          "text/plain",
          JSON.stringify({ username: "victor", password: PASSWORD }),
        ],
        [
          "/api/auth/login",
          "application/json",
          JSON.stringify({ username: "victor", password: PASSWORD }),
        ],
      ] as const
    ) {
      const answer = await fetch(test.url + path, {
        method: "POST",
        headers: { "content-type": type, ...headers },
        body,
        redirect: "manual",
      });
      await answer.body?.cancel();
      assert.equal(answer.headers.get("set-cookie"), null);
      statuses.push(answer.status);
    }
  }
  see(
    `${refused} calls of ${unsafe.length} routes refused; ${statuses.length} logins from elsewhere: ${
      [...new Set(statuses)].join(", ")
    }; pages opened from elsewhere changed nothing`,
  );
  assert.deepEqual([...new Set(statuses)], [403]);
});
