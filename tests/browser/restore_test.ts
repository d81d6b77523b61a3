// The worst day, by keyboard alone: a host is dead, and its files are restored to another machine.
import assert from "node:assert/strict";
import { join } from "node:path";
import type { Locator, Page } from "playwright-core";
import { browserTest } from "../support/browser.ts";
import { eventually } from "../support/eventually.ts";
import { RealPair } from "../support/real_pair.ts";
import { anyRestic } from "../support/restic.ts";
import { listed, sh } from "../support/restoring.ts";

/** Presses Tab until the element has the focus, as somebody without a mouse does. */
async function tabTo(page: Page, element: Locator): Promise<void> {
  for (let presses = 0; presses < 150; presses++) {
    await page.keyboard.press("Tab");
    if (await element.evaluate((each) => each === document.activeElement)) return;
  }
  assert.fail(`the keyboard does not come to ${element}`);
}

browserTest(
  "files of a dead host are restored to another machine by keyboard alone",
  async (browser) => {
    const restic = anyRestic();
    if (!restic) throw new Error("restic is needed");
    await using pair = await RealPair.start();
    const source = join(pair.folder, "data");
    sh(
      `mkdir -p "$1/letters" "$1/left"; cd "$1"; echo 1 > letters/one; echo 2 > "letters/[two]*"; echo 3 > left/three`,
      source,
    );
    const alpha = await pair.join("alpha", {
      restic: restic.path,
      repository: { url: join(pair.folder, "repository") },
      paths: [source],
    });
    await pair.join("beta", {
      restic: restic.path,
      repository: { id: alpha.repositoryId },
      paths: [source],
    });
    assert.equal((await pair.backup(alpha)).status, "succeeded");
    await alpha.agent.stop();
    await eventually("alpha is offline", () => !pair.test.server.agents.isOnline(alpha.hostId));

    const page = await browser.logIn(pair.test.url, "alice");
    await page.goto(`${pair.test.url}/hosts/${alpha.hostId}`);
    await tabTo(page, page.getByRole("link", { name: "Snapshots", exact: true }));
    await page.keyboard.press("Enter");
    const { items: [{ id }] } = await pair.api("GET", `/api/hosts/${alpha.hostId}/snapshots`);
    const row = page.locator(`a[href*="/snapshots/${id.slice(0, 8)}"]`).first();
    await row.waitFor();
    await tabTo(page, row);
    await page.keyboard.press("Enter");
    for (const name of source.split("/").filter(Boolean)) {
      const folder = page.locator(".tree").getByRole("link", { name, exact: true });
      await folder.waitFor();
      await tabTo(page, folder);
      await page.keyboard.press("Enter");
      await page.getByRole("navigation").or(page.locator(".crumbs")).first().waitFor();
    }
    const tick = page.getByRole("checkbox", { name: "letters" });
    await tick.waitFor();
    await tabTo(page, tick);
    await page.keyboard.press("Space");
    await tabTo(page, page.getByRole("button", { name: "Restore selected" }));
    await page.keyboard.press("Enter");
    const machine = page.getByLabel("Machine");
    await machine.waitFor();
    await tabTo(page, machine);
    await page.keyboard.type("beta");
    assert.match(
      await machine.evaluate((each: HTMLSelectElement) => each.selectedOptions[0]!.text),
      /^beta/,
    );
    await tabTo(page, page.getByRole("textbox", { name: /^Folder/ }));
    const target = join(pair.folder, "restored");
    await page.keyboard.type(target);
    // Enter shows what would be, and restores nothing.
    await page.keyboard.press("Enter");
    await page.getByText(`${target}${source}/letters`).waitFor();
    assert.equal((await pair.api("GET", "/api/jobs?kind=restore")).items.length, 0);
    await tabTo(page, page.getByRole("button", { name: "Restore", exact: true }));
    await page.keyboard.press("Enter");
    await page.getByText("Whole: ").waitFor();
    assert.equal(listed(join(target, source, "letters")), listed(join(source, "letters")));
    assert.deepEqual([...Deno.readDirSync(join(target, source))].map(({ name }) => name), [
      "letters",
    ]);
    // From there once more.
    await tabTo(page, page.getByRole("button", { name: "Restore it again" }));
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Restore", exact: true }).waitFor();
    assert.match(await page.locator(".chosen").innerText(), /letters/);
  },
);
