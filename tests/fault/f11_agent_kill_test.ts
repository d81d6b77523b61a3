import assert from "node:assert/strict";
import { eventually } from "../support/eventually.ts";
import { faultPerRestic } from "../support/fault_per_restic.ts";
import { locksOf, realHost, SLOW } from "../support/one_host_fleet.ts";
import { sevenOracles } from "../support/oracles.ts";

faultPerRestic({
  id: "F11",
  promise: "a killed agent costs the backup that ran, and nothing after it",
  done: "kill -9 of the agent in the middle of a real backup, and a new start",
  expected: "the job is interrupted with its reason; the next backup succeeds and leaves no lock",
}, async (restic, see) => {
  await using all = await realHost(restic);
  const { fleet, hostId } = all;
  const job = await fleet.run(hostId, SLOW);
  await all.running(job);
  await fleet.agent("alpha").end("SIGKILL");
  fleet.startAgent("alpha", all.env);
  const ended = await fleet.jobIs(job, "interrupted", "failed", "succeeded");
  assert.equal(ended.status, "interrupted");
  assert.match(ended.reason, /agent/);
  see(`${ended.status}: ${ended.reason}`);
  await eventually("online", async () => (await fleet.api("GET", `/api/hosts/${hostId}`)).online);
  const next = await fleet.jobIs(await fleet.run(hostId), "succeeded", "failed");
  assert.equal(next.status, "succeeded", next.reason);
  assert.equal((await fleet.api("GET", `/api/hosts/${hostId}`)).last_backup.status, "succeeded");
  assert.equal(locksOf(all.repository), 0);
  see("the next backup succeeded; no lock is left");
  await sevenOracles(all.evidence(), see);
});

faultPerRestic({
  id: "F12",
  promise: "an agent that is stopped as a service ends its restic properly",
  done: "SIGTERM to the agent in the middle of a real backup that another one waits behind",
  expected:
    "exit 0 within 15 s, both are told as interrupted, no lock is left, or by restic 0.14 one that the next backup removes",
}, async (restic, see) => {
  await using all = await realHost(restic);
  const { fleet, hostId } = all;
  const job = await fleet.run(hostId, SLOW);
  await all.running(job);
  await eventually("restic has its lock", () => locksOf(all.repository) > 0);
  const waiting = await fleet.run(hostId, { kind: "unlock" });
  const agent = fleet.agent("alpha");
  await eventually("both are known", () => agent.printed().includes("Accepted unlock job"));
  const began = performance.now();
  assert.equal(await agent.end("SIGTERM"), 0);
  const seconds = (performance.now() - began) / 1000;
  assert.ok(seconds < 15, `${seconds} s`);
  const first = await fleet.jobIs(job, "interrupted", "cancelled", "failed", "succeeded");
  const second = await fleet.jobIs(waiting, "interrupted", "cancelled", "failed", "succeeded");
  see(
    `exit 0 after ${
      seconds.toFixed(1)
    } s; the backup: ${first.status} (${first.reason}); what waited: ${second.status}`,
  );
  assert.deepEqual([first.status, second.status], ["interrupted", "interrupted"]);
  const left = locksOf(all.repository);
  if (!restic.version.startsWith("0.14")) assert.equal(left, 0);
  fleet.startAgent("alpha", all.env);
  await eventually("online", async () => (await fleet.api("GET", `/api/hosts/${hostId}`)).online);
  const next = await fleet.jobIs(await fleet.run(hostId), "succeeded", "failed");
  assert.equal(next.status, "succeeded", next.reason);
  assert.equal(locksOf(all.repository), 0);
  see(`${left} locks were left; after the next backup none is`);
  await sevenOracles(all.evidence(), see);
});
