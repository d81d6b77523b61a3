/// <reference lib="dom" />
// The whole walk as one person makes it, from an empty dashboard to signing out, with the compiled programs away from the
// checkout, a real restic and a browser: a machine announces itself and is accepted, backed up, put on a schedule.
import assert from "node:assert/strict";
import { join } from "node:path";
import type { Locator, Page } from "playwright-core";
import { browserTest, press, tabTo, type } from "../support/browser.ts";
import { buildForTests } from "../support/compiled.ts";
import { eventually } from "../support/eventually.ts";
import {
  freePort,
  type Program,
  randomFiles,
  runOnce,
  start,
  useCompiled,
} from "../support/programs.ts";
import { anyRestic, resticByHand } from "../support/restic.ts";

const REPOSITORY_PASSWORD = "the password of the repository";
const HOOK_LINE = "the database is dumped";

const link = (page: Page | Locator, name: string) => page.getByRole("link", { name, exact: true });
const button = (page: Page | Locator, name: string) =>
  page.getByRole("button", { name, exact: true });
const field = (page: Page | Locator, label: string | RegExp) =>
  page.getByLabel(label, { exact: true });

browserTest(
  "the whole walk with the compiled programs: announce, accept, back up with a hook and a limit, schedule, re-initialise, sign out",
  async (browser) => {
    browser.allow(/\/repo\/reinit.* status of 400/);
    const programs = await buildForTests();
    useCompiled(programs);
    const folder = await Deno.makeTempDir({ prefix: "rm-whole-walk-" });
    const listen = `127.0.0.1:${freePort()}`;
    const env = { RM_LISTEN: listen, RM_DATA_DIR: join(folder, "server") };
    const repository = join(folder, "repository");
    const started: Program[] = [];
    try {
      const added = await runOnce("server", ["user", "add", "alice", "--role", "admin"], env);
      assert.equal(added.code, 0, added.stderr);
      started.push(start("server", ["serve"], env));
      await eventually("the server answers", async () => {
        const response = await fetch(`http://${listen}/healthz`);
        await response.body?.cancel();
        return response.ok;
      });
      const page = await browser.open(`http://${listen}`);
      await logIn(page, added.stdout.trim().split("\n").at(-1)!);
      assert.ok(await page.getByRole("heading", { name: "No hosts yet" }).isVisible());
      assert.ok(await page.locator("#pending").isHidden());

      const agent = start("agent", ["run"], {
        RM_SERVER: `http://${listen}`,
        RM_CONFIG_DIR: join(folder, "config"),
        RM_STATE_DIR: join(folder, "state"),
      });
      started.push(agent);
      await accept(page, agent, repository);

      // As long at 512 KiB/s as it takes to look at it.
      await randomFiles(join(folder, "files"), 4, 1_048_576);
      await addGroup(page, join(folder, "files"));
      await setHook(page);
      await runLimited(page, agent.pid);
      await schedule(page);
      await dashboardRow(page);
      await reinitialise(page, repository);
      await signOut(page);
    } finally {
      for (const program of started.reverse()) await program.end("SIGTERM");
      await Deno.remove(folder, { recursive: true });
      await Deno.remove(programs, { recursive: true });
    }
  },
);

async function logIn(page: Page, password: string): Promise<void> {
  await page.goto("/");
  await page.waitForURL("**/login?next=*");
  await type(field(page, "User name"), "alice");
  await type(field(page, "Password"), password);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "No hosts yet" }).waitFor();
}

