// A download from restic to the one who reads it: real server, real agent, real restic, over real sockets. 200 MB in memory that does not grow,
// a damaged pack, the agent killed in the middle, and a browser that sees what is broken and what is whole.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { eventually } from "../support/eventually.ts";
import { heldIn, hexOf } from "../support/archives.ts";
import { RealPair } from "../support/real_pair.ts";
import { restics } from "../support/restic.ts";

const MIB = 1_048_576;

async function writeRandom(path: string, mebibytes: number): Promise<string> {
  using file = await Deno.open(path, { write: true, create: true });
  const hash = createHash("sha256");
  const piece = new Uint8Array(MIB);
  for (let n = 0; n < mebibytes; n++) {
    for (let at = 0; at < MIB; at += 65_536) {
      crypto.getRandomValues(piece.subarray(at, at + 65_536));
    }
    await file.write(piece);
    hash.update(piece);
  }
  return hash.digest("hex");
}

async function setUp(restic: string, make: (root: string) => void | Promise<void>) {
  const pair = await RealPair.start();
  const root = join(pair.folder, "data");
  await Deno.mkdir(root);
  await make(root);
  const repository = join(pair.folder, "repository");
  const host = await pair.join("alpha", { restic, repository: { url: repository }, paths: [root] });
  assert.equal((await pair.backup(host)).status, "succeeded");
  const { items } = await pair.api("GET", `/api/hosts/${host.hostId}/snapshots`);
  const get = (paths: string[], format: string, init: RequestInit = {}) => {
    const query = new URLSearchParams(
      [...paths.map((path) => ["path", path]), ["format", format]] as [string, string][],
    );
    return fetch(`${pair.test.url}/api/snapshots/${items[0].id}/download?${query}`, {
      ...init,
      headers: { authorization: `Bearer ${pair.test.tokens.alice}` },
    });
  };
  return { pair, root, repository, host, id: items[0].id as string, get };
}

for (const restic of restics) {
  Deno.test(`200 MB pass the server whole, as a file and in an archive, in memory that does not grow (restic ${restic.version})`, async () => {
    let sum = "";
    const all = await setUp(restic.path, async (root) => {
      sum = await writeRandom(join(root, "large"), 200);
      await Deno.writeTextFile(join(root, "two\nlines"), "small");
    });
    await using pair = all.pair;
    const file = await all.get([join(all.root, "large")], "raw");
    assert.equal(file.headers.get("content-length"), String(200 * MIB));
    const before = Deno.memoryUsage();
    let [heap, rss] = [0, 0];
    const hash = createHash("sha256");
    for await (const piece of file.body!) {
      hash.update(piece);
      const { heapUsed, external, rss: now } = Deno.memoryUsage();
      heap = Math.max(heap, heapUsed + external - before.heapUsed - before.external);
      rss = Math.max(rss, now - before.rss);
    }
    assert.equal(hash.digest("hex"), sum);
    // Server, agent and reader are one process here.
    assert.ok(heap < 96 * MIB && rss < 190 * MIB, `heap ${heap / MIB} MiB, all ${rss / MIB} MiB`);
    const paths = [join(all.root, "large"), join(all.root, "two\nlines")];
    for (const format of ["zip", "tar"] as const) {
      const answer = await all.get(paths, format);
      const path = join(pair.folder, `out.${format}`);
      await Deno.writeFile(path, answer.body!);
      const held = await heldIn(format, path);
      assert.deepEqual(held.map(([path, , , , what]) => [path, what]), [
        [hexOf(paths[0]!.slice(1)), sum],
        [hexOf(paths[1]!.slice(1)), createHash("sha256").update("small").digest("hex")],
      ]);
      await Deno.remove(path);
    }
    assert.deepEqual([...Deno.readDirSync(join(all.repository, "locks"))], []);
    await eventually(
      "nothing is open any more",
      () =>
        pair.test.server.downloads.count === 0 && pair.test.server.readings.at([]) === undefined,
    );
  });
}

Deno.test("a damaged pack breaks the connection in the middle; a reader who leaves ends restic; a stopped agent is an error", async () => {
  const all = await setUp(restics[0]!.path, async (root) => {
    await writeRandom(join(root, "first"), 24);
    await writeRandom(join(root, "second"), 24);
  });
  await using pair = all.pair;
  const leaving = new AbortController();
  const left = await all.get([all.root], "tar", { signal: leaving.signal });
  const reader = left.body!.getReader();
  assert.ok((await reader.read()).value!.length > 0);
  leaving.abort();
  await reader.read().catch(() => {});
  await eventually("it is given up", () => pair.test.server.downloads.count === 0);
  await eventually("its end is in the audit", () =>
    pair.test.server.database.sqlite.prepare(
      "select 1 from audit where action = 'snapshot.download_ended' and detail like '%its reader left%'",
    ).get() !== undefined);
  const packs = [...Deno.readDirSync(join(all.repository, "data"))].flatMap(({ name }) =>
    [...Deno.readDirSync(join(all.repository, "data", name))].map((file) =>
      join(all.repository, "data", name, file.name)
    )
  ).sort((a, b) => Deno.statSync(b).mtime!.getTime() - Deno.statSync(a).mtime!.getTime());
  const large = packs.filter((path) => Deno.statSync(path).size > MIB);
  for (const path of large.slice(0, Math.ceil(large.length / 2))) {
    Deno.chmodSync(path, 0o600);
    using file = Deno.openSync(path, { write: true });
    for (let at = 1000; at < Deno.statSync(path).size - 65_536; at += 100_000) {
      file.seekSync(at, Deno.SeekMode.Start);
      file.writeSync(new Uint8Array(1000));
    }
  }
  for (const format of ["tar", "zip"]) {
    const broken = await all.get([all.root], format);
    if (broken.status === 200) await assert.rejects(broken.bytes(), `${format} looks whole`);
    else await broken.body?.cancel();
  }
  await eventually("nothing is open any more", () => pair.test.server.downloads.count === 0);
  assert.deepEqual([...Deno.readDirSync(join(all.repository, "locks"))], []);
  await all.host.agent.stop();
  await eventually("alpha is offline", () => !pair.test.server.agents.isOnline(all.host.hostId));
  const offline = await all.get([join(all.root, "first")], "raw");
  assert.match((await offline.json()).error.message, /start the agent on alpha/);
});
