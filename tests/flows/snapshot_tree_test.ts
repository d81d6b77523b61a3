// A snapshot is opened: real server, real agents with restic of two versions at one repository, and a page that waits for nobody.
import assert from "node:assert/strict";
import { join } from "node:path";
import { browsePage } from "../support/browse_page.ts";
import { eventually } from "../support/eventually.ts";
import { RealPair } from "../support/real_pair.ts";
import { restics } from "../support/restic.ts";

for (const [n, restic] of restics.entries()) {
  const other = restics[(n + 1) % restics.length]!;
  Deno.test(`snapshots of two hosts in one repository are opened, by page and API, also when their host is gone (restic ${restic.version}, then ${other.version})`, async () => {
    await using pair = await RealPair.start();
    const folder = (name: string) => {
      const path = join(pair.folder, `data of ${name}`);
      Deno.mkdirSync(join(path, "two\nlines"), { recursive: true });
      Deno.mkdirSync(join(path, "[a-z]*"));
      Deno.writeTextFileSync(join(path, "two\nlines", `of ${name}`), "12345");
      return path;
    };
    const repository = { url: join(pair.folder, "repository") };
    const alpha = await pair.join("alpha", {
      restic: restic.path,
      repository,
      paths: [folder("alpha")],
    });
    const beta = await pair.join("beta", {
      restic: other.path,
      repository: { id: alpha.repositoryId },
      paths: [folder("beta")],
    });
    for (const host of [alpha, beta]) assert.equal((await pair.backup(host)).status, "succeeded");
    const newest = async (hostId: string) =>
      (await pair.api("GET", `/api/hosts/${hostId}/snapshots`)).items[0].id as string;
    const ids = { alpha: await newest(alpha.hostId), beta: await newest(beta.hostId) };
    const tree = (id: string, path: string) =>
      pair.test.api("alice", "GET", `/api/snapshots/${id}/tree?${new URLSearchParams({ path })}`);
    const names = ({ body }: Awaited<ReturnType<typeof tree>>) =>
      body.items.map(({ name }: { name: string }) => name);
    for (const name of ["alpha", "beta"] as const) {
      const top = await tree(ids[name].slice(0, 8), join(pair.folder, `data of ${name}`));
      assert.deepEqual([top.status, names(top)], [200, ["[a-z]*", "two\nlines"]]);
      assert.equal(top.body.reader.name, name);
      const inside = await tree(ids[name], top.body.items[1].path);
      assert.deepEqual([names(inside), inside.body.items[0].size], [[`of ${name}`], 5]);
    }
    // Each snapshot holds what is its host's and nothing else.
    assert.equal((await tree(ids.alpha, join(pair.folder, "data of beta"))).status, 404);

    const page = await browsePage(pair.test, "olive");
    const address = `/snapshots/${ids.alpha}?path=${encodeURIComponent(pair.folder)}`;
    const first = await page(address);
    assert.match(first, /Reading the folder/);
    assert.match(first, /http-equiv="refresh"/);
    const shown = await eventually("the folder is shown", async () => {
      const text = await page(address);
      return text.includes("data of alpha") && !text.includes("Reading") && text;
    }, 20_000);
    assert.match(shown, /made by <a href="\/jobs\//);
    assert.ok(!shown.includes("http-equiv"));

    await alpha.agent.stop();
    await eventually("alpha is offline", () => !pair.test.server.agents.isOnline(alpha.hostId));
    const by = await tree(ids.alpha, join(pair.folder, "data of alpha"));
    assert.deepEqual([by.status, by.body.reader.name, by.body.reader.is_source], [
      200,
      "beta",
      false,
    ]);
    await beta.agent.stop();
    await eventually("beta is offline", () => !pair.test.server.agents.isOnline(beta.hostId));
    assert.equal((await tree(ids.alpha, "/")).status, 503);
    assert.match(await page(`/snapshots/${ids.alpha}`), /start the agent on alpha/);
    assert.deepEqual([...Deno.readDirSync(join(repository.url, "locks"))], []);
  });
}