/** The machine appears without a reload; its digits are compared; it becomes a host with a new repository. */
async function accept(page: Page, agent: Program, repository: string): Promise<void> {
  await page.evaluate(() => document.body.dataset.same = "page");
  const row = page.locator("#pending li");
  await row.getByText("key proven, connected now").waitFor({ timeout: 30_000 });
  assert.equal(await page.evaluate(() => document.body.dataset.same), "page");
  const printed = /^ {2}fingerprint {2}(SHA256:[0-9a-f]{64})$/m.exec(agent.printed())?.[1];
  assert.ok(printed, agent.printed());
  assert.equal(await digits(row), printed);

  await press(row.getByRole("link", { name: /^Accept / }));
  await page.getByRole("heading", { name: /^Accept / }).waitFor();
  assert.equal(await digits(page.locator("#accept")), printed);
  await field(page, "Name").fill("anna");
  await type(field(page, "Name of the repository"), "office nas");
  await type(field(page, "Address"), repository);
  await type(field(page, /^Repository password/), REPOSITORY_PASSWORD);
  await press(button(page, "Accept host"));
  await page.getByText("anna is accepted.").waitFor();
  const vitals = page.locator("#vitals");
  await vitals.getByText("repo ready", { exact: true }).waitFor({ timeout: 30_000 });
  assert.match((await vitals.textContent())!, /repo ready · initialised just now/);
  await eventually(
    "the machine says so",
    () => /^accepted: this machine is now host anna$/m.test(agent.printed()),
  );
}

async function digits(place: Locator): Promise<string> {
  return (await place.locator("code.fingerprint").textContent())!.replaceAll(/\s/g, "");
}

async function addGroup(page: Page, path: string): Promise<void> {
  await press(link(page, "Sources"));
  await press(link(page, "Add source group"));
  await type(field(page, "Name"), "home");
  await tabTo(field(page, "Paths to back up"));
  await page.keyboard.insertText(path);
  await type(field(page, "Daily"), "14");
  await press(button(page, "Add source group"));
  await page.getByText("The source group is added.").waitFor();
}

const home = (page: Page) => page.locator(".group", { hasText: "home" });

async function setHook(page: Page): Promise<void> {
  await press(link(home(page), "Change…"));
  await page.getByText("Hooks run as root").waitFor();
  await type(field(page, "Before the backup (pre_hook)"), `echo ${HOOK_LINE}`);
  await press(button(page, "Save changes"));
  await home(page).getByText("of its own", { exact: true }).waitFor();
}

/** The limit is seen where it counts, in the arguments of the restic that runs, and on the page while it runs. */
async function runLimited(page: Page, agentPid: number): Promise<void> {
  await press(home(page).getByText("Limit bandwidth for this run"));
  await type(field(home(page), "Up, KiB/s"), "512");
  await press(button(home(page), "Run now"));
  await page.waitForURL("**/jobs/*");
  await page.getByRole("heading", { name: "Backup of “home” on anna" }).waitFor();
  await page.evaluate(() => document.body.dataset.same = "page");
  await page.locator("#log-rows .line", { hasText: `hook: ${HOOK_LINE}` }).waitFor();
  const state = page.locator("#job-state");
  await state.getByText("limited to 512 KiB/s up").waitFor();
  const args = await eventually("restic backs up", () => resticBackup(agentPid));
  assert.equal(args[args.indexOf("--limit-upload") + 1], "512", args.join(" "));
  assert.ok(await state.getByText("running", { exact: true }).isVisible());
  await page.locator("#job-progress dl").waitFor();
  await page.locator("#job-outcome").getByText(/^Backed up 4 new or changed files/)
    .waitFor({ timeout: 60_000 });
  assert.ok(await state.getByText("limited to 512 KiB/s up").isVisible());
  assert.equal(await page.evaluate(() => document.body.dataset.same), "page");
}

/** The arguments of the backup that this agent runs now. */
async function resticBackup(agentPid: number): Promise<string[] | undefined> {
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const read = (file: string) => Deno.readTextFile(`/proc/${name}/${file}`).catch(() => "");
    const parent = Number(/^PPid:\s+(\d+)$/m.exec(await read("status"))?.[1]);
    if (parent !== agentPid) continue;
    const args = (await read("cmdline")).split("\0");
    if (/(^|\/)restic$/.test(args[0]!) && args.includes("backup")) return args;
  }
}

