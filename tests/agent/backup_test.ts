// Whole jobs with the real restics, old and new.
import assert from "node:assert/strict";
import { join } from "node:path";
import { parseRepositoryUrl } from "../../shared/repository_url.ts";
import { backingUp, locksIn, writeNoise } from "../support/backing_up.ts";
import { eventually } from "../support/eventually.ts";
import { FakeServer } from "../support/fake_server.ts";
import { placeRepository, type RealRestic, restics } from "../support/restic.ts";
import { access, jobId, order, spawnAgent, testFolder } from "../support/start_agent.ts";

/** Declares a test once per restic that was found. */
function each(name: string, test: (restic: RealRestic) => Promise<void>): void {
  for (const restic of restics) {
    Deno.test(`${name} (restic ${restic.version})`, () => test(restic));
  }
}

each("a repository is made and a folder is backed up", async (restic) => {
  await using all = await backingUp(restic, { made: false });
  const made = await all.run({ kind: "init", may_create: true });
  assert.equal(made.status, "succeeded", made.reason ?? "");
  assert.equal(made.created, true);
  const saved = await all.run({ source_group: order([all.source]) });
  assert.equal(saved.status, "succeeded", saved.reason ?? "");
  assert.equal(saved.summary?.files_new, 1);
  assert.equal(saved.warnings, 0);
  const list = all.server.of("snapshots.report").at(-1);
  assert.deepEqual(list?.snapshots.map(({ id }) => id), [saved.summary?.snapshot_id]);
  assert.deepEqual(list?.snapshots[0]?.tags, ["documents"]);
  assert.equal(list?.snapshots[0]?.hostname, "alpha");
  assert.deepEqual(list?.snapshots[0]?.paths, [all.source]);
  const told = await all.run({ kind: "stats" });
  assert.equal(told.status, "succeeded", told.reason ?? "");
  assert.ok(all.server.of("repo.stats")[0]!.stats.total_size > 0);
});

each("init on a repository that is there changes nothing and says so", async (restic) => {
  await using all = await backingUp(restic);
  const config = Deno.readFileSync(join(all.repository, "config"));
  const end = await all.run({ kind: "init", may_create: true });
  assert.equal(end.status, "succeeded", end.reason ?? "");
  assert.equal(end.created, false);
  const said = "The repository is there and opens; nothing was changed.";
  assert.ok(all.server.texts(end.job_id).includes(said));
  assert.deepEqual(Deno.readFileSync(join(all.repository, "config")), config);
});

each("init makes nothing unless it was told that the repository is new", async (restic) => {
  await using all = await backingUp(restic, { made: false });
  const end = await all.run({ kind: "init" });
  assert.equal(end.reason_code, "no_repository");
  assert.throws(() => Deno.statSync(all.repository), Deno.errors.NotFound);
});

/** A lock that is still being written counts for nobody. */
function hasWholeLock(repository: string): boolean {
  const folder = join(repository, "locks");
  const [file] = [...Deno.readDirSync(folder)];
  return file !== undefined && /^[0-9a-f]{64}$/.test(file.name) &&
    Deno.statSync(join(folder, file.name)).size > 50;
}

/** A restic that stands still with an exclusive lock: caught in the short time that a check holds it. */
async function holdLock(restic: RealRestic, repository: string): Promise<Deno.ChildProcess> {
  for (;;) {
    const holder = new Deno.Command(restic.path, {
      args: ["check"],
      env: { RESTIC_REPOSITORY: repository, RESTIC_PASSWORD: "secret-of-the-repository" },
      stdout: "null",
      stderr: "null",
    }).spawn();
    await eventually("it holds its lock", () => hasWholeLock(repository));
    holder.kill("SIGSTOP");
    const state = await eventually(
      "it stands still or has ended",
      () => /\) ([TZ]) /.exec(Deno.readTextFileSync(`/proc/${holder.pid}/stat`))?.[1],
    );
    if (state === "T" && hasWholeLock(repository)) return holder;
    holder.kill("SIGCONT");
    await holder.status;
  }
}

each("a repository that another process has locked is told with its holder", async (restic) => {
  await using all = await backingUp(restic);
  const holder = await holdLock(restic, all.repository);
  const end = await all.run({ source_group: order([all.source]) });
  holder.kill("SIGCONT");
  await holder.status;
  assert.equal(end.reason_code, "locked", end.reason ?? "");
  assert.match(
    end.reason ?? "",
    new RegExp(`locked by PID ${holder.pid} on host .+, since \\d{4}-`),
  );
});

each("after kill -9 of the agent the next backup works and leaves no lock", async (restic) => {
  using folder = testFolder();
  const repository = join(folder.path, "repository");
  const source = join(folder.path, "source");
  Deno.mkdirSync(source);
  writeNoise(join(source, "big"), 30_000_000);
  await placeRepository(restic, repository);
  await using server = new FakeServer({ config: { repository: access(repository) } });
  Deno.mkdirSync(join(folder.path, "config"));
  const yaml = `server: ${server.url}\nbearer: b\n`;
  Deno.writeTextFileSync(join(folder.path, "config/agent.yaml"), yaml);
  const [first, second] = [jobId(), jobId()];
  {
    await using agent = spawnAgent(folder.path, { RM_RESTIC: restic.path });
    await server.hello();
    server.run({ job_id: first, source_group: order([source]), bandwidth_up_kib_per_s: 1000 });
    await eventually("it is at work", () => server.of("job.progress").length > 0);
    agent.child.kill("SIGKILL");
    await agent.child.status;
  }
  await using _agent = spawnAgent(folder.path, { RM_RESTIC: restic.path });
  assert.equal((await server.finished(first)).status, "interrupted");
  await server.hello(2);
  server.run({ job_id: second, source_group: order([source]) });
  const end = await server.finished(second, 60_000);
  assert.equal(end.status, "succeeded", end.reason ?? "");
  assert.match(server.texts(second).slice(0, 2).join(), /may have left a lock.*: unlock/);
  assert.equal(locksIn(repository), 0);
});

each("names with spaces, quotes, line breaks in JSON and unicode are backed up", async (restic) => {
  await using all = await backingUp(restic);
  const odd = join(all.source, `it's "quoted" <script> ünï\u202e 𝄞`);
  Deno.mkdirSync(odd);
  Deno.writeTextFileSync(join(odd, "-n"), "x");
  const end = await all.run({ source_group: order([odd], ["--help", "*.tmp"]) });
  assert.equal(end.status, "succeeded", end.reason ?? "");
  assert.equal(end.summary?.files_new, 1);
  assert.deepEqual(all.server.of("snapshots.report").at(-1)?.snapshots[0]?.paths, [odd]);
});

Deno.test("an order under the lease of another address is not run", async () => {
  const [restic] = restics;
  if (!restic) throw new Error("restic is needed");
  await using all = await backingUp(restic, { made: false });
  const end = await all.run({ kind: "init", may_create: true, leased_url: "/another/place" });
  assert.equal(end.reason_code, "address_changed");
  assert.throws(() => Deno.statSync(all.repository), Deno.errors.NotFound);
  const right = await all.run({
    kind: "init",
    may_create: true,
    leased_url: parseRepositoryUrl(all.repository).normalised,
  });
  assert.equal(right.status, "succeeded", right.reason ?? "");
});
