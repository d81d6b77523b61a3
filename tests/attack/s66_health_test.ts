import assert from "node:assert/strict";
import { attack } from "../support/trial.ts";
import { startServer } from "../support/start_server.ts";
import { CANARY, makeWorld } from "../support/world.ts";
import { ROUTES } from "../../server/web/routes.ts";

attack({
  id: "S66",
  promise: "what is open to everybody says nothing of the fleet, and a flood of it stops no page",
  done:
    "every open route is read with hosts, users and machines that wait in the database, by each name that health and metrics go by, and while the database is broken; 3,000 questions for health come at once while someone signed in reads the dashboard",
  expected:
    "healthz says ok or fails without a word of why; no name, address or number of hosts anywhere; no page takes a second",
}, async (see) => {
  await using test = await startServer();
  await using world = await makeWorld(test);
  const facts = [
    CANARY,
    "alice",
    ...world.hosts.flatMap((host) => [host.hostId, host.repositoryId]),
  ];
  facts.push(test.dataDir, "/srv/restic");
  const read = async (path: string) => {
    const response = await fetch(test.url + path, { redirect: "manual" });
    const text = await response.text();
    const found = facts.filter((fact) => text.includes(fact));
    assert.deepEqual(found, [], path);
    return { status: response.status, text, headers: response.headers };
  };
  const open = ROUTES.filter(({ method, role }) => method === "GET" && role === "public");
  for (const route of open) await read(world.pathOf(route));
  const guesses = [
    ...[
      "/metrics",
      "/api/metrics",
      "/health",
      "/healthz?verbose",
      "/healthz/",
      "/debug",
    ],
    ...[
      "/debug/pprof",
      "/status",
      "/server-status",
      "/.env",
      "/.git/config",
      "/api",
      "/api/health",
    ],
  ];
  for (const path of guesses) {
    const { status } = await read(path);
    assert.ok(status === 404 || path.startsWith("/healthz?"), `${path}: ${status}`);
  }
  const health = await read("/healthz");
  assert.deepEqual([health.status, health.text], [200, "ok\n"]);
  const ready = await read("/readyz");
  assert.deepEqual([ready.status, ready.text], [200, "ready\n"]);
  assert.equal(health.headers.get("server"), null);
  const slowest = { ms: 0 };
  let isOver = false;
  const flood = Promise.all(
    Array.from({ length: 60 }, async () => {
      for (let n = 0; n < 50; n++) await read("/healthz");
    }),
  ).finally(() => isOver = true);
  let pages = 0;
  while (!isOver) {
    const began = performance.now();
    const { status, text } = await fetch(`${test.url}/`, {
      headers: { authorization: `Bearer ${test.tokens.victor}`, accept: "text/html" },
    }).then(async (response) => ({ status: response.status, text: await response.text() }));
    assert.ok(status === 200 && text.includes(CANARY));
    slowest.ms = Math.max(slowest.ms, performance.now() - began);
    pages++;
  }
  await flood;
  test.server.database.sqlite.exec("alter table users rename to gone");
  const broken = await read("/healthz");
  test.server.database.sqlite.exec("alter table gone rename to users");
  see(
    `${open.length} open routes and ${guesses.length} guesses name nothing; in the flood ${pages} pages, the slowest ${
      Math.round(slowest.ms)
    } ms; broken: ${broken.status} ${broken.text.slice(0, 60)}`,
  );
  assert.equal(broken.status, 500);
  assert.ok(!/users|table|SQLITE|at /i.test(broken.text));
  assert.ok(slowest.ms < 1000);
});
