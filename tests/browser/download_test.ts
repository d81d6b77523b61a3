// Downloads as a browser has them: a ticked selection with names of two lines, from the page of a folder, and one that breaks off in the middle.
import assert from "node:assert/strict";
import { join } from "node:path";
import { heldIn, hexOf } from "../support/archives.ts";
import { browserTest } from "../support/browser.ts";
import { eventually } from "../support/eventually.ts";
import { FakeAgent, joinHost } from "../support/fake_agent.ts";
import { RealPair } from "../support/real_pair.ts";
import { anyRestic } from "../support/restic.ts";
import { startServer } from "../support/start_server.ts";

browserTest(
  "what is ticked on the page of a folder comes as one zip, whatever its names are",
  async (browser) => {
    const restic = anyRestic();
    if (!restic) throw new Error("restic is needed");
    await using pair = await RealPair.start();
    const root = join(pair.folder, "da\nta");
    await Deno.mkdir(root);
    for (const name of ["two\nlines", "other", "left"]) {
      await Deno.writeTextFile(join(root, name), `<b>${name}`);
    }
    const repository = { url: join(pair.folder, "repository") };
    const host = await pair.join("alpha", {
      restic: restic.path,
      repository,
      paths: [join(root, "..")],
    });
    await pair.backup(host);
    const { items: [{ id }] } = await pair.api("GET", `/api/hosts/${host.hostId}/snapshots`);
    const page = await browser.logIn(pair.test.url, "alice");
    await page.goto(`${pair.test.url}/snapshots/${id}?${new URLSearchParams({ path: root })}`);
    await page.getByRole("checkbox", { name: "lines" }).check();
    await page.getByRole("checkbox", { name: "other" }).check();
    const coming = page.waitForEvent("download");
    await page.getByRole("button", { name: "Download selected as zip" }).click();
    const path = join(pair.folder, "selected.zip");
    await (await coming).saveAs(path);
    const held = await heldIn("zip", path);
    assert.deepEqual(
      held.map(([name]) => name),
      ["other", "two\nlines"].map((name) => hexOf(join(root, name).slice(1))),
    );
    await page.getByRole("link", { name: "Preview other" }).click();
    await page.getByText("<b>other").waitFor();
  },
);

browserTest(
  "a download that fails in the middle is a failed one in the browser",
  async (browser) => {
    await using test = await startServer();
    const host = await joinHost(test, "alpha", {}, ["/home"]);
    const agent = await FakeAgent.connect(test.url, host.bearer);
    const id = "1a2b3c4d".repeat(8);
    await agent.acknowledged(agent.snapshots(host.repositoryId, [id]));
    const page = await browser.logIn(test.url, "alice");
    await page.goto(`${test.url}/account`);
    // A browser may ask again for what broke off: each time it is sent as much.
    const answering = (async () => {
      for (let n = 1; !agent.closed; n++) {
        const { stream_id, request } = await agent.opened(n);
        const isRaw = (request as { format: string }).format === "raw";
        const send = () => agent.data(stream_id, new Uint8Array(40_000).fill(0x78));
        agent.data(stream_id, `${JSON.stringify({ size: isRaw ? 80_000 : null })}\n`);
        send();
        await new Promise((resolve) => setTimeout(resolve, 500));
        // After the last byte too.
        if (isRaw) send();
        agent.endStream(stream_id, { code: "failed", message: "exit code 1" });
      }
    })().catch(() => {});
    for (const format of ["raw", "zip"]) {
      const coming = page.waitForEvent("download");
      await page.evaluate((href) => {
        const link = Object.assign(document.createElement("a"), { href, download: "" });
        document.body.append(link);
        link.click();
      }, `/snapshots/${id}/download?path=/x.html&format=${format}`);
      assert.ok(await (await coming).failure(), `${format} looks whole`);
      await eventually("it is over", () => test.server.downloads.count === 0);
    }
    await agent.close();
    await answering;
  },
);
