// What deploy/README.md tells about backing up and moving the server, done as it is told there.
import assert from "node:assert/strict";
import { join } from "node:path";
import { eventually } from "../support/eventually.ts";
import { realRepository, sevenOracles } from "../support/oracles.ts";
import { fault } from "../support/trial.ts";
import { Fleet, runOnce } from "../support/programs.ts";
import { anyRestic } from "../support/restic.ts";

fault({
  id: "F44, F45",
  promise:
    "a server comes back from its database copy and its key, and never with a new key in place of the old one",
  done:
    "the database is copied while the server runs, the server is killed, and started from the copy: without the key, then with it",
  expected:
    "without the key it refuses and makes none; with it the agents reconnect by themselves and back up",
}, async (see) => {
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

  // Someone forgot the key: nothing starts, nothing is made in its place.
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
  see(
    `without its key: ${
      refused.stderr.trim().split("\n").at(-1)
    }; with it the backup ${after.status}`,
  );
  const url = join(fleet.folder, "repository");
  const repositories = [realRepository(anyRestic()!, url)];
  await sevenOracles({ dataDir: fleet.dataDir, repositories }, see);
});
