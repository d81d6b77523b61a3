// Either side is killed in the middle of a backup.
import assert from "node:assert/strict";
import { join } from "node:path";
import { eventually } from "../support/eventually.ts";
import { FakeRestic, LISTED, SUMMARY } from "../support/fake_restic.ts";
import { Fleet, randomFiles } from "../support/programs.ts";
import { anyRestic, resticByHand } from "../support/restic.ts";

const PASSWORD = "secret-of-the-repository";
/** With this cap the real restic takes some seconds for the files below. */
const SLOW = { kind: "backup", bandwidth_up_kbps: 600 };

async function running(fleet: Fleet, job: string): Promise<void> {
  await fleet.jobIs(job, "running");
  await eventually("restic runs", async () => (await fleet.lines(job)).length > 0);
}

Deno.test("kill -9 of the server in the middle of a real backup: the backup ends succeeded, its snapshot is listed, every line is there once", async () => {
  await using fleet = await Fleet.start();
  const source = join(fleet.folder, "files");
  await randomFiles(source, 6, 500_000);
  const repository = join(fleet.folder, "repository");
  const host = await fleet.join("alpha", {
    name: "r",
    url: repository,
    password: PASSWORD,
    is_new: true,
  }, [source]);
  await fleet.repositoryReady(host);
  const job = await fleet.run(host, SLOW);
  await running(fleet, job);
  await fleet.server.end("SIGKILL");
  await fleet.startServer();
  const ended = await fleet.jobIs(job, "succeeded", "failed", "interrupted");
  assert.equal(ended.status, "succeeded", ended.reason);
  const lines = await fleet.lines(job);
  assert.deepEqual(lines.map((line) => line.n), lines.map((_, index) => index + 1));
  const listed = await resticByHand(anyRestic()!, repository, ["snapshots", "--json"], PASSWORD);
  assert.ok(listed.includes(ended.summary.snapshot_id));
});

Deno.test("the server is killed three times while a job prints 30,000 lines: each line is stored once and in order", async () => {
  await using fleet = await Fleet.start();
  const count = 30_000;
  const restic = new FakeRestic(fleet.folder, {
    verbs: {
      // Some seconds of lines, in bursts.
      backup:
        `i=0; while [ $i -lt 60 ]; do seq -f "line %.0f" $((i * 500 + 1)) $((i * 500 + 500)); sleep 0.1; i=$((i + 1)); done; ${SUMMARY}`,
      snapshots: LISTED,
    },
  });
  const host = await fleet.join(
    "alpha",
    { name: "r", url: join(fleet.folder, "repository"), is_new: false, password: PASSWORD },
    ["/etc"],
    { RM_RESTIC: restic.path },
  );
  await fleet.repositoryReady(host);
  const job = await fleet.run(host);
  for (const seen of [1000, 8000, 16_000]) {
    await eventually(`${seen} lines`, async () => {
      return (await fleet.lines(job)).length >= seen;
    }, 60_000);
    await fleet.server.end("SIGKILL");
    await fleet.startServer();
  }
  await fleet.jobIs(job, "succeeded");
  const numbered = (await fleet.lines(job)).filter((line) => line.text.startsWith("line "));
  assert.equal(numbered.length, count);
  numbered.forEach((line, index) => assert.equal(line.text, `line ${index + 1}`));
  assert.equal(restic.starts.filter((each) => each.args.startsWith("backup")).length, 1);
});

Deno.test("a backup that ends while the server is away is told when it is back", async () => {
  await using fleet = await Fleet.start();
  const restic = new FakeRestic(fleet.folder, {
    verbs: {
      backup: `while [ ! -e '${fleet.folder}/go' ]; do sleep 0.05; done; echo done; ${SUMMARY}`,
      snapshots: LISTED,
    },
  });
  const host = await fleet.join(
    "alpha",
    { name: "r", url: join(fleet.folder, "repository"), is_new: false, password: PASSWORD },
    ["/etc"],
    { RM_RESTIC: restic.path },
  );
  await fleet.repositoryReady(host);
  const job = await fleet.run(host);
  await running(fleet, job);
  await fleet.server.end("SIGKILL");
  await Deno.writeTextFile(join(fleet.folder, "go"), "");
  await eventually("the end is in the agent's journal", async () => {
    const journal = join(fleet.folder, "alpha", "state", "journal");
    for await (const file of Deno.readDir(journal)) {
      const text = await Deno.readTextFile(join(journal, file.name));
      if (text.split("\n").some((line) => line.includes("job.finished") && line.includes(job))) {
        return true;
      }
    }
  });
  // The agent is killed too: what it has to tell is on its disk.
  await fleet.agent("alpha").end("SIGKILL");
  await fleet.startServer();
  fleet.startAgent("alpha", { RM_RESTIC: restic.path });
  await fleet.jobIs(job, "succeeded");
  assert.ok((await fleet.lines(job)).some((line) => line.text === "done"));
});

Deno.test("kill -9 of the agent in the middle of a real backup: the job is interrupted with its reason, and the next run works", async () => {
  await using fleet = await Fleet.start();
  const source = join(fleet.folder, "files");
  await randomFiles(source, 6, 500_000);
  const host = await fleet.join("alpha", {
    name: "r",
    url: join(fleet.folder, "repository"),
    password: PASSWORD,
    is_new: true,
  }, [source]);
  await fleet.repositoryReady(host);
  const job = await fleet.run(host, SLOW);
  await running(fleet, job);
  await fleet.agent("alpha").end("SIGKILL");
  fleet.startAgent("alpha");
  const ended = await fleet.jobIs(job, "interrupted", "failed", "succeeded");
  assert.equal(ended.status, "interrupted");
  assert.match(ended.reason, /agent/);
  await eventually("online", async () => (await fleet.api("GET", `/api/hosts/${host}`)).online);
  const next = await fleet.jobIs(await fleet.run(host), "succeeded", "failed");
  assert.equal(next.status, "succeeded", next.reason);
  assert.equal((await fleet.api("GET", `/api/hosts/${host}`)).last_backup.status, "succeeded");
});

Deno.test("SIGTERM ends the server within ten seconds while a stream and an agent are open, and the agent comes back", async () => {
  await using fleet = await Fleet.start();
  const restic = new FakeRestic(fleet.folder, {
    verbs: {
      backup: `echo working; while [ ! -e '${fleet.folder}/go' ]; do sleep 0.05; done; ${SUMMARY}`,
      snapshots: LISTED,
    },
  });
  const host = await fleet.join(
    "alpha",
    { name: "r", url: join(fleet.folder, "repository"), is_new: false, password: PASSWORD },
    ["/etc"],
    { RM_RESTIC: restic.path },
  );
  await fleet.repositoryReady(host);
  const job = await fleet.run(host);
  await eventually(
    "its line is stored",
    async () => (await fleet.lines(job)).some((line) => line.text === "working"),
  );
  const response = await fleet.open(`/api/jobs/${job}/stream`);
  // Looked at once the server has ended; until then a failure is nobody's yet.
  const stream = response.text().catch((error) => `broken off: ${error}`);
  const began = performance.now();
  assert.equal(await fleet.server.end("SIGTERM"), 0);
  assert.ok(performance.now() - began < 10_000);
  const seen = await stream;
  assert.ok(seen.includes("working") && !seen.includes("broken off"), seen);
  await fleet.startServer();
  await Deno.writeTextFile(join(fleet.folder, "go"), "");
  await fleet.jobIs(job, "succeeded");
});
