import assert from "node:assert/strict";
import { cleanUpRemovedHosts } from "../../server/hosts/clean_up.ts";
import { attack } from "../support/trial.ts";
import { busyHost, rowsOf } from "../support/quotas.ts";
import { startServer } from "../support/start_server.ts";

const LINES = 300_000;
const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!;

attack({
  id: "promise 2",
  promise: "a host with very many lines is removed at once, and no page feels what follows",
  done: `a host with ${LINES} lines is removed; pages are fetched while its lines go`,
  expected:
    "the removal answers at once, the host and its jobs are gone for everybody; pages are as fast as before (bench: 10⁷ lines)",
}, async (see) => {
  await using test = await startServer();
  const host = await busyHost(test, "alpha");
  test.server.database.sqlite.prepare(
    `with recursive c(n) as (select 1 union all select n + 1 from c where n < ?)
     insert into job_lines (job_number, line, at, stream, text)
       select jobs.number, c.n, 0, 0, 'a line of the length that lines have in logs of restic' from c
       join jobs on jobs.id = ?`,
  ).run(LINES, host.jobId);
  const headers = { Authorization: `Bearer ${test.tokens.victor}` };
  const pages = async () => {
    const times: number[] = [];
    for (let n = 0; n < 60; n++) {
      const began = performance.now();
      await (await fetch(`${test.url}/jobs`, { headers })).arrayBuffer();
      times.push(performance.now() - began);
    }
    return median(times);
  };
  await pages();
  const before = await pages();
  const began = performance.now();
  const removed = await test.api("alice", "DELETE", `/api/hosts/${host.hostId}`);
  see(`removed in ${(performance.now() - began).toFixed(0)} ms: ${removed.status}`);
  const gone = await test.api("alice", "GET", `/api/jobs/${host.jobId}/log.txt`);
  assert.equal(gone.status, 404);
  assert.equal(rowsOf(test, "job_lines"), LINES);
  let isDone = false;
  const clean = cleanUpRemovedHosts(test.server).then(() => isDone = true);
  const during = await pages();
  const left = rowsOf(test, "job_lines");
  see(
    `a page: ${before.toFixed(1)} ms before, ${during.toFixed(1)} ms beside the removal ` +
      `(${LINES - left} lines gone by then)`,
  );
  assert.ok(left < LINES);
  assert.ok(!isDone || left === 0);
  await clean;
  assert.equal(rowsOf(test, "job_lines"), 0);
  await host.agent.untilClosed();
});
