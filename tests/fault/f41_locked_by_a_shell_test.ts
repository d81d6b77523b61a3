import assert from "node:assert/strict";
import { eventually } from "../support/eventually.ts";
import { Fleet } from "../support/programs.ts";
import { sqliteShell } from "../support/sqlite_shell.ts";
import { fault } from "../support/trial.ts";

const HELD_MS = 4000;

fault({
  id: "F41",
  promise: "a lock that someone holds on the database stops changes, not pages",
  done:
    "a shell of its own process holds BEGIN IMMEDIATE for seconds while 30 changes come and the dashboard and /healthz are read over and over",
  expected:
    "no page waits as long as the lock; changes get 503 with Retry-After; once the shell has ended a change works within seconds",
}, async (see) => {
  await using fleet = await Fleet.start();
  const token = (await fleet.api("POST", "/api/tokens", { name: "f41" })).token as string;
  const headers = { authorization: `Bearer ${token}`, accept: "text/html" };
  const read = async (path: string) => {
    const began = performance.now();
    const response = await fetch(fleet.url + path, { headers });
    await response.body?.cancel();
    assert.equal(response.status, 200);
    return performance.now() - began;
  };
  for (let n = 0; n < 20; n++) await read("/");
  const change = async () => {
    const response = await fetch(`${fleet.url}/api/tokens`, {
      method: "POST",
      headers: { ...headers, "content-type": "application/json" },
      body: JSON.stringify({ name: crypto.randomUUID() }),
    });
    await response.body?.cancel();
    return { status: response.status, retry: response.headers.get("retry-after") };
  };
  const waits: number[] = [];
  const changes: Awaited<ReturnType<typeof change>>[] = [];
  {
    await using _shell = await sqliteShell(fleet.dataDir, "begin immediate");
    const until = performance.now() + HELD_MS;
    const changing = Promise.all(
      Array.from({ length: 30 }, async (_, n) => {
        await new Promise((resolve) => setTimeout(resolve, n * HELD_MS / 30));
        changes.push(await change());
      }),
    );
    while (performance.now() < until) waits.push(await read("/"), await read("/healthz"));
    await changing;
  }
  const began = performance.now();
  await eventually("a change works again", async () => (await change()).status === 201, 5000);
  const back = performance.now() - began;
  const slowest = Math.max(...waits);
  see(
    `${waits.length} reads, the slowest ${Math.round(slowest)} ms; ${changes.length} changes: ${[
      ...new Set(changes.map(({ status }) => status)),
    ]}; saved again after ${Math.round(back)} ms`,
  );
  assert.ok(slowest < 400, `a page took ${slowest} ms`);
  assert.deepEqual(new Set(changes.map(({ status }) => status)), new Set([503]));
  assert.ok(changes.every(({ retry }) => Number(retry) > 0));
});