async function schedule(page: Page): Promise<void> {
  await press(link(page, "anna"));
  await press(link(page, "Schedules"));
  await press(link(page, "Add schedule"));
  // The one group that says what to save is chosen already.
  assert.ok(await page.getByRole("checkbox", { name: "home" }).isChecked());
  assert.ok(!await page.getByRole("checkbox", { name: "default" }).isChecked());
  await press(button(page, "Add schedule"));
  const row = page.locator("table tbody tr");
  await row.waitFor();
  const [next, last] = [row.locator("[data-head=next]"), row.locator("[data-head=last]")];
  assert.match((await next.textContent())!, /^(in \d|just now)/);
  assert.match((await next.locator("time").getAttribute("title"))!, / \d\d:00:00 UTC$/);
  assert.equal(await last.textContent(), "never");

  await press(row.getByRole("button", { name: /^Run now/ }));
  await page.waitForURL("**/jobs/*");
  await page.locator("#job-outcome").getByText("nothing had changed").waitFor({ timeout: 30_000 });
  await press(link(page, "anna"));
  await press(link(page, "Schedules"));
  assert.match((await last.textContent())!, /^(just now|\d+s ago) — succeeded$/);
  assert.match((await last.locator("time").getAttribute("title"))!, / UTC$/);

  await press(row.getByRole("button", { name: /^Pause/ }));
  await page.getByText("The schedule is paused.").waitFor();
  assert.equal(await next.textContent(), "— (paused)");
  await press(row.getByRole("button", { name: /^Resume/ }));
  await page.getByText("The schedule runs again.").waitFor();
  assert.match((await next.textContent())!, /^(in \d|just now)/);
}

/** What exactly one schedule covers says when. */
async function dashboardRow(page: Page): Promise<void> {
  await press(link(page, "restic-manager"));
  await page.getByRole("heading", { name: "Your host is backed up." }).waitFor();
  const row = page.locator("table.hosts tbody tr");
  await row.getByText("Next: 03:00").waitFor();
  assert.match((await row.textContent())!, /Last: (just now|\d+s ago) — succeeded/);
}

/** The wrong name is refused; with the right one restic looks, finds data, and touches nothing. */
async function reinitialise(page: Page, repository: string): Promise<void> {
  const before = await contents(repository);
  await press(link(page, "anna"));
  await press(link(page, "Repository"));
  await page.locator("#host-repository").getByText("repo ready", { exact: true }).waitFor();
  const zone = page.locator("details.danger-zone", { hasText: "Initialise the repository anew" });
  await press(zone.locator("summary"));
  await type(field(zone, "Type the name of the host"), "Anna");
  await press(button(zone, "Initialise anew"));
  const wrong = zone.getByText("Must be the name of the host, exactly.");
  await wrong.waitFor();
  assert.ok(await isSeen(wrong), "the page is scrolled to what is wrong");
  assert.equal(await field(zone, "Type the name of the host").inputValue(), "Anna");
  await field(zone, "Type the name of the host").fill("");
  await type(field(zone, "Type the name of the host"), "anna");
  await press(button(zone, "Initialise anew"));
  await page.waitForURL("**/jobs/*");
  await page.locator("#job-state").getByText("failed").waitFor({ timeout: 30_000 });
  await page.locator("#job-outcome").getByText("Nothing was touched").waitFor();
  await page.locator("#job-outcome").getByText("clear that place by hand").waitFor();
  const said = page.locator("#log-rows .line", { hasText: /cleared by hand first/ });
  await said.waitFor();
  assert.deepEqual(await contents(repository), before);
  const listed = await resticByHand(
    anyRestic()!,
    repository,
    ["snapshots", "--json"],
    REPOSITORY_PASSWORD,
  );
  assert.equal(JSON.parse(listed).length, 2);
  await press(link(page, "anna"));
}

async function isSeen(element: Locator): Promise<boolean> {
  return await element.evaluate((element) => {
    const { top, bottom } = element.getBoundingClientRect();
    return top >= 0 && bottom <= innerHeight;
  });
}

/** Names and sizes of what the repository holds; locks come and go. */
async function contents(folder: string, below = ""): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(join(folder, below))) {
    const path = join(below, name);
    if (path === "locks") continue;
    if (isDirectory) found.push(...await contents(folder, path));
    else found.push(`${path} ${(await Deno.stat(join(folder, path))).size}`);
  }
  return found.sort();
}

async function signOut(page: Page): Promise<void> {
  await press(page.locator("details.menu summary"));
  await press(button(page, "Sign out"));
  await page.waitForURL("**/login");
  await page.goto("/");
  await page.waitForURL("**/login?next=*");
  await page.waitForLoadState("networkidle");
}
