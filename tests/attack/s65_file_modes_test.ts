import assert from "node:assert/strict";
import { join } from "node:path";
import { backupDatabase } from "../../server/database/backup.ts";
import { attack } from "../support/trial.ts";
import { eventually } from "../support/eventually.ts";
import { FakeServer } from "../support/fake_server.ts";
import { FakeRestic, LISTED, SUMMARY } from "../support/fake_restic.ts";
import { joinHost } from "../support/fake_agent.ts";
import {
  access,
  jobId,
  order,
  spawnAgent,
  startAgent,
  testFolder,
} from "../support/start_agent.ts";
import { startServer } from "../support/start_server.ts";

/** Files and folders below that others than their owner may read, write or enter. */
async function openBelow(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of Deno.readDir(folder)) {
    const path = join(folder, entry.name);
    const mode = (await Deno.lstat(path)).mode! & 0o777;
    if (!entry.isSymlink && mode & 0o077) found.push(`${entry.name} ${mode.toString(8)}`);
    if (entry.isDirectory) found.push(...await openBelow(path));
  }
  return found.sort();
}

attack({
  id: "S65",
  promise: "no other user of a machine reads what server and agent keep",
  done:
    "server and agent run with umask 0 and make all their files; a key, a database and an agent.yaml that others can read are put in their places",
  expected:
    "0600 and 0700 throughout, also of copies; the key is refused, the database and agent.yaml are closed to others at the next start",
}, async (see) => {
  const before = Deno.umask(0);
  const seen: string[] = [];
  try {
    using folder = testFolder();
    const dataDir = join(folder.path, "made", "data");
    const first = await startServer({ dataDir });
    await joinHost(first, "alpha");
    await first.server.database.flush();
    const copy = join(folder.path, "copy.db");
    await backupDatabase(dataDir, copy);
    const files = [...Deno.readDirSync(dataDir)].map(({ name }) => name);
    assert.ok(files.includes("restic-manager.db-wal") && files.includes("secret.key"));
    const modes = [dataDir, copy].map((path) => (Deno.statSync(path).mode! & 0o777).toString(8));
    seen.push(
      `server: ${files.length} files, open: ${
        (await openBelow(dataDir)).length
      }; folder and copy ${modes}`,
    );
    assert.deepEqual(await openBelow(dataDir), []);
    assert.deepEqual(modes, ["700", "600"]);
    await first.stop();

    Deno.chmodSync(join(dataDir, "secret.key"), 0o640);
    await assert.rejects(startServer({ dataDir, people: false }), /can be read by others/);
    Deno.chmodSync(join(dataDir, "secret.key"), 0o600);
    // As it lies there after it was put back by cp.
    Deno.chmodSync(join(dataDir, "restic-manager.db"), 0o644);
    const again = await startServer({ dataDir, people: false });
    assert.deepEqual(await openBelow(dataDir), []);
    seen.push("a key for others is refused, a database for others is closed");
    await again.stop();

    const restic = new FakeRestic(folder.path, { verbs: { backup: SUMMARY, snapshots: LISTED } });
    await using server = new FakeServer({ config: { repository: access("/srv/r") } });
    const home = join(folder.path, "agent");
    {
      await using agent = await startAgent(server, { directory: home, restic: restic.path });
      const job_id = jobId();
      const hooks = { pre_hook: "#!/bin/sh\ntrue", timeout_seconds: 10 };
      server.run({ job_id, source_group: { ...order([folder.path]), hooks } });
      assert.equal((await server.finished(job_id)).status, "succeeded");
      assert.ok(agent.agent.connection.isAccepted);
    }
    const state = await openBelow(home);
    seen.push(`agent: open: ${state.length}`);
    assert.deepEqual(state, []);

    await using joining = spawnAgent(join(folder.path, "joins"), {
      ...{ RM_SERVER: server.url, RM_TOKEN: "rmt_x", RM_RESTIC: restic.path },
    });
    await server.hello(2);
    joining.child.kill("SIGTERM");
    await joining.end();
    const yaml = join(folder.path, "joins", "config", "agent.yaml");
    assert.deepEqual(await openBelow(join(folder.path, "joins")), []);
    Deno.chmodSync(yaml, 0o644);
    await using later = spawnAgent(join(folder.path, "joins"), { RM_RESTIC: restic.path });
    await server.hello(3);
    await eventually("it says so", () => later.stderr().includes("could be read by others"));
    const mode = (Deno.statSync(yaml).mode! & 0o777).toString(8);
    seen.push(`an agent.yaml of mode 644 is ${mode} after a start, and the log says so`);
    assert.equal(mode, "600");
    later.child.kill("SIGTERM");
    await later.end();
  } finally {
    Deno.umask(before);
  }
  see(seen.join("; "));
});
