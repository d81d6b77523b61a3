import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import { eventually } from "../support/eventually.ts";
import { freePort, type Program, runOnce, start } from "../support/programs.ts";
import { fault } from "../support/trial.ts";

const TIMES = 20;

fault({
  id: "item 7, F10",
  promise: "of two first starts at once on one empty folder one serves and the other says why not",
  done:
    `two servers are started in the same moment on an empty data folder, ${TIMES} times; every fifth time a command of the command line too`,
  expected:
    "one answers /readyz, the other ends with 1 and one sentence; one key of 32 bytes, one setup link, a whole database",
}, async (see) => {
  const sentences = new Set<string>();
  for (let n = 0; n < TIMES; n++) {
    const dataDir = await Deno.makeTempDir({ prefix: "rm-first-" });
    try {
      sentences.add((await startTwo(dataDir, n % 5 === 0)).replaceAll(dataDir, "DIR"));
    } finally {
      await Deno.remove(dataDir, { recursive: true });
    }
  }
  see(`${TIMES} times one served; the other: ${[...sentences].join(" | ")}`);
  assert.equal(sentences.size, 1);
});

async function startTwo(dataDir: string, withCommand: boolean): Promise<string> {
  const ports = [freePort(), freePort()];
  const env = (port: number) => ({ RM_DATA_DIR: dataDir, RM_LISTEN: `127.0.0.1:${port}` });
  const servers = ports.map((port) => start("server", ["serve"], env(port)));
  const command = withCommand ? runOnce("server", ["user", "list"], env(ports[0]!)) : undefined;
  try {
    const loser = await Promise.race(servers.map((each, n) => each.ended.then(() => n)));
    const [lost, won] = [servers[loser]!, servers[1 - loser]!];
    assert.equal(await lost.ended, 1, lost.printed());
    await eventually("the other one serves", async () => {
      const response = await fetch(`http://127.0.0.1:${ports[1 - loser]}/readyz`);
      await response.body?.cancel();
      return response.status === 200;
    });
    if (command) assert.equal((await command).code, 0, (await command).stderr);
    assert.ok(!lost.printed().includes("/setup?token="));
    assert.equal(won.printed().match(/\/setup\?token=/g)?.length, 1);
    assert.equal((await Deno.stat(join(dataDir, "secret.key"))).size, 32);
    looksWhole(dataDir);
    return await textOf(lost);
  } finally {
    for (const server of servers) await server.end("SIGKILL");
  }
}

async function textOf(server: Program): Promise<string> {
  await server.end();
  return server.printed().trim();
}

function looksWhole(dataDir: string): void {
  const names = [...Deno.readDirSync(dataDir)].map(({ name }) => name);
  assert.deepEqual(names.filter((name) => /^secret\.key\./.test(name)), []);
  const sqlite = new DatabaseSync(join(dataDir, "restic-manager.db"), { timeout: 5000 });
  const { integrity_check } = sqlite.prepare("pragma integrity_check").get() as {
    integrity_check: string;
  };
  const links = sqlite.prepare("select count(*) as n from setup_links").get() as { n: number };
  sqlite.close();
  assert.deepEqual([integrity_check, links.n], ["ok", 1]);
}
