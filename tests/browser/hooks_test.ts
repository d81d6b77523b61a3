// Hooks as an admin sets them and as everybody watches them: real server, real agent, real shell.
import assert from "node:assert/strict";
import { join } from "node:path";
import { browserTest } from "../support/browser.ts";
import { RealPair } from "../support/real_pair.ts";
import { anyRestic } from "../support/restic.ts";

browserTest(
  "a pre hook is set in the browser, tried, and seen in the live log of a run with a limit",
  async (browser) => {
    const restic = anyRestic();
    if (!restic) throw new Error("restic is needed");
    await using pair = await RealPair.start();
    const host = await pair.join("alpha", {
      restic: restic.path,
      repository: { url: join(pair.folder, "repository"), is_new: true },
      paths: ["/etc/hostname"],
    });
    const page = await browser.logIn(pair.test.url, "alice");
    await page.goto(`${pair.test.url}/hosts/${host.hostId}/sources`);
    await page.getByRole("link", { name: "Change…" }).click();
    await page.getByText("Hooks run as root").waitFor();
    assert.equal(await page.getByRole("button", { name: "Test this hook" }).count(), 0);
    await page.getByLabel("Before the backup (pre_hook)").fill("echo hello; sleep 0.5");
    await page.getByRole("button", { name: "Save changes" }).click();
    await page.getByText("of its own", { exact: true }).waitFor();

    await page.getByRole("link", { name: "Change…" }).click();
    await page.getByText("In force: this group's own.").waitFor();
    await page.getByRole("button", { name: "Test this hook" }).click();
    await page.getByRole("heading", { name: "Try of a hook of “default” on alpha" }).waitFor();
    await page.locator("#log-rows", { hasText: "hook: hello" }).waitFor();
    await page.locator("#job-state", { hasText: "succeeded" }).waitFor();
    await page.locator("#job-outcome", { hasText: "The hook ended well." }).waitFor();

    await page.goto(`${pair.test.url}/hosts/${host.hostId}/sources`);
    await page.getByText("Limit bandwidth for this run").click();
    await page.getByLabel("Up, KiB/s").fill("512");
    await page.getByRole("button", { name: "Run now" }).click();
    await page.getByRole("heading", { name: "Backup of “default” on alpha" }).waitFor();
    const line = page.locator("#log-rows .line", { hasText: "hook: hello" });
    await line.waitFor();
    await page.locator("#job-state", { hasText: "limited to 512 KiB/s up" }).waitFor();
    await page.locator("#job-state", { hasText: "succeeded" }).waitFor({ timeout: 30_000 });
    const log = await page.locator("#log-rows").innerText();
    assert.match(log, /--limit-upload 512/);
    assert.ok(log.indexOf("hook: hello") < log.indexOf("backup --json"), log);

    // An operator reads it and cannot change it; what is saved by an operator keeps it.
    const other = await browser.logIn(pair.test.url, "olive");
    await other.goto(`${pair.test.url}/hosts/${host.hostId}/sources`);
    await other.getByRole("link", { name: "Change…" }).click();
    const hook = other.getByLabel("Before the backup (pre_hook)");
    assert.equal(await hook.inputValue(), "echo hello; sleep 0.5");
    assert.equal(await hook.isDisabled(), true);
    assert.equal(await other.getByRole("button", { name: "Test this hook" }).count(), 0);
    await other.getByLabel("Exclude patterns").fill("*.tmp");
    await other.getByRole("button", { name: "Save changes" }).click();
    await other.getByText("The changes are saved.").waitFor();
    const [group] = (await pair.api("GET", `/api/hosts/${host.hostId}/source-groups`)).items;
    assert.deepEqual([group.pre_hook, group.excludes], ["echo hello; sleep 0.5", ["*.tmp"]]);
  },
);

browserTest(
  "default hooks and limits by the hour are set on the Repository tab",
  async (browser) => {
    const restic = anyRestic();
    if (!restic) throw new Error("restic is needed");
    await using pair = await RealPair.start();
    const host = await pair.join("alpha", {
      restic: restic.path,
      repository: { url: join(pair.folder, "repository"), is_new: true },
      paths: ["/etc/hostname"],
    });
    browser.allow(/422/);
    const page = await browser.logIn(pair.test.url, "alice");
    const tab = `${pair.test.url}/hosts/${host.hostId}/repository`;
    await page.goto(tab);
    await page.getByLabel("After the backup (post_hook)").fill("echo $RM_JOB_STATUS");
    await page.getByRole("button", { name: "Save hooks" }).click();
    await page.getByText("The hooks are saved.").waitFor();
    await page.getByText("Other limits at certain hours").click();
    await page.getByLabel("Days").selectOption("every day");
    await page.getByLabel("From").fill("0:00");
    await page.getByLabel("To", { exact: true }).fill("24:00");
    await page.locator("[name='windows.0.bandwidth_up_kbps']").fill("777");
    await page.getByRole("button", { name: "Save limits" }).click();
    await page.getByText("Must be a time from 00:00 to 23:59.").waitFor();
    assert.equal(await page.getByLabel("To", { exact: true }).first().inputValue(), "24:00");
    await page.getByLabel("From").first().fill("00:00");
    await page.getByRole("button", { name: "Save limits" }).click();
    await page.getByText("The limits are saved.").waitFor();
    const job = await pair.backup(host);
    assert.deepEqual([job.status, job.bandwidth_up_kbps], ["succeeded", 777]);
    const texts = await pair.texts(job.id);
    assert.ok(texts.includes("hook: succeeded"), texts.join("\n"));
    await page.goto(`${pair.test.url}/hosts/${host.hostId}/sources`);
    await page.getByText("of the host").waitFor();
  },
);
