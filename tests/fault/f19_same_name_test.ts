import assert from "node:assert/strict";
import { joinHost } from "../support/fake_agent.ts";
import { Announcer } from "../support/fake_announcer.ts";
import { startServer } from "../support/start_server.ts";
import { fault } from "../support/trial.ts";

fault({
  id: "F19",
  promise: "machines that announce under one name are never merged",
  done: "a host's name and a waiting machine's name are announced again under other keys",
  expected: "a row each with its own fingerprint, the collision told to both sides",
}, async (see) => {
  await using test = await startServer();
  await joinHost(test, "Web-01");
  const first = await Announcer.make("web-01");
  assert.equal((await first.announce(test)).body.hostname_collision, true);
  const anna = await Announcer.make("pc-anna");
  assert.equal((await anna.announce(test)).body.hostname_collision, false);
  const twin = await Announcer.make("PC-Anna");
  assert.equal((await twin.announce(test)).body.hostname_collision, true);
  const { items } = (await test.api("olive", "GET", "/api/pending-hosts")).body;
  const rows: { hostname: string; hostname_collision: boolean; fingerprint: string }[] = items;
  assert.deepEqual(rows.map((row) => [row.hostname, row.hostname_collision]), [
    ["web-01", true],
    ["pc-anna", true],
    ["PC-Anna", true],
  ]);
  assert.equal(new Set(rows.map((row) => row.fingerprint)).size, 3);
  see("collisions told, no rows merged");
});
