import assert from "node:assert/strict";
import { maskUrlCredentials, redactor, visible } from "../../shared/redact.ts";
import { fault } from "../support/trial.ts";
import { joinHost } from "../support/fake_agent.ts";
import { rawGet, rawHttp } from "../support/raw_http.ts";
import { startServer } from "../support/start_server.ts";

// deno-fmt-ignore
const HOSTS = [
  "", "a b", "a/b", "[", "[::1", "]", "a:b", "a:99999999", "%", "%zz", "ä", "xn--", "a..b", "..", "@", "u@h", "localhost:",
  "localhost:1:2", "a".repeat(5000), "\x01", "[::1]x", "[fe80::1%eth0]", "localhost#", "localhost?", "1e9", "localhost\\x",
  "\u200b", "localhost,localhost", "localhost\tx", "256.256.256.256", "[1.2.3.4]", "*", "'", '"', "<script>",
];
const PATHS = [
  "/",
  "/api/hosts",
  "/healthz",
  "/readyz",
  "/login",
  "/ws/agent",
  "/ws/pending",
  "/install.sh",
];
const LINES = [
  "GET / HTTP/1.0\r\n",
  "GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil\r\n",
  "GET http://[/ HTTP/1.1\r\nHost: localhost\r\n",
  "GET * HTTP/1.1\r\nHost: localhost\r\n",
  "OPTIONS * HTTP/1.1\r\nHost: localhost\r\n",
  "GET http:// HTTP/1.1\r\nHost: [\r\n",
  "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n",
  "GET a:b HTTP/1.1\r\nHost: localhost\r\n",
];

const ENVIRONMENTS: Record<string, string>[] = [{}, { RM_BASE_URL: "http://backup.example.org" }];
for (const env of ENVIRONMENTS) {
  fault({
    id: "item 9",
    promise: `a broken Host header is the caller's fault${
      "RM_BASE_URL" in env ? ", also where RM_BASE_URL is set" : ""
    }`,
    done:
      `${HOSTS.length} Host headers that no browser sends on ${PATHS.length} paths each, and ${LINES.length} odd request lines`,
    expected: "4xx every time, and nothing in the log as a fault of ours",
  }, async (see) => {
    await using test = await startServer({ env });
    const seen = new Map<number, number>();
    for (const host of HOSTS) {
      for (const path of PATHS) {
        const { status } = await rawGet(test.url, path, { host });
        seen.set(status, (seen.get(status) ?? 0) + 1);
      }
    }
    for (const line of LINES) {
      const { status } = await rawHttp(test.url, `${line}Connection: close\r\n\r\n`);
      seen.set(status, (seen.get(status) ?? 0) + 1);
    }
    see([...seen].map(([status, times]) => `${times} × ${status}`).join(", "));
    // What is no name at all is 400 wherever it comes.
    for (const host of ["", "[", "a b", "[::1]x"]) {
      assert.equal((await rawGet(test.url, "/api/hosts", { host })).status, 400, host);
    }
    assert.ok([...seen.keys()].every((status) => status >= 400 && status < 500));
    assert.deepEqual(test.logged.filter((line) => / error /i.test(line)), []);
  });
}

fault({
  id: "item 9",
  promise:
    "a name that readers leave out without a word is refused, and what was given with it is not lost unnoticed",
  done:
    "__proto__ at the top, in an environment, in options, in a list and deep inside, to each route that takes JSON, and in a form's environment",
  expected: "422 that names the place, every time; nothing is stored",
}, async (see) => {
  await using test = await startServer();
  const host = await joinHost(test, "alpha");
  const repository = {
    name: "r",
    url: "s3:https://s3.example.org/r",
    password: "a long password",
    is_new: true,
  };
  const of = (body: string) => body.replaceAll("PROTO", '"__proto__"');
  const bodies: [string, string, string, string][] = [
    [
      "POST",
      "/api/enrollment-tokens",
      of('{"hostname": "b", PROTO: {"tags": ["x"]}}'),
      "__proto__",
    ],
    [
      "POST",
      "/api/repositories",
      of(JSON.stringify(repository).replace("}", ', "environment": {PROTO: "secret"}}')),
      "environment.__proto__",
    ],
    [
      "POST",
      "/api/repositories",
      of(JSON.stringify(repository).replace("}", ', "options": {PROTO: "5"}}')),
      "options.__proto__",
    ],
    [
      "POST",
      `/api/hosts/${host.hostId}/source-groups`,
      of('{"name": "g", "includes": ["/x", {"a": {PROTO: 1}}]}'),
      "includes.1.a.__proto__",
    ],
    [
      "PUT",
      `/api/hosts/${host.hostId}/bandwidth`,
      of('{"windows": [{PROTO: {}}]}'),
      "windows.0.__proto__",
    ],
    [
      "PUT",
      `/api/repositories/${host.repositoryId}/maintenance`,
      of('{"forget": {"enabled": true, PROTO: {"cron": "x"}}}'),
      "forget.__proto__",
    ],
  ];
  let refused = 0;
  for (const [method, path, body, field] of bodies) {
    const answer = await fetch(`${test.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${test.tokens.alice}`, "content-type": "application/json" },
      body,
    });
    const { error } = await answer.json();
    assert.deepEqual([answer.status, error.field], [422, field], `${method} ${path}`);
    refused++;
  }
  const { body } = await test.api("alice", "GET", "/api/repositories");
  see(`${refused} of ${bodies.length} refused by place; ${body.items.length} repository`);
  assert.equal(body.items.length, 1);
});

fault({
  id: "item 9",
  promise: "masking takes time that grows with a line's length, and not with its square",
  done:
    "lines of two million characters made to be slow: letters, dots, schemes, @ signs, quotes, the secrets themselves",
  expected: "each is masked at once (quadratic it would be hours), and no secret comes through",
}, async (see) => {
  const secret = "correct-horse-battery";
  const mask = redactor([secret, "backup", "12345678"], ["rest:https://nas.example/backup"]);
  const size = 2_000_000;
  const parts = [
    "a",
    ".+-",
    "a://",
    "a:",
    "@",
    '"',
    "=12345678",
    " ",
    "backup=",
    "password: ",
    "-u ",
    secret,
    "::",
    "a@b:",
  ];
  let longest = 0;
  for (const part of parts) {
    for (
      const [head, tail] of [["", ""], ["https://", ""], ["https://user:", "@host/"], [
        "password ",
        " backup",
      ]]
    ) {
      const line = head + part.repeat(Math.floor(size / part.length)) + tail;
      const began = performance.now();
      const masked = visible(maskUrlCredentials(mask(line)));
      longest = Math.max(longest, performance.now() - began);
      assert.ok(!masked.includes(secret));
    }
  }
  assert.equal(
    maskUrlCredentials("1https://u:p@h x.y+rest:http://a:b@c/"),
    "1https://***@h x.y+rest:http://***@c/",
  );
  see(`${parts.length * 4} lines; the slowest took ${Math.round(longest)} ms`);
  await Promise.resolve();
});
