import assert from "node:assert/strict";
import { eventually } from "../support/eventually.ts";
import { SUMMARY } from "../support/fake_restic.ts";
import { fakeHost, realHost, SLOW } from "../support/one_host_fleet.ts";
import { sevenOracles } from "../support/oracles.ts";
import { anyRestic } from "../support/restic.ts";
import { fault } from "../support/trial.ts";

fault({
  id: "F01",
  promise: "a backup goes on while the server is dead, and is told as it ended",
  done: "kill -9 of the server in the middle of a real backup, and a new start",
  expected: "the backup ends succeeded, its snapshot is listed, every line is there once",
}, async (see) => {
  await using all = await realHost(anyRestic()!);
  const { fleet } = all;
  const job = await fleet.run(all.hostId, SLOW);
  await all.running(job);
  await fleet.server.end("SIGKILL");
  await fleet.startServer();
  const ended = await fleet.jobIs(job, "succeeded", "failed", "interrupted");
  assert.equal(ended.status, "succeeded", ended.reason);
  see(`the job ${ended.status} with ${(await fleet.lines(job)).length} lines`);
  await sevenOracles(all.evidence(), see);
});

fault({
  id: "F01, lines",
  promise: "of what a job prints while the server dies each line is stored once and in order",
  done: "the server is killed three times while a job prints 30,000 lines, once for two seconds",
  expected: "all 30,000 lines in order; restic was started once",
}, async (see) => {
  const count = 30_000;
  // Some seconds of lines, in bursts.
  await using all = await fakeHost(() =>
    `i=0; while [ $i -lt 60 ]; do seq -f "line %.0f" $((i * 500 + 1)) $((i * 500 + 500)); sleep 0.1; i=$((i + 1)); done; ${SUMMARY}`
  );
  const { fleet } = all;
  const job = await fleet.run(all.hostId);
  for (const seen of [1000, 8000, 16_000]) {
    await eventually(
      `${seen} lines`,
      async () => (await fleet.lines(job)).length >= seen,
      60_000,
    );
    await fleet.server.end("SIGKILL");
    if (seen === 8000) await new Promise((resolve) => setTimeout(resolve, 2000));
    await fleet.startServer();
  }
  await fleet.jobIs(job, "succeeded");
  const numbered = (await fleet.lines(job)).filter((line) => line.text.startsWith("line "));
  assert.equal(numbered.length, count);
  numbered.forEach((line, index) => assert.equal(line.text, `line ${index + 1}`));
  see(`${numbered.length} lines in order`);
  await sevenOracles(all.evidence(), see);
});
