// What deploy/README.md tells about backing up and moving the server, done as it is told there.
import assert from "node:assert/strict";
import { join } from "node:path";
import { eventually } from "../support/eventually.ts";
import { Fleet, runOnce } from "../support/programs.ts";
import { anyRestic } from "../support/restic.ts";

Deno.test("a server comes back from its database copy and its key: agents reconnect by themselves and back up", async () => {
  await using fleet = await Fleet.start();
  const source = join(fleet.folder, "files");
  await Deno.mkdir(source);
  await Deno.writeTextFile(join(source, "a"), "content");
  const host = await fleet.join(
    "alpha",
    {
      name: "r",
      url: join(fleet.folder, "repository"),
      password: "secret-of-the-repository",
      is_new: true,
    },
    [source],
    { RM_RESTIC: anyRestic()!.path },
  );
  await fleet.repositoryReady(host);
  const before = await fleet.jobIs(await fleet.run(host), "succeeded");

  const database = join(fleet.folder, "saved.db");
  const made = await runOnce("server", ["backup-database", database], {
    RM_DATA_DIR: fleet.dataDir,
  });
  assert.equal(made.code, 0, made.stderr);
  assert.equal((await Deno.stat(database)).mode! & 0o077, 0);
  const copy = join(fleet.folder, "copy");
  await Deno.mkdir(copy);
  await Deno.copyFile(database, join(copy, "restic-manager.db"));
  await Deno.copyFile(join(fleet.dataDir, "secret.key"), join(copy, "secret.key"));
  await fleet.server.end("SIGKILL");

  // Somebody forgot the key: nothing starts, nothing is made in its place.
  const forgotten = join(fleet.folder, "forgotten");
  await Deno.mkdir(forgotten);
  await Deno.copyFile(database, join(forgotten, "restic-manager.db"));
  const refused = await runOnce("server", ["serve"], {
    RM_DATA_DIR: forgotten,
    RM_LISTEN: fleet.url.replace("http://", ""),
  });
  assert.notEqual(refused.code, 0);
  assert.match(refused.stderr, /secret\.key is missing/);
  await assert.rejects(Deno.stat(join(forgotten, "secret.key")), Deno.errors.NotFound);

  fleet.dataDir = copy;
  await fleet.startServer();
  await eventually(
    "the agent is back",
    async () => (await fleet.api("GET", `/api/hosts/${host}`)).online,
    30_000,
  );
  const jobs = await fleet.api("GET", `/api/jobs?host=${host}&kind=backup`);
  assert.deepEqual(jobs.items.map(({ id }: { id: string }) => id), [before.id]);
  const after = await fleet.jobIs(await fleet.run(host), "succeeded", "failed");
  assert.equal(after.status, "succeeded", after.reason);
});

Deno.test("check-health tells whether the server answers", async () => {
  await using fleet = await Fleet.start();
  const env = { RM_DATA_DIR: fleet.dataDir, RM_LISTEN: fleet.url.replace("http://", "") };
  const up = await runOnce("server", ["check-health"], env);
  assert.deepEqual([up.code, up.stdout], [0, "ok\n"]);
  await fleet.server.end("SIGTERM");
  const down = await runOnce("server", ["check-health"], env);
  assert.equal(down.code, 1);
  assert.match(down.stderr, /does not answer/);
});
