// A machine joins by approval: real programs, real restic, and either side ended in the middle.
import assert from "node:assert/strict";
import { join } from "node:path";
import { eventually } from "../support/eventually.ts";
import { Fleet, type Program, randomFiles, runOnce } from "../support/programs.ts";
import { anyRestic, placeRepository } from "../support/restic.ts";

const PASSWORD = "secret-of-the-repository";

// deno-lint-ignore no-explicit-any
async function waiting(fleet: Fleet): Promise<any> {
  return await eventually("the machine waits, its key proven", async () => {
    const { items } = await fleet.api("GET", "/api/pending-hosts");
    return items.find((each: { connected: boolean }) => each.connected);
  }, 60_000);
}

async function bannerOf(agent: Program): Promise<string> {
  return await eventually(
    "the banner is printed",
    () => /^ {2}fingerprint {2}(SHA256:[0-9a-f]{64})$/m.exec(agent.printed())?.[1],
    60_000,
  );
}

async function accept(fleet: Fleet, row: { id: string; fingerprint: string }, password = PASSWORD) {
  return await fleet.api("POST", `/api/pending-hosts/${row.id}/accept`, {
    fingerprint: row.fingerprint,
    name: "anna",
    initial_paths: [join(fleet.folder, "files")],
    repository: { name: "one", url: join(fleet.folder, "repository"), password, is_new: false },
  });
}

Deno.test("a machine that waits outlives restarts and kills of both sides with one fingerprint, and backs up once accepted", async () => {
  await using fleet = await Fleet.start();
  await randomFiles(join(fleet.folder, "files"), 3, 50_000);
  await placeRepository(anyRestic()!, join(fleet.folder, "repository"));
  const agent = fleet.startAgent("anna");
  const fingerprint = await bannerOf(agent);
  const row = await waiting(fleet);
  assert.equal(row.fingerprint, fingerprint);
  const status = await runOnce("agent", ["status"], {
    RM_CONFIG_DIR: join(fleet.folder, "anna/config"),
    RM_STATE_DIR: join(fleet.folder, "anna/state"),
  });
  assert.match(status.stdout, /approval +waiting for an admin at http/);
  assert.ok(status.stdout.includes(fingerprint));

  await agent.end("SIGKILL");
  const again = fleet.startAgent("anna");
  assert.equal(await bannerOf(again), fingerprint);
  assert.equal((await waiting(fleet)).id, row.id);

  await fleet.server.end("SIGKILL");
  await fleet.startServer();
  assert.equal((await waiting(fleet)).id, row.id);
  assert.equal(again.printed().match(/SHA256:/g)?.length, 2, "the banner and the log, once each");

  const { host_id } = await accept(fleet, row);
  await fleet.repositoryReady(host_id);
  const jobId = await fleet.run(host_id);
  const job = await fleet.jobIs(jobId, "succeeded", "failed");
  assert.equal(job.status, "succeeded", job.reason);
  assert.match(again.printed(), /^accepted: this machine is now host anna$/m);
  assert.equal((await fleet.api("GET", `/api/hosts/${host_id}/snapshots`)).items.length, 1);

  // What it received is kept: the next start asks nobody.
  await again.end("SIGTERM");
  const third = fleet.startAgent("anna");
  await eventually(
    "it is online",
    async () => (await fleet.api("GET", `/api/hosts/${host_id}`)).online,
    60_000,
  );
  assert.ok(!third.printed().includes("SHA256:"));
});

Deno.test("accepted with a wrong repository password the host joins, and its init job says what is wrong", async () => {
  await using fleet = await Fleet.start();
  await placeRepository(anyRestic()!, join(fleet.folder, "repository"));
  fleet.startAgent("anna");
  const { host_id } = await accept(fleet, await waiting(fleet), "not the password");
  const host = await eventually("the init job has failed", async () => {
    const found = await fleet.api("GET", `/api/hosts/${host_id}`);
    return found.repository_state === "failed" && found;
  }, 60_000);
  assert.ok(host.online);
  const job = await fleet.api("GET", `/api/jobs/${host.repository_job_id}`);
  assert.deepEqual([job.kind, job.status], ["init", "failed"]);
  assert.match(job.reason, /password/i);
  assert.ok(!JSON.stringify(job).includes("not the password"));
});
