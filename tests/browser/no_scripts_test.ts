// The same server for someone whose browser runs no scripts.
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { browserTest, overflow, PHONE } from "../support/browser.ts";
import { FakeAgent, joinHost } from "../support/fake_agent.ts";
import { startServer, type TestServer } from "../support/start_server.ts";

const NO_SCRIPTS = { scripts: false };
const REFUSED = /status of (401|422)/;

/** A host that is online, with its repository ready, and what it is told to run. */
async function onlineHost(server: TestServer) {
  const { hostId, bearer } = await joinHost(server, "alpha");
  return { hostId, agent: await connect(server, bearer) };
}

async function connect(server: TestServer, bearer: string): Promise<FakeAgent> {
  const agent = await FakeAgent.connect(server.url, bearer);
  const { job_id } = await agent.next("command.run");
  agent.started(job_id);
  await agent.acknowledged(agent.finished(job_id, { created: true }));
  return agent;
}

const valueOf = (page: Page, label: string | RegExp) => page.getByLabel(label).inputValue();

browserTest(
  "without scripts: a wrong password keeps the name, a wrong host keeps all that was typed, and the command is shown",
  async (browser) => {
    browser.allow(REFUSED);
    await using server = await startServer();
    const page = await browser.open(server.url, NO_SCRIPTS);
    await page.goto("/jobs");
    await page.getByLabel("User name").fill("olive");
    await page.getByLabel("Password").fill("wrong");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("Wrong user name or password.").waitFor();
    assert.equal(await valueOf(page, "User name"), "olive");
    await page.getByLabel("Password").fill("correct horse battery staple");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.waitForURL("**/jobs");

    await page.getByRole("link", { name: "Hosts", exact: true }).click();
    await page.getByRole("link", { name: "Add host" }).click();
    await page.getByLabel("Name", { exact: true }).fill("web 01");
    await page.getByLabel(/^Tags/).fill("berlin, web");
    await page.getByLabel("Paths to back up").fill("\n/etc\nhome");
    await page.getByLabel("Name of the repository").fill("office nas");
    await page.getByLabel("Address").fill("rest:https://user:secret@backup.example.org/");
    await page.getByRole("radio", { name: /A repository: open it/ }).check();
    await page.getByRole("button", { name: "Make the command" }).click();
    await page.getByText("3 fields need another look. Nothing was saved.").waitFor();
    await page.getByText(/^Line 2 must be an absolute path/).waitFor();
    assert.equal(await valueOf(page, /^Name$/), "web 01");
    assert.equal(await valueOf(page, /^Tags/), "berlin, web");
    assert.equal(await valueOf(page, "Paths to back up"), "\n/etc\nhome");
    assert.ok(await page.getByRole("radio", { name: /A repository: open it/ }).isChecked());

    await page.getByLabel("Name", { exact: true }).fill("web-01");
    await page.getByLabel("Paths to back up").fill("/etc");
    await page.getByLabel("Address").fill("rest:https://backup.example.org/");
    await page.getByRole("radio", { name: /Nothing yet/ }).check();
    await page.getByRole("button", { name: "Make the command" }).click();
    await page.getByRole("heading", { name: "Run one command on web-01" }).waitFor();
    await page.getByText("Keep this password somewhere safe").waitFor();
    const command = await page.locator(".command", { hasText: "RM_TOKEN=" }).first().textContent();
    const { status } = await server.api(null, "POST", "/api/agents/enroll", {
      token: /RM_TOKEN=(\S+)/.exec(command!)![1],
      hostname: "machine",
      os: "linux",
      arch: "x86_64",
      agent_version: "0.1.0",
    });
    assert.equal(status, 200);
    await page.getByRole("link", { name: "the list of hosts" }).click();
    await page.locator("table.hosts").getByRole("link", { name: "web-01" }).waitFor();
  },
);

browserTest(
  "without scripts: Run now leads to a job page that loads itself again until the job is cancelled",
  async (browser) => {
    await using server = await startServer();
    const { hostId, agent } = await onlineHost(server);
    const page = await browser.logIn(server.url, "olive", NO_SCRIPTS);
    await page.getByRole("button", { name: "Run now: alpha" }).click();
    await page.waitForURL("**/jobs/*");
    const { job_id } = await agent.next("command.run", ({ kind }) => kind === "backup");
    assert.ok(page.url().endsWith(job_id));
    agent.started(job_id);
    await agent.acknowledged(agent.lines(job_id, 1, ["the first line"]));
    // No reload by this test.
    await page.getByText("the first line").waitFor();
    await page.locator("#job-state").getByText("running").waitFor();
    assert.ok(await page.getByPlaceholder("Filter lines").isHidden());

    await page.getByRole("button", { name: "Cancel job" }).click();
    await agent.next("command.cancel", (message) => message.job_id === job_id);
    await page.locator("#job-state").getByText("cancelling").waitFor();
    await agent.acknowledged(
      agent.finished(job_id, {
        status: "cancelled",
        exit_code: 130,
        reason: "Cancelled by olive.",
      }),
    );
    await page.locator("#job-outcome").getByText("Cancelled by olive.").waitFor();
    await page.goto(`/hosts/${hostId}/jobs`);
    await page.getByText("cancelled").first().waitFor();
    await agent.close();
  },
);

browserTest(
  "without scripts: a wrong source group keeps what was typed, filters have a button, the theme and signing out work",
  async (browser) => {
    browser.allow(REFUSED);
    await using server = await startServer();
    const { hostId, agent } = await onlineHost(server);
    const page = await browser.logIn(server.url, "olive", { ...NO_SCRIPTS, size: PHONE });
    await page.goto(`/hosts/${hostId}/sources/new`);
    await page.getByLabel("Name", { exact: true }).fill("home");
    await page.getByLabel("Paths to back up").fill("/home\nrelative");
    await page.getByLabel("Keep within").fill("thirty days");
    await page.getByRole("button", { name: "Add source group" }).click();
    await page.getByText(/^Line 2 must be an absolute path/).waitFor();
    assert.equal(await valueOf(page, "Paths to back up"), "/home\nrelative");
    assert.equal(await valueOf(page, "Keep within"), "thirty days");
    assert.equal(await overflow(page), 0);
    await page.getByLabel("Paths to back up").fill("/home");
    await page.getByLabel("Keep within").fill("30d");
    await page.getByRole("button", { name: "Add source group" }).click();
    await page.getByText("The source group is added.").waitFor();

    await page.goto("/");
    await page.getByLabel("State").selectOption("offline");
    await page.getByRole("button", { name: "Show" }).click();
    await page.getByRole("heading", { name: "No host matches" }).waitFor();

    const menu = page.locator("details.menu summary");
    await menu.click();
    await page.getByRole("button", { name: "Dark" }).click();
    await page.locator('html[data-theme="dark"]').waitFor();
    await menu.click();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.waitForURL("**/login");
    // Signing out empties the browser's cache: all that the page is drawn with is fetched again.
    await page.waitForLoadState("networkidle");
    await agent.close();
  },
);
