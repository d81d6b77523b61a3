import assert from "node:assert/strict";
import { eventually } from "../support/eventually.ts";
import { SUMMARY } from "../support/fake_restic.ts";
import { fakeHost } from "../support/one_host_fleet.ts";
import { sevenOracles } from "../support/oracles.ts";
import { fault } from "../support/trial.ts";

const WAIT = (go: string) =>
  `echo working; while [ ! -e '${go}' ]; do sleep 0.05; done; ${SUMMARY}`;

fault({
  id: "F05",
  promise:
    "a server that is told to stop does so in seconds, and the agents come back by themselves",
  done: "SIGTERM while a backup runs and five live streams are open, then a new start",
  expected:
    "exit 0 within 10 s, streams end properly, the agent comes back, the job has its true end",
}, async (see) => {
  await using all = await fakeHost(WAIT);
  const { fleet } = all;
  const job = await fleet.run(all.hostId);
  await eventually(
    "its line is stored",
    async () => (await fleet.lines(job)).some((line) => line.text === "working"),
  );
  const open = await Promise.all(
    Array.from({ length: 5 }, () => fleet.open(`/api/jobs/${job}/stream`)),
  );
  // Looked at once the server has ended; until then a failure is nobody's yet.
  const streams = open.map((each) => each.text().catch((error) => `broken off: ${error}`));
  const began = performance.now();
  assert.equal(await fleet.server.end("SIGTERM"), 0);
  const seconds = (performance.now() - began) / 1000;
  assert.ok(seconds < 10, `${seconds} s`);
  for (const seen of await Promise.all(streams)) {
    assert.ok(seen.includes("working") && !seen.includes("broken off"), seen);
  }
  see(`exit 0 after ${seconds.toFixed(1)} s; ${streams.length} streams ended with their lines`);
  assert.match(fleet.agent("alpha").printed(), /the server is stopping/);
  await fleet.startServer();
  await Deno.writeTextFile(all.go, "");
  await fleet.jobIs(job, "succeeded");
  await sevenOracles(all.evidence(), see);
});
