import assert from "node:assert/strict";
import { eventually } from "../support/eventually.ts";
import { FakeRestic, LISTED, SNAPSHOT_ID, SUMMARY } from "../support/fake_restic.ts";
import { fakeRepository, sevenOracles } from "../support/oracles.ts";
import { Fleet } from "../support/programs.ts";
import { fault } from "../support/trial.ts";
import { Wire } from "../support/wire.ts";

async function setUp(backup: string) {
  await using stack = new AsyncDisposableStack();
  const fleet = stack.use(await Fleet.start());
  const wire = stack.use(new Wire(Number(new URL(fleet.url).port)));
  const restic = new FakeRestic(fleet.folder, { verbs: { backup, snapshots: LISTED } });
  const repository = { name: "r", url: "/srv/fault", password: "a password", is_new: false };
  const env = { RM_RESTIC: restic.path, RM_SERVER: wire.url };
  const hostId = await fleet.join("alpha", repository, ["/etc"], env);
  await fleet.repositoryReady(hostId);
  const evidence = {
    dataDir: fleet.dataDir,
    repositories: [fakeRepository("/srv/fault", [SNAPSHOT_ID])],
    counters: [restic],
  };
  return Object.assign(stack.move(), { fleet, wire, restic, hostId, evidence });
}

/** kill -9, and all that was on its way is lost. */
async function killServer({ fleet, wire }: { fleet: Fleet; wire: Wire }): Promise<void> {
  await fleet.server.end("SIGKILL");
  wire.cut();
  wire.release();
  await fleet.startServer();
}

fault({
  id: "F02, F03",
  promise: "an order that the server's death took on its way is sent again, and carried out once",
  done:
    "the network holds what the server sends; a backup is ordered, so that its row is stored and its frame never arrives; kill -9 of the server",
  expected: "after the restart the agent receives it once; restic is started once",
}, async (see) => {
  await using all = await setUp(SUMMARY);
  all.wire.hold("down");
  const job = await all.fleet.run(all.hostId);
  await killServer(all);
  const ended = await all.fleet.jobIs(job, "succeeded", "failed", "interrupted");
  assert.equal(ended.status, "succeeded", ended.reason);
  see(
    `${ended.status}; accepted by the agent: ${
      all.fleet.agent("alpha").printed().match(/Accepted backup job/g)?.length
    } time`,
  );
  await sevenOracles(all.evidence, see);
});

fault({
  id: "F03",
  promise: "an order that was received but not answered for is not carried out twice",
  done:
    "the agent receives a backup and begins it, the network holds all that it says; kill -9 of the server, then the order is sent three times more",
  expected: "no second restic; the job has its true end",
}, async (see) => {
  await using all = await setUp(`sleep 3; ${SUMMARY}`);
  all.wire.hold("up");
  const job = await all.fleet.run(all.hostId);
  await eventually("restic runs", () => all.restic.begun.some(({ verb }) => verb === "backup"));
  await killServer(all);
  for (let n = 0; n < 2; n++) {
    all.wire.cut();
    await eventually(
      "the agent is back",
      async () => (await all.fleet.api("GET", `/api/hosts/${all.hostId}`)).online,
    );
  }
  const ended = await all.fleet.jobIs(job, "succeeded", "failed", "interrupted");
  assert.equal(ended.status, "succeeded", ended.reason);
  see(`${ended.status}; ${all.wire.connections} connections`);
  await sevenOracles(all.evidence, see);
});
