import assert from "node:assert/strict";
import { join } from "node:path";
import { eventually } from "../support/eventually.ts";
import { FakeRestic, LISTED, SNAPSHOT_ID, SUMMARY } from "../support/fake_restic.ts";
import { fakeRepository, sevenOracles } from "../support/oracles.ts";
import { RealPair } from "../support/real_pair.ts";
import { fault } from "../support/trial.ts";
import { Wire } from "../support/wire.ts";

/** A pair whose agent is behind a wire and takes a server that is silent for a second for gone. */
async function setUp(backup: (go: string) => string) {
  await using stack = new AsyncDisposableStack();
  const pair = stack.use(await RealPair.start());
  const wire = stack.use(new Wire(Number(new URL(pair.test.url).port)));
  const go = join(pair.folder, "go");
  const restic = new FakeRestic(pair.folder, { verbs: { backup: backup(go), snapshots: LISTED } });
  const pace = { firstRetryMs: 20, slowestRetryMs: 100, heartbeatMs: 200, silentMs: 1000 };
  const host = await pair.join("alpha", {
    restic: restic.path,
    repository: { url: "/srv/fault", is_new: false },
    paths: ["/etc"],
    server: wire.url,
    options: { pace },
  });
  const evidence = {
    dataDir: pair.test.dataDir,
    repositories: [fakeRepository("/srv/fault", [SNAPSHOT_ID])],
    counters: [restic],
  };
  return Object.assign(stack.move(), { pair, wire, host, go, evidence });
}

const WAIT = (go: string) =>
  `echo working; while [ ! -e '${go}' ]; do sleep 0.05; done; ${SUMMARY}`;

for (
  const [id, ways] of [["F25", ["up", "down"]], ["F26, up", ["up"]], ["F26, down", [
    "down",
  ]]] as const
) {
  fault({
    id,
    promise: "a connection that is open and dead is noticed by both sides, and costs no job",
    done: `the network takes what goes ${
      ways.join(" and ")
    } and passes nothing on while a backup runs and ends; then it goes on`,
    expected:
      "the server shows the host offline after 90 s, the agent dials anew; the job has its true end, restic was started once",
  }, async (see) => {
    await using all = await setUp(WAIT);
    const { pair, host, wire } = all;
    const path = `/api/hosts/${host.hostId}`;
    const { job_id } = await pair.api("POST", `${path}/jobs`, { kind: "backup" });
    await eventually(
      "it runs",
      async () => (await pair.api("GET", `/api/jobs/${job_id}`)).status === "running",
    );
    wire.hold(...ways);
    const before = wire.connections;
    await Deno.writeTextFile(all.go, "");
    if (ways.some((way) => way === "up")) {
      await eventually("the server has noticed", async () => {
        pair.test.clock.pass(30_000);
        return !(await pair.api("GET", path)).online;
      });
      see("the server shows it offline");
    }
    await eventually("the agent dials anew", () => wire.connections > before);
    wire.release();
    const job = await pair.ended(job_id);
    assert.equal(job.status, "succeeded", job.reason);
    await eventually("online", async () => (await pair.api("GET", path)).online);
    see(`${job.status}; ${wire.connections} connections`);
    await sevenOracles(all.evidence, see);
  });
}

fault({
  id: "F27",
  promise: "a slow line delivers everything, and its host counts as connected",
  done: "a job prints 4,000 lines over a line of 40 kB/s; heartbeats are due five times a second",
  expected: "the connection stays, all lines are there in order",
}, async (see) => {
  await using all = await setUp(() => `seq -f 'line %.0f' 4000; ${SUMMARY}`);
  const { pair, host, wire } = all;
  const before = wire.connections;
  wire.bytesPerSecond = 40_000;
  const job = await pair.backup(host);
  assert.equal(job.status, "succeeded", job.reason);
  const lines = (await pair.texts(job.id)).filter((text) => text.startsWith("line "));
  assert.equal(lines.length, 4000);
  assert.ok(lines.every((text, n) => text === `line ${n + 1}`));
  see(`${lines.length} lines; ${wire.connections - before} new connections`);
  assert.equal(wire.connections, before);
  await sevenOracles(all.evidence, see);
});
